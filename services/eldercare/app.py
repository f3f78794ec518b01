from pathlib import Path

from chassis.service import Service
from services.eldercare.database import Base
from services.eldercare.facilities.models import FacilityRow
from services.eldercare.facilities.routes import router as facilities

SERVICE = Service(
    name="eldercare",
    title="养老服务",
    description="养老服务设施的登记、变化与更正，历史情况的补录与查询。",
    routers=(facilities,),
    metadata=Base.metadata,
    migrations=Path(__file__).parent / "migrations",
    publishes={"minzheng.eldercare.facility": FacilityRow},
)
