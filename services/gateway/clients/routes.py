from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from chassis.access import Principal
from chassis.conditional import IfMatch, set_etag
from chassis.idempotency import Idempotent, Route
from chassis.paging import DEFAULT_LIMIT, Cursor, Limit, decode_cursor, encode_cursor
from chassis.problems import NotFound, responses
from chassis.requests import CurrentRuntime, Transaction, VisibleUnits, require
from services.gateway.clients import repository, service
from services.gateway.clients.rules import CLIENT_ID
from services.gateway.clients.schemas import ClientNew, ClientPage, ClientView, SecretIssued

router = APIRouter(prefix="/v1/gateway/clients", tags=["接入方"], route_class=Route)

Admin = Annotated[Principal, Depends(require("gateway:admin"))]
ClientId = Annotated[str, Path(pattern=CLIENT_ID, description="接入方标识")]


async def codes_of(
    _: Admin, session: Transaction, runtime: CurrentRuntime, units: VisibleUnits
) -> list[str]:
    return await service.readable_codes(session, await runtime.places.register(), units)


Codes = Annotated[list[str], Depends(codes_of)]


@router.post(
    "",
    status_code=201,
    summary="登记接入方",
    dependencies=[Idempotent],
    responses=responses(401, 403, 409, 422, 503),
)
async def register_client(
    asked: ClientNew,
    _: Admin,
    session: Transaction,
    runtime: CurrentRuntime,
    units: VisibleUnits,
    response: Response,
) -> ClientView:
    """登记另一系统的名称、单位、权限与管辖区划。密钥另行发放。"""
    service.refuse_foreign(await runtime.places.register(), units, asked.divisions)
    client = await service.register(session, asked)
    set_etag(response, client.version)
    response.headers["Location"] = f"{router.prefix}/{client.id}"
    return (await service.views(session, [client]))[0]


@router.get("", summary="查询接入方", responses=responses(401, 403, 422, 503))
async def list_clients(
    codes: Codes, session: Transaction, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> ClientPage:
    """按标识列出接入方，含已停用的。"""
    key = decode_cursor(cursor, (str,))
    found = await repository.page(session, codes, str(key[0]) if key else "", limit + 1)
    items = await service.views(session, found[:limit])
    more = len(found) > limit
    return ClientPage(items=items, next_cursor=encode_cursor(items[-1].client_id) if more else None)


@router.get("/{client_id}", summary="查看接入方", responses=responses(401, 403, 404, 422, 503))
async def get_client(
    client_id: ClientId, codes: Codes, session: Transaction, response: Response
) -> ClientView:
    """查看一个接入方及其密钥的状态。"""
    client = await repository.find(session, codes, client_id)
    if client is None:
        raise NotFound
    set_etag(response, client.version)
    return (await service.views(session, [client]))[0]


@router.post(
    "/{client_id}/secret",
    status_code=201,
    summary="发放或更换密钥",
    responses=responses(401, 403, 404, 409, 412, 422, 428, 503),
)
async def issue_secret(
    client_id: ClientId,
    codes: Codes,
    session: Transaction,
    response: Response,
    if_match: IfMatch = None,
) -> SecretIssued:
    """发放新密钥，仅在本次答复中可见，系统不保存原文。在用的原密钥继续有效七天，从未用过的立即失效。

    重复提交由 If-Match 防止；答复丢失时，重新读取后再发放即可。
    """
    client, issued = await service.issue_secret(session, codes, client_id, if_match)
    set_etag(response, client.version)
    response.headers["Cache-Control"] = "no-store"
    return issued


@router.delete(
    "/{client_id}",
    status_code=204,
    summary="停用接入方",
    responses=responses(401, 403, 404, 412, 422, 428, 503),
)
async def disable_client(
    client_id: ClientId, codes: Codes, session: Transaction, if_match: IfMatch = None
) -> None:
    """停用后不再发放令牌；已发放的令牌到期失效。标识保留，不再分配。"""
    await service.disable(session, codes, client_id, if_match)
