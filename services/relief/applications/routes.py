from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from casework.models import CaseFile
from casework.schemas import CaseView
from chassis.access import Principal
from chassis.conditional import IfMatch, set_etag
from chassis.idempotency import Idempotent, Route
from chassis.problems import responses
from chassis.requests import Caller, CurrentRuntime, Transaction, VisibleUnits, require
from services.relief.applications import (
    decision,
    investigation,
    review,
    rules,
    service,
    views,
)
from services.relief.applications.desk import Desk
from services.relief.applications.schemas import (
    Acceptance,
    ApplicationFile,
    ApplicationIn,
    AssessmentNow,
    CommunityAppraisal,
    Complaint,
    Contest,
    Convening,
    CorrectionDone,
    CorrectionList,
    Decision,
    Delivery,
    Finding,
    Move,
    NearRelatives,
    NewApplicant,
    Objection,
    Opinion,
    ProlongationAsked,
    Publicity,
    Reasoned,
    Survey,
    Termination,
    Withdrawal,
)

router = APIRouter(prefix="/v1/relief/applications", tags=["低保申请"], route_class=Route)

Reader = Annotated[Principal, Depends(require("relief:files"))]
Accepter = Annotated[Principal, Depends(require(rules.ACCEPT))]
Checker = Annotated[Principal, Depends(require(rules.CHECK))]
Surveyor = Annotated[Principal, Depends(require(rules.SURVEY))]
Opiner = Annotated[Principal, Depends(require(rules.OPINE))]
Decider = Annotated[Principal, Depends(require(rules.DECIDE))]

STEP = responses(401, 403, 404, 409, 412, 422, 428, 503)


async def desk_of(
    session: Transaction, principal: Caller, runtime: CurrentRuntime, units: VisibleUnits
) -> Desk:
    return Desk(session, principal, await runtime.places.register(), units)


AtDesk = Annotated[Desk, Depends(desk_of)]


async def _answer(desk: Desk, case: CaseFile, response: Response) -> CaseView:
    set_etag(response, case.version)
    return await views.case_view(desk, case)


@router.post(
    "",
    status_code=201,
    summary="提出申请",
    dependencies=[Idempotent],
    responses=responses(401, 403, 404, 409, 422, 503),
)
async def open_application(
    asked: ApplicationIn, _: Accepter, desk: AtDesk, response: Response
) -> CaseView:
    """登记一户的低保申请，默认同时提交；同一申请人同时只能有一件办理中的申请。"""
    case = await service.open_application(desk, asked)
    response.headers["Location"] = f"{router.prefix}/{case.id}"
    return await _answer(desk, case, response)


@router.get("/{case_id}", summary="查看申请全卷", responses=responses(401, 403, 404, 422, 503))
async def get_application(
    case_id: UUID, _: Reader, desk: AtDesk, response: Response
) -> ApplicationFile:
    """一件申请的家庭、核对、调查、初审、公示、异议、决定与文书。查看留痕。"""
    view, version = await views.whole_file(desk, case_id)
    set_etag(response, version)
    return view


@router.get(
    "/{case_id}/assessment",
    summary="今日测算",
    responses=responses(401, 403, 404, 409, 422, 503),
)
async def get_assessment(case_id: UUID, _: Reader, desk: AtDesk) -> AssessmentNow:
    """按现有事实和今日的规定测算，并说明今日由谁审核确认；不保存。查看留痕。"""
    return await views.assessment(desk, case_id)


@router.post("/{case_id}/submit", summary="提交草稿", dependencies=[Idempotent], responses=STEP)
async def submit(
    case_id: UUID, _: Accepter, desk: AtDesk, response: Response, if_match: IfMatch = None
) -> CaseView:
    """提交已保存的草稿。"""
    return await _answer(desk, await service.submit(desk, case_id, if_match), response)


