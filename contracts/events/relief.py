"""Events of the relief service (社会救助)."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from contracts.model import Contract, UnitId


class StandardCode(StrEnum):
    DIBAO = "dibao"  # 最低生活保障标准
    TEKUN_BASIC = "tekun_basic"  # 特困人员基本生活标准
    TEKUN_CARE_FULL = "tekun_care_full"  # 特困照料护理标准: 全护理
    TEKUN_CARE_HALF = "tekun_care_half"  # 半护理
    TEKUN_CARE_SELF = "tekun_care_self"  # 自理


class Area(StrEnum):
    URBAN = "urban"  # 城市
    RURAL = "rural"  # 农村
    ALL = "all"  # 不分城乡


class StandardPeriod(Contract):
    """The amount in force from a day on, in yuan per person and month."""

    from_: date = Field(alias="from")
    amount: Decimal = Field(gt=0, max_digits=10, decimal_places=2)
    document: str = Field(min_length=1, max_length=100)


class Standard(Contract):
    """Topic `minzheng.relief.standard`: the series of one standard for one area, as known now."""

    id: UUID
    unit: UnitId
    code: StandardCode
    area: Area
    periods: tuple[StandardPeriod, ...] = Field(max_length=400)
