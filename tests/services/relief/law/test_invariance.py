"""What holds for every family: relief.md §11, what is true instead of the tempting false."""

import json
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.services.relief.law.window import Json, Window, alone, income, member, standard

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOME = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
DAYS = ("2018-06-01", "2021-06-30", "2021-07-01", "2022-10-20", "2025-07-15", "2026-07-01")
RECEIVED = ("wage", "farming", "business", "property", "support_received", "pension", "other")
OTHERS = ("government_relief", "basic_pension", "support_paid", "tax_paid")
RANK = {"dibao": 0, "edge": 1, "none": 2}
AMOUNTS = st.decimals("0", "2500", places=2).map(str)


@st.composite
def members(draw: st.DrawFn) -> list[Json]:
    """A family of one to five with any circumstances."""
    found = []
    size = draw(st.integers(1, 5))
    for index in range(size):
        relation = (
            "self"
            if index == 0
            else draw(st.sampled_from(["spouse", "child", "parent", "sibling", "other"]))
        )
        incomes = draw(
            st.lists(st.builds(income, st.sampled_from(RECEIVED + OTHERS), AMOUNTS), max_size=3)
        )
        facts: dict[str, Any] = draw(
            st.fixed_dictionaries(
                {
                    "severe_illness": st.booleans(),
                    "work_capacity": st.sampled_from(["full", "none"]),
                    "employed": st.booleans(),
                    "bedridden": st.booleans(),
                    "independent": st.booleans(),
                    "lives_together": st.booleans(),
                    "in_prison": st.sampled_from([False, False, False, True]),
                    "unmarried_soldier": st.sampled_from([False, False, False, True]),
                    "special_hardship": st.booleans(),
                    "alone": st.booleans(),
                    "disability": st.none()
                    | st.fixed_dictionaries(
                        {
                            "kind": st.sampled_from(["physical", "mental", "vision"]),
                            "grade": st.integers(1, 4),
                        }
                    ),
                }
            )
        )
        born = draw(st.dates(min_value=date(1950, 1, 1), max_value=date(2018, 1, 1)))
        found.append(member(f"m{index}", relation, born.isoformat(), *incomes, **facts))
    return found


PROPERTIES = st.lists(
    st.one_of(
        st.builds(
            lambda kind, amount: {"kind": kind, "amount": amount},
            st.sampled_from(["deposit", "securities", "insurance_savings"]),
            st.decimals("0", "20000", places=2).map(str),
        ),
        st.builds(
            lambda area: {"kind": "dwelling", "area": area},
            st.decimals("0", "120", places=2).map(str),
        ),
        st.just({"kind": "vehicle", "disability_vehicle": True}),
    ),
    max_size=3,
)
CONSUMPTIONS = st.lists(
    st.one_of(
        st.builds(
            lambda amount: {"kind": "luxury", "on": "2018-05-01", "amount": amount},
            st.decimals("0", "9000", places=2).map(str),
        ),
        st.just({"kind": "house", "on": "2018-02-01"}),
    ),
    max_size=2,
)


def unordered(answer: Json) -> Json:
    """The answer with every list in one order: what it says, not how it lists it."""
    return {
        key: sorted(value, key=lambda one: json.dumps(one, ensure_ascii=False, sort_keys=True))
        if isinstance(value, list)
        else value
        for key, value in {**answer, "income": None, "lines": answer["income"]["lines"]}.items()
    } | {"totals": (answer["income"]["total"], answer["income"]["per_capita"])}


@SOME
@given(
    family=members(),
    properties=PROPERTIES,
    consumptions=CONSUMPTIONS,
    day=st.sampled_from(DAYS),
    area=st.sampled_from(["urban", "rural"]),
    seed=st.integers(0, 1000),
)
async def test_the_order_in_which_a_family_tells_its_facts_changes_nothing(
    window: Window,
    family: list[Json],
    properties: list[Json],
    consumptions: list[Json],
    day: str,
    area: str,
    seed: int,
) -> None:
    shuffle = Random(seed).shuffle  # noqa: S311 - an order, no secret
    told = await window.answer(family, day, area, properties=properties, consumptions=consumptions)
    otherwise = [{**one, "incomes": list(one["incomes"])} for one in family]
    for one in otherwise:
        shuffle(one["incomes"])
    for facts in (otherwise, properties, consumptions):
        shuffle(facts)
    again = await window.answer(
        otherwise, day, area, properties=properties, consumptions=consumptions
    )
    assert unordered(again) == unordered(told)


