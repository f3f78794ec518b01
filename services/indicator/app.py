from pathlib import Path

from chassis.service import Service
from services.indicator.beside.routes import router as beside
from services.indicator.database import Base, Projection
from services.indicator.editions.routes import router as editions
from services.indicator.figures.models import FigureSeriesRow
from services.indicator.figures.routes import router as figures
from services.indicator.ledger.reactions import LEDGER
from services.indicator.plans.routes import router as plans

SERVICE = Service(
    name="indicator",
    title="规划指标",
    description="由各业务的事件与填报数形成规划的全部指标：任一日期、任一区划、按任一日期已知的内容。",
    routers=(plans, beside, figures, editions),
    metadata=Base.metadata,
    projection=Projection.metadata,
    migrations=Path(__file__).parent / "migrations",
    consumers=(LEDGER,),
    publishes={"minzheng.indicator.figure": FigureSeriesRow},
)
