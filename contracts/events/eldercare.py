"""Events of the eldercare service (养老服务)."""

from datetime import date
from enum import StrEnum
from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from contracts.model import Contract, UnitId


class FacilityKind(StrEnum):
    """Kinds of elder-service facility (domain.md B8.3); the value is the published code."""

    INSTITUTION = "institution"  # 养老机构
    TOWN_CENTRE = "town_centre"  # 镇街养老服务中心
    COMMUNITY_STATION = "community_station"  # 社区养老服务站
    RURAL_HOME = "rural_home"  # 敬老院
    MUTUAL_AID_POINT = "mutual_aid_point"  # 互助养老点
    MEAL_POINT = "meal_point"  # 助餐点
    INTENSIVE_CARE_CENTRE = "intensive_care_centre"  # 集中照护中心
    COMPLEX = "complex"  # 养老服务综合体


class OperatorKind(StrEnum):
    """Legal form of who operates; only `government` is 政府运营 (law/eldercare.md 10)."""

    GOVERNMENT = "government"  # 公建公营
    PUBLIC_BUILT_PRIVATE_RUN = "public_built_private_run"  # 公建民营
    PRIVATE_NONPROFIT = "private_nonprofit"  # 民办非企业单位
    PRIVATE_FORPROFIT = "private_forprofit"  # 民办营利


class FacilityFunction(StrEnum):
    FULL_CARE = "full_care"  # 全托
    DAY_CARE = "day_care"  # 日托
    HOME_SERVICE = "home_service"  # 上门服务
    GUIDANCE = "guidance"  # 对下指导
    MEALS = "meals"  # 助餐
    MUTUAL_AID = "mutual_aid"  # 互助


class FacilityPeriod(Contract):
    """What is true of the facility from a day on, until the next period begins."""

    from_: date = Field(alias="from")
    unit: UnitId
    kind: FacilityKind
    operator: OperatorKind
    open: bool
    beds: int = Field(ge=0, le=100_000)  # 核定床位
    nursing_beds: int = Field(ge=0, le=100_000)  # 其中护理型
    beds_in_use: int = Field(ge=0, le=100_000)  # 实际投入使用
    functions: tuple[FacilityFunction, ...] = ()


class FacilityAssessment(Contract):
    """Yearly assessment of basic service quality under GB/T 35796."""

    assessed_on: date
    passed: bool


class Facility(Contract):
    """Topic `minzheng.eldercare.facility`; the whole public state as known now."""

    id: UUID
    periods: tuple[FacilityPeriod, ...] = Field(min_length=1, max_length=400)
    assessments: tuple[FacilityAssessment, ...] = Field(default=(), max_length=200)

    def void(self) -> Self:
        """As a registration that was withdrawn: never open."""
        first = self.periods[0].model_copy(update={"open": False})
        return self.model_copy(update={"periods": (first,), "assessments": ()})

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        days = [period.from_ for period in self.periods]
        if days != sorted(set(days)):
            raise ValueError("periods must be in order, one a day")
        return self
