from collections.abc import Mapping
from pathlib import Path

from casework import reckoning
from casework.models import LINEAGE, CaseFile
from casework.routes import router as cases
from chassis.jobs import JobHandler
from chassis.service import Runtime, Service
from services.relief.applications import upkeep
from services.relief.applications.documents import TEMPLATES as APPLICATION_TEMPLATES
from services.relief.applications.documents import delivered_by
from services.relief.applications.investigation import note_late
from services.relief.applications.routes import router as applications
from services.relief.applications.rules import DIBAO
from services.relief.awards import deaths, endings
from services.relief.awards.competence import organs
from services.relief.awards.models import AwardRow
from services.relief.awards.papers import TEMPLATES as AWARD_TEMPLATES
from services.relief.awards.routes import router as awards
from services.relief.awards.rules import MATTER as DIBAO_CHANGE
from services.relief.checks.jobs import CheckJobs
from services.relief.checks.routes import router as checks
from services.relief.database import Base
from services.relief.entitlement.routes import router as calculator
from services.relief.households.routes import router as households
from services.relief.parameters.routes import authorities
from services.relief.parameters.routes import router as parameters
from services.relief.standards.models import StandardSeries
from services.relief.standards.routes import router as standards


def _jobs(runtime: Runtime) -> Mapping[str, JobHandler]:
    return {
        reckoning.KIND: reckoning.daily(upkeep.part(runtime)),
        **CheckJobs(runtime, note_late).handlers,
        **endings.jobs(runtime),
        **deaths.jobs(runtime),
    }


SERVICE = Service(
    name="relief",
    title="社会救助",
    description="最低生活保障的申请、核对、审核确认与动态管理，救助标准、参数与确认权限。",
    routers=(
        standards,
        parameters,
        authorities,
        calculator,
        applications,
        awards,
        checks,
        households,
        cases(
            "relief",
            {DIBAO.code: DIBAO, DIBAO_CHANGE.code: DIBAO_CHANGE},
            {DIBAO.code: APPLICATION_TEMPLATES, DIBAO_CHANGE.code: AWARD_TEMPLATES},
            read_scope="relief:files",
            tag="办件",
            organs=organs,
            guards={DIBAO.code: delivered_by},
        ),
    ),
    metadata=Base.metadata,
    further=(LINEAGE,),
    migrations=Path(__file__).parent / "migrations",
    jobs=_jobs,
    daily=(reckoning.KIND,),
    publishes={
        "minzheng.relief.standard": StandardSeries,
        "minzheng.relief.case": CaseFile,
        "minzheng.relief.award": AwardRow,
    },
)