@SOME
@given(family=members(), day=st.sampled_from(DAYS), area=st.sampled_from(["urban", "rural"]))
async def test_relief_md_11_the_base_never_exceeds_standard_times_persons(
    window: Window, family: list[Json], day: str, area: str
) -> None:
    answer = await window.answer(family, day, area)
    limit = standard(day, area)
    if answer["base"] is not None:
        assert 0 <= Decimal(answer["base"]) <= limit * answer["persons"]
        assert Decimal(answer["total"]) == Decimal(answer["base"]) + sum(
            Decimal(one["amount"]) for one in answer["extras"]
        )
    assert all(0 < Decimal(one["amount"]) <= limit for one in answer["alone"])
    assert (answer["base"] is not None) == (answer["outcome"] == "entitled")
    assert (answer["total"] is not None) == (answer["outcome"] in {"entitled", "alone"})
    assert (answer["payable_from"] is not None) == (answer["outcome"] in {"entitled", "alone"})
    assert answer["persons"] == sum(one["counted"] for one in answer["members"])


@SOME
@given(
    family=members(),
    day=st.sampled_from(DAYS),
    area=st.sampled_from(["urban", "rural"]),
    kind=st.sampled_from(RECEIVED),
    more=st.decimals("0.01", "2000", places=2),
    data=st.data(),
)
async def test_relief_md_11_richer_never_gets_more_within_one_programme_and_composition(
    window: Window,
    family: list[Json],
    day: str,
    area: str,
    kind: str,
    more: Decimal,
    data: st.DataObject,
) -> None:
    poorer = await window.answer(family, day, area)
    index = data.draw(st.integers(0, len(family) - 1))
    richer_family = [dict(one) for one in family]
    chosen = richer_family[index]
    chosen["incomes"] = [*chosen["incomes"], income(kind, str(more))]
    richer = await window.answer(richer_family, day, area)
    assert RANK[richer["family"]] >= RANK[poorer["family"]]
    if richer["base"] is not None:
        assert Decimal(richer["base"]) <= Decimal(poorer["base"])
    if richer["family"] == poorer["family"]:
        for ref, one in alone(richer).items():
            before = alone(poorer)[ref]
            assert Decimal(one["amount"]) <= Decimal(before["amount"])
            assert one["extras"] == before["extras"]


@SOME
@given(
    family=members(),
    properties=PROPERTIES,
    more=st.decimals("0.01", "90000", places=2),
    day=st.sampled_from(DAYS),
)
async def test_domain_md_b1_4_more_savings_never_help(
    window: Window, family: list[Json], properties: list[Json], more: Decimal, day: str
) -> None:
    poorer = await window.answer(family, day, properties=properties)
    saved = [*properties, {"kind": "deposit", "amount": str(more)}]
    richer = await window.answer(family, day, properties=saved)
    assert RANK[richer["family"]] >= RANK[poorer["family"]]
    if richer["base"] is not None:
        assert richer["base"] == poorer["base"]


@SOME
@given(
    family=members(),
    kind=st.sampled_from(["scholarship", "veterans_allowance", "disability_subsidy"]),
    amount=AMOUNTS,
    day=st.sampled_from(["2021-07-01", "2022-10-20", "2025-07-15", "2026-07-01"]),
)
async def test_minfa_2021_57_art_13_what_is_not_counted_never_changes_the_outcome(
    window: Window, family: list[Json], kind: str, amount: str, day: str
) -> None:
    before = await window.answer(family, day)
    gifted = [dict(one) for one in family]
    gifted[0]["incomes"] = [*gifted[0]["incomes"], income(kind, amount)]
    after = await window.answer(gifted, day)
    for key in ("outcome", "family", "base", "total", "alone", "persons"):
        assert after[key] == before[key]


@SOME
@given(family=members(), day=st.sampled_from(DAYS))
async def test_minfa_2022_83_1_1_whoever_asks_alone_never_splits_a_family_that_qualifies(
    window: Window, family: list[Json], day: str
) -> None:
    asked = [{**one, "alone": True} for one in family]
    silent = [{**one, "alone": False} for one in family]
    whole = await window.answer(silent, day)
    assume(whole["family"] == "dibao")
    answer = await window.answer(asked, day)
    assert answer["outcome"] == "entitled"
    assert (answer["base"], answer["total"]) == (whole["base"], whole["total"])
    assert answer["persons"] == whole["persons"]


@SOME
@given(
    family=members(),
    day=st.sampled_from(DAYS),
    kind=st.sampled_from(RECEIVED),
    cents=st.integers(2, 400000),
    data=st.data(),
)
async def test_minfa_2021_57_art_12_one_income_told_in_two_parts_is_the_same_income(
    window: Window, family: list[Json], day: str, kind: str, cents: int, data: st.DataObject
) -> None:
    part = data.draw(st.integers(1, cents - 1))
    whole, first, second = (
        income(kind, str(Decimal(amount) / 100)) for amount in (cents, part, cents - part)
    )
    told = [{**family[0], "incomes": [*family[0]["incomes"], whole]}, *family[1:]]
    parted = [{**family[0], "incomes": [*family[0]["incomes"], first, second]}, *family[1:]]
    once, twice = await window.answer(told, day), await window.answer(parted, day)
    for key in ("outcome", "family", "base", "total", "alone"):
        assert twice[key] == once[key]
    assert twice["income"]["total"] == once["income"]["total"]
