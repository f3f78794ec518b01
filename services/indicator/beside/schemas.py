from datetime import date
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field

from chassis.fields import Day, DivisionCode
from services.indicator.plans.rules import Part
from services.indicator.plans.schemas import Amount, LineageQuery, MatrixQuery, ViewQuery

BesideCode = Annotated[
    str, Path(description="业务数据代码，见 `GET /v1/plan/beside`", examples=["relief_households"])
]


AsOf = Annotated[
    Day | None, Field(description="哪一天的情况，默认今天；规划期满后也是今天，不是期末")
]


class BesideMatrixQuery(MatrixQuery):
    as_of: AsOf = None


class BesideQuery(ViewQuery):
    as_of: AsOf = None
    division: DivisionCode | None = Field(
        default=None,
        description="12 位区划代码；不填为规划的管辖范围，其终止后为本单位所在区县；镇街为本镇街",
    )


class BesideLineageQuery(LineageQuery):
    as_of: AsOf = None
    area: Part = Field(default=Part.TOTAL, description="total 合计，urban 城市，rural 农村")


class BesideValues(BaseModel):
    """合计及其中城市、农村；没有数据的为空，不是零。"""

    value: Amount | None = Field(description="合计")
    urban: Amount | None = Field(description="其中城市")
    rural: Amount | None = Field(description="其中农村")


class BesideHead(BaseModel):
    """一项业务数据。"""

    code: str = Field(description="业务数据代码")
    name: str = Field(description="名称")
    unit: str = Field(description="计量单位")


class BesideItem(BesideHead, BesideValues):
    """一项业务数据在所查日期的情况。"""

    decimals: int = Field(description="公布的小数位数")
    note: str = Field(description="说明")


class BesideList(BaseModel):
    """与规划指标并列的业务数据。"""

    as_of: date = Field(description="所查日期")
    known_on: date | None = Field(description="按该日终了时已知的内容；为空即现在")
    division: str | None = Field(description="所查区划；为空即管辖范围")
    scope: str = Field(description="管辖口径代码，或所查区划的代码")
    scope_name: str = Field(description="管辖口径或所查区划的名称")
    items: list[BesideItem] = Field(description="各项业务数据")


class BesideRow(BaseModel):
    """一个镇街的各项业务数据。"""

    division: str | None = Field(description="所查日期有效的区划代码")
    name: str | None = Field(description="镇街名称")
    cells: dict[str, BesideValues] = Field(description="各项业务数据，按代码")


class BesideMatrix(BaseModel):
    """各镇街的业务数据。"""

    as_of: date = Field(description="所查日期")
    known_on: date | None = Field(description="按该日终了时已知的内容；为空即现在")
    figures: list[BesideHead] = Field(description="各项业务数据")
    rows: list[BesideRow] = Field(description="各镇街")
