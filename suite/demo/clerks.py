"""The demonstration's clerks: three at each town's window, four at the bureau. No real persons."""

from collections.abc import Iterator
from dataclasses import dataclass

from suite.clients import DISTRICT_DIVISIONS, NewClient
from suite.demo import district

BUREAU = "渝北区民政局"


@dataclass(frozen=True, slots=True)
class Role:
    """What somebody does at a window or a desk, and the scopes that go with it."""

    suffix: str
    title: str
    scopes: tuple[str, ...]


WINDOW = Role(
    "01",
    "受理员",
    (
        "relief:read",
        "relief:files",
        "relief:accept",
        "relief:survey",
        "relief:opine",
        "relief:reveal",
    ),
)
SURVEYOR = Role(
    "02",
    "调查初审员",
    (
        "relief:read",
        "relief:files",
        "relief:survey",
        "relief:opine",
        "relief:review",
        "relief:reveal",
    ),
)
TOWN_HEAD = Role(
    "03", "镇街分管领导", ("relief:read", "relief:files", "relief:decide", "plan:read")
)
TOWN_ROLES = (WINDOW, SURVEYOR, TOWN_HEAD)
CHECKER = Role("check", "核对员", ("relief:read", "relief:files", "relief:check", "relief:survey"))
BUREAU_SURVEYOR = Role(
    "survey", "救助科调查员", ("relief:read", "relief:files", "relief:survey", "relief:review")
)
BUREAU_HEAD = Role(
    "decide", "救助科科长", ("relief:read", "relief:files", "relief:decide", "plan:read")
)
BUREAU_LAW = Role("standards", "政策管理员", ("relief:read", "relief:standards", "plan:read"))
BUREAU_ROLES = (CHECKER, BUREAU_SURVEYOR, BUREAU_HEAD, BUREAU_LAW)


def town_clerk(town: district.Town, role: Role) -> str:
    """The id of a town's clerk: the nine digits of the town, then the role."""
    return f"{town.code[:9]}-{role.suffix}"


def bureau_clerk(role: Role) -> str:
    return f"minzheng-{role.suffix}"


def clerks() -> list[NewClient]:
    return [*_bureau(), *_towns()]


def _bureau() -> Iterator[NewClient]:
    for role in BUREAU_ROLES:
        yield NewClient(
            bureau_clerk(role), f"{BUREAU}{role.title}", BUREAU, role.scopes, DISTRICT_DIVISIONS
        )


def _towns() -> Iterator[NewClient]:
    for town in district.towns():
        organisation = f"{town.name}{'办事处' if town.is_street else '人民政府'}"
        note = ""
        if town.left_on is not None:
            note = f"{town.left_on:%Y年%-m月}起属{town.district_on(town.left_on)}，只有此前的办件"
        for role in TOWN_ROLES:
            yield NewClient(
                town_clerk(town, role),
                f"{town.name}{role.title}",
                organisation,
                role.scopes,
                (town.code,),
                note,
            )
