from pathlib import Path

from chassis.service import Service
from services.relief.database import Base
from services.relief.standards.routes import router as standards

SERVICE = Service(
    name="relief",
    title="社会救助",
    description="最低生活保障、特困人员等社会救助标准的登记与查询。",
    routers=(standards,),
    metadata=Base.metadata,
    migrations=Path(__file__).parent / "migrations",
    publishes=("minzheng.relief.standard",),
)