@router.post(
    "/{case_id}/correction-list",
    summary="一次性告知补正",
    dependencies=[Idempotent],
    responses=STEP,
)
async def tell(
    case_id: UUID,
    asked: CorrectionList,
    _: Accepter,
    desk: AtDesk,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """一次性告知全部缺项并制作告知书；每件只能告知一次。可由信息共享取得的材料不得要求。"""
    return await _answer(desk, await service.tell(desk, case_id, if_match, asked), response)


@router.post(
    "/{case_id}/correction-done", summary="补正收讫", dependencies=[Idempotent], responses=STEP
)
async def complete(
    case_id: UUID,
    asked: CorrectionDone,
    _: Accepter,
    desk: AtDesk,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """登记补齐的材料与补签的承诺、授权。"""
    return await _answer(desk, await service.complete(desk, case_id, if_match, asked), response)


@router.post("/{case_id}/accept", summary="受理", dependencies=[Idempotent], responses=STEP)
async def accept(
    case_id: UUID,
    asked: Acceptance,
    _: Accepter,
    desk: AtDesk,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """受理齐备的申请：自此起算期限，城乡属性与期限随之确定，并制作受理通知书。"""
    return await _answer(desk, await service.accept(desk, case_id, if_match, asked), response)


@router.post(
    "/{case_id}/near-relatives",
    summary="近亲属备案",
    dependencies=[Idempotent],
    responses=STEP,
)
async def declare_relatives(
    case_id: UUID,
    asked: NearRelatives,
    _: Accepter,
    desk: AtDesk,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """单独登记与经办人员或村（居）委会成员有近亲属关系的成员；备案后须由民政部门入户调查。"""
    case = await service.declare_relatives(desk, case_id, if_match, asked)
    return await _answer(desk, case, response)


@router.post(
    "/{case_id}/applicant", summary="变更申请人", dependencies=[Idempotent], responses=STEP
)
async def change_applicant(
    case_id: UUID,
    asked: NewApplicant,
    _: Accepter,
    desk: AtDesk,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """申请人死亡或者离开家庭的，由另一成员作为申请人继续办理。"""
    case = await service.change_applicant(desk, case_id, if_match, asked)
    return await _answer(desk, case, response)


@router.post(
    "/{case_id}/complaints", summary="登记投诉举报", dependencies=[Idempotent], responses=STEP
)
async def complain(
    case_id: UUID,
    asked: Complaint,
    _: Accepter,
    desk: AtDesk,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """登记审核期间接到的投诉举报；登记后须由民政部门入户调查。"""
    return await _answer(desk, await service.complain(desk, case_id, if_match, asked), response)


@router.post("/{case_id}/check", summary="提请信息核对", dependencies=[Idempotent], responses=STEP)
async def start_check(
    case_id: UUID, _: Checker, desk: AtDesk, response: Response, if_match: IfMatch = None
) -> CaseView:
    """就每名已授权的成员向各来源查询。"""
    return await _answer(desk, await investigation.start_check(desk, case_id, if_match), response)


@router.post(
    "/{case_id}/check-closed", summary="出具核对报告", dependencies=[Idempotent], responses=STEP
)
async def close_check(
    case_id: UUID, _: Checker, desk: AtDesk, response: Response, if_match: IfMatch = None
) -> CaseView:
    """出具报告；按查得的情况不符合条件的，制作核对情况告知书。缺失的来源须先答复或说明理由接受。"""
    return await _answer(desk, await investigation.close_check(desk, case_id, if_match), response)


@router.post(
    "/{case_id}/contest", summary="对核对结果提出异议", dependencies=[Idempotent], responses=STEP
)
async def contest(
    case_id: UUID,
    asked: Contest,
    _: Accepter,
    desk: AtDesk,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """申请人有异议并提供佐证的，重新核对。"""
    case = await investigation.contest(desk, case_id, if_match, asked)
    return await _answer(desk, case, response)


@router.post("/{case_id}/survey", summary="登记入户调查", dependencies=[Idempotent], responses=STEP)
async def survey(
    case_id: UUID,
    asked: Survey,
    _: Surveyor,
    desk: AtDesk,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """由调查人员之一登记并签字，不少于二人，可以与核对同时进行；待确认阶段由区县民政部门进行。"""
    return await _answer(desk, await investigation.survey(desk, case_id, if_match, asked), response)


@router.post(
    "/{case_id}/survey/sign", summary="调查人员签字", dependencies=[Idempotent], responses=STEP
)
async def sign(
    case_id: UUID, _: Surveyor, desk: AtDesk, response: Response, if_match: IfMatch = None
) -> CaseView:
    """以本人登录在调查记录上签字；签齐且核对已完成的，进入初审。"""
    return await _answer(desk, await investigation.sign(desk, case_id, if_match), response)


@router.post(
    "/{case_id}/survey/withdraw",
    summary="撤回未签齐的调查记录",
    dependencies=[Idempotent],
    responses=STEP,
)
async def withdraw_survey(
    case_id: UUID,
    asked: Reasoned,
    _: Surveyor,
    desk: AtDesk,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """由登记人撤回尚未签齐的调查记录，之后重新登记调查；撤回的仍存于卷中。"""
    case = await investigation.withdraw_survey(desk, case_id, if_match, asked.reason)
    return await _answer(desk, case, response)


@router.post(
    "/{case_id}/appraisal", summary="组织群众评议", dependencies=[Idempotent], responses=STEP
)
async def convene(
    case_id: UUID,
    asked: Convening,
    _: Opiner,
    desk: AtDesk,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """调查核实后、初审前组织群众评议；评议的期间不计入期限。2021年7月1日起不再要求。"""
    return await _answer(desk, await review.convene(desk, case_id, if_match, asked), response)


@router.post(
    "/{case_id}/appraisal-record",
    summary="记录群众评议",
    dependencies=[Idempotent],
    responses=STEP,
)
async def record_appraisal(
    case_id: UUID,
    asked: CommunityAppraisal,
    _: Opiner,
    desk: AtDesk,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """记录已组织的群众评议；争议较大的，应当重新调查核实后再提出初审意见。"""
    case = await review.record_appraisal(desk, case_id, if_match, asked)
    return await _answer(desk, case, response)


@router.post(
    "/{case_id}/opinion", summary="提出初审意见", dependencies=[Idempotent], responses=STEP
)
async def opine(
    case_id: UUID,
    asked: Opinion,
    _: Opiner,
    desk: AtDesk,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """提出初审意见，当日的测算一并保存。"""
    return await _answer(desk, await review.opine(desk, case_id, if_match, asked), response)


@router.post(
    "/{case_id}/publicise", summary="公示初审意见", dependencies=[Idempotent], responses=STEP
)
async def publicise(
    case_id: UUID,
    asked: Publicity,
    _: Opiner,
    desk: AtDesk,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """在申请家庭所在村（社区）公示，不论意见是否符合条件；只含规定公示的项目。"""
    return await _answer(desk, await review.publicise(desk, case_id, if_match, asked), response)


@router.post(
    "/{case_id}/retract", summary="撤回初审意见", dependencies=[Idempotent], responses=STEP
)
async def retract(
    case_id: UUID,
    asked: Reasoned,
    _: Opiner,
    desk: AtDesk,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """情况有变化的，撤回初审意见并撤下公示，之后重新提出；公示期重新起算。"""
    case = await review.retract(desk, case_id, if_match, asked.reason)
    return await _answer(desk, case, response)


@router.post(
    "/{case_id}/publicity-closed",
    summary="公示期满报送",
    dependencies=[Idempotent],
    responses=STEP,
)
async def close_publicity(
    case_id: UUID, _: Opiner, desk: AtDesk, response: Response, if_match: IfMatch = None
) -> CaseView:
    """公示期满无异议的，报送审核确认。"""
    return await _answer(desk, await review.close_publicity(desk, case_id, if_match), response)


@router.post("/{case_id}/objections", summary="登记异议", dependencies=[Idempotent], responses=STEP)
async def object_to(
    case_id: UUID,
    asked: Objection,
    _: Opiner,
    desk: AtDesk,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """登记公示期间的异议，并注明重新调查或民主评议。"""
    return await _answer(desk, await review.object_to(desk, case_id, if_match, asked), response)


@router.post(
    "/{case_id}/objections/{objection_id}/finding",
    summary="处理异议",
    dependencies=[Idempotent],
    responses=STEP,
)
async def find(
    case_id: UUID,
    objection_id: UUID,
    asked: Finding,
    _: Opiner,
    desk: AtDesk,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """由提出该初审意见以外的人登记调查或评议的结果；最后一项异议处理后重新提出初审意见。"""
    case = await review.find(desk, case_id, objection_id, if_match, asked)
    return await _answer(desk, case, response)


@router.post(
    "/{case_id}/forward", summary="报送审核确认", dependencies=[Idempotent], responses=STEP
)
async def forward(
    case_id: UUID, _: Opiner, desk: AtDesk, response: Response, if_match: IfMatch = None
) -> CaseView:
    """报送无须公示的初审意见：异议处理后不再公示的，或者区县规定不符合条件的意见不公示的。"""
    return await _answer(desk, await review.forward(desk, case_id, if_match), response)


@router.post("/{case_id}/return", summary="退回镇街", dependencies=[Idempotent], responses=STEP)
async def return_step(
    case_id: UUID,
    asked: Reasoned,
    _: Decider,
    desk: AtDesk,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """退回重新调查后再提出意见，并说明理由。"""
    case = await decision.return_step(desk, case_id, if_match, asked.reason)
    return await _answer(desk, case, response)


@router.post(
    "/{case_id}/prolong", summary="延长办理期限", dependencies=[Idempotent], responses=STEP
)
async def prolong(
    case_id: UUID,
    asked: ProlongationAsked,
    _: Decider,
    desk: AtDesk,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """特殊情况下延长一次；期限以受理之日施行的规定为准。"""
    return await _answer(desk, await decision.prolong(desk, case_id, if_match, asked), response)


@router.post("/{case_id}/decide", summary="审核确认", dependencies=[Idempotent], responses=STEP)
async def decide(
    case_id: UUID,
    asked: Decision,
    _: Decider,
    desk: AtDesk,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """由当日有权的机关作出决定；受理、调查、初审人员不得决定。结论须与当日测算一致。"""
    return await _answer(desk, await decision.decide(desk, case_id, if_match, asked), response)


@router.post("/{case_id}/deliver", summary="送达", dependencies=[Idempotent], responses=STEP)
async def deliver(
    case_id: UUID,
    asked: Delivery,
    _: Accepter,
    desk: AtDesk,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """登记决定文书的送达；不予确认的由镇街在规定时限内书面告知。"""
    return await _answer(desk, await decision.deliver(desk, case_id, if_match, asked), response)


@router.post("/{case_id}/close", summary="办结归档", dependencies=[Idempotent], responses=STEP)
async def close(
    case_id: UUID, _: Accepter, desk: AtDesk, response: Response, if_match: IfMatch = None
) -> CaseView:
    """送达后办结归档。"""
    return await _answer(desk, await service.close(desk, case_id, if_match), response)


@router.post("/{case_id}/withdraw", summary="撤回申请", dependencies=[Idempotent], responses=STEP)
async def withdraw(
    case_id: UUID,
    asked: Withdrawal,
    _: Accepter,
    desk: AtDesk,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """决定作出前，应申请人要求撤回。"""
    return await _answer(desk, await service.withdraw(desk, case_id, if_match, asked), response)


@router.post(
    "/{case_id}/terminate", summary="终止审核确认", dependencies=[Idempotent], responses=STEP
)
async def terminate(
    case_id: UUID,
    asked: Termination,
    _: Accepter,
    desk: AtDesk,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """因拒不配合、单独申请人死亡或迁出本区而终止，并制作通知书。"""
    return await _answer(desk, await service.terminate(desk, case_id, if_match, asked), response)


@router.post("/{case_id}/move", summary="移交其他镇街", dependencies=[Idempotent], responses=STEP)
async def move(
    case_id: UUID,
    asked: Move,
    _: Decider,
    desk: AtDesk,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """由区县民政部门把未决的申请移交本区其他镇街；原镇街此后不再看到。"""
    return await _answer(desk, await service.move(desk, case_id, if_match, asked), response)
