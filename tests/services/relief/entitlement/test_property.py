"""Property and consumption: 57号 arts. 14, 17; 条例 (2016) arts. 10, 13; domain.md B1.4."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.relief.entitlement.conditions import Condition
from services.relief.entitlement.facts import (
    Consumption,
    ConsumptionKind,
    EdgeFinding,
    FactSource,
    Household,
    Property,
    PropertyKind,
)
from services.relief.parameters.rules import Law
from tests.services.relief.entitlement.families import (
    DAY,
    OF_THE_COUNTY,
    answer,
    income,
    law_on,
    passed,
    three,
)


def owns(kind: str, **facts: Any) -> Property:
    return Property(PropertyKind(kind), **facts)


def lives(kind: str, **facts: Any) -> Consumption:
    return Consumption(ConsumptionKind(kind), **facts)


def of(
    code: str, *facts: Property | Consumption, household: Household | None = None, **how: Any
) -> Condition:
    known = replace(
        household or three(),
        properties=tuple(one for one in facts if isinstance(one, Property)),
        consumptions=tuple(one for one in facts if isinstance(one, Consumption)),
    )
    found = answer(known, **how)
    return next(one for one in found.conditions if one.code == code)


def money(amount: str | None, kind: str = "deposit", **facts: Any) -> Property:
    return owns(kind, amount=None if amount is None else Decimal(amount), **facts)


def flat(area: str | None, **facts: Any) -> Property:
    return owns("dwelling", area=None if area is None else Decimal(area), **facts)


@pytest.mark.parametrize(
    ("amounts", "result"),
    [(["27720.00"], True), (["27720.01"], False), (["20000", "7720.01"], False), ([], True)],
)
def test_b1_4_deposits_up_to_persons_by_standard_by_twelve(
    amounts: list[str], result: bool
) -> None:
    assert of("property_deposits", *(money(one) for one in amounts)).passed is result


def test_b1_4_securities_and_savings_insurance_count_with_deposits() -> None:
    held = (money("20000"), money("5000", "securities"), money("3000", "insurance_savings"))
    found = of("property_deposits", *held)
    assert found.passed is False
    assert "28000.00" in found.fact
    assert "27720.00" in found.threshold


FOUND = FactSource.SURVEYED
JUDGED = FactSource.JUDGEMENT


def test_57_14_what_is_found_essential_is_exempt() -> None:
    assert of("property_vehicle", owns("vehicle", essential=True, source=FOUND)).passed is True
    homes = flat("200", essential=True, source=FOUND), flat("200")
    assert of("property_dwellings", *homes).passed is True


@pytest.mark.parametrize("source", [FactSource.DECLARED, FactSource.CHECKED])
def test_57_14_that_a_thing_is_essential_is_a_claim_until_somebody_has_looked(
    source: FactSource,
) -> None:
    claimed = owns("vehicle", essential=True, source=source)
    assert of("property_vehicle", claimed).passed is None
    assert of("property_vehicle", claimed, owns("vehicle")).passed is False
    homes = flat("200", essential=True, source=source), flat("200")
    assert of("property_dwellings", *homes).passed is None
    assert of("property_dwellings", *homes, flat("200")).passed is False


@pytest.mark.parametrize("kind", ["deposit", "securities", "insurance_savings"])
def test_57_14_money_is_no_thing_that_a_family_lives_by(kind: str) -> None:
    found = money("99999", kind, essential=True, source=FOUND)
    assert of("property_deposits", found).passed is False


def test_57_14_17_nobody_judges_in_their_own_matter() -> None:
    claim = owns("vehicle", judged=True, reason="已报废")
    assert of("property_vehicle", claim).passed is False
    assert of("property_vehicle", replace(claim, source=JUDGED)).passed is True
    school = lives("private_school", judged=True, reason="学校全额资助")
    assert of("consumption_study", school).passed is None


def test_ordinance_13_2_the_vehicle_that_makes_up_for_a_disability_is_exempt() -> None:
    assert of("property_vehicle", owns("vehicle")).passed is False
    assert of("property_vehicle", owns("vehicle", disability_vehicle=True)).passed is True


@pytest.mark.parametrize(
    ("areas", "result"),
    [(["200"], True), (["45", "45"], True), (["45", "45.01"], False), (["20", "30"], True)],
)
def test_b1_4_two_dwellings_and_more_than_three_times_the_minimum_area_both_are_needed(
    areas: list[str], result: bool
) -> None:
    assert of("property_dwellings", *(flat(one) for one in areas)).passed is result


@pytest.mark.parametrize("kind", ["premises", "vehicle", "ship", "machinery", "company"])
def test_b1_4_premises_vehicles_ships_machinery_and_companies(kind: str) -> None:
    assert of(f"property_{kind}").passed is True
    found = of(f"property_{kind}", owns(kind, source=FactSource.CHECKED, source_day=DAY))
    assert found.passed is False
    assert (found.source, found.source_day) == ("核对", DAY)
    assert found.remedy


def test_what_no_figure_can_settle_needs_a_persons_judgement() -> None:
    assert of("property_deposits", money(None)).passed is None
    assert of("property_dwellings", flat("10"), flat(None)).passed is None
    assert of("property_other", owns("other")).passed is None
    assert answer(replace(three(), properties=(owns("other"),))).outcome == "undecided"


@pytest.mark.parametrize(("judged", "result"), [(True, True), (False, False), (None, None)])
def test_a_judgement_with_its_reason_settles_the_fact(
    judged: bool | None, result: bool | None
) -> None:
    fact = money(None, judged=judged, reason="存单已核实", source=JUDGED)
    assert of("property_deposits", fact).passed is result
    vehicle = owns("vehicle", judged=judged, reason="已报废", source=JUDGED)
    assert of("property_vehicle", vehicle).passed is (judged is True)


def test_a_judgement_without_reason_is_none() -> None:
    assert of("property_deposits", money(None, judged=True, source=JUDGED)).passed is None
    vehicle = owns("vehicle", judged=True, reason=" ", source=JUDGED)
    assert of("property_vehicle", vehicle).passed is False


def test_property_of_a_member_who_is_not_counted_is_not_the_familys() -> None:
    household = three()
    absent = replace(household.members[1], in_prison=True)
    apart = replace(household, members=(household.members[0], absent, household.members[2]))
    assert of("property_vehicle", owns("vehicle", member="b"), household=apart).passed is True
    assert of("property_vehicle", owns("vehicle"), household=apart).passed is False


@pytest.mark.parametrize("kind", ["house", "refit"])
@pytest.mark.parametrize(("day", "result"), [("2022-07-15", True), ("2022-07-16", False)])
def test_b1_4_a_house_built_bought_or_refitted_within_three_years(
    kind: str, day: str, result: bool
) -> None:
    assert of("consumption_house", lives(kind, on=date.fromisoformat(day))).passed is result


def test_b1_4_a_house_without_a_date_needs_review() -> None:
    assert of("consumption_house", lives("house")).passed is None


@pytest.mark.parametrize(("amount", "result"), [("11549.99", True), ("11550.00", False)])
def test_b1_4_luxuries_of_half_a_year_reach_five_times_persons_by_standard(
    amount: str, result: bool
) -> None:
    fact = lives("luxury", on=date(2025, 3, 1), amount=Decimal(amount))
    assert of("consumption_luxury", fact).passed is result


def test_b1_4_luxuries_of_before_the_half_year_do_not_count() -> None:
    fact = lives("luxury", on=date(2025, 1, 15), amount=Decimal(50000))
    assert of("consumption_luxury", fact).passed is True


@pytest.mark.parametrize("kind", ["employing", "vehicle_use"])
def test_b1_4_employing_others_and_using_a_vehicle(kind: str) -> None:
    assert of(f"consumption_{kind}").passed is True
    assert of(f"consumption_{kind}", lives(kind)).passed is False


@pytest.mark.parametrize("kind", ["study_abroad", "private_school"])
def test_57_17_costly_schooling_only_helps_to_judge(kind: str) -> None:
    assert of("consumption_study", lives(kind)).passed is None
    settled = lives(kind, judged=False, reason="学费由家庭承担", source=JUDGED)
    assert of("consumption_study", settled).passed is False
    paid_by_others = lives(kind, judged=True, reason="学校全额资助", source=JUDGED)
    assert of("consumption_study", paid_by_others).passed is True


@pytest.mark.parametrize(
    ("fact", "result"),
    [
        ({"share": Decimal("0.3")}, True),
        ({"share": Decimal("0.3001")}, None),
        ({"amount": Decimal(693)}, True),
        ({"amount": Decimal("693.01")}, None),
        ({}, None),
    ],
)
def test_57_17_daily_costs_over_the_share_need_review(
    fact: dict[str, Decimal], result: bool | None
) -> None:
    assert of("consumption_utilities", lives("utilities", **fact)).passed is result


def test_whether_a_consumption_only_helps_to_judge_is_a_parameter() -> None:
    law: Law = law_on(dibao__consumption__auxiliary=frozenset())
    assert of("consumption_study", lives("study_abroad"), law=law).passed is False
    over = lives("utilities", share=Decimal("0.5"))
    assert of("consumption_utilities", over, law=law).passed is False


def test_a_family_below_the_standard_that_fails_the_property_test_is_not_of_the_edge() -> None:
    found = answer(replace(three(), properties=(owns("vehicle"),)))
    assert (found.outcome, found.family) == ("not_entitled", "none")
    assert [one.code for one in found.failed] == ["property_vehicle"]


APART = {"dibao__edge__property_as_dibao": False}
WITHIN = EdgeFinding(met=True, source=FactSource.JUDGEMENT, reason="见入户调查")


def test_relief_md_14_without_limits_of_the_edge_a_person_judges_its_property() -> None:
    """And says so in a finding of the office with its reason; what the family says is none."""
    owning = replace(three(), properties=(owns("vehicle"),))
    for finding in (None, replace(WITHIN, source=FactSource.DECLARED), replace(WITHIN, reason="")):
        asked = replace(owning, edge_finding=finding)
        open_ = answer(asked, law=law_on(**APART))
        assert (open_.outcome, open_.family) == ("undecided", "undecided")
        (condition,) = [one for one in open_.unsettled if one.code == "edge_property"]
        assert "经办人" in condition.remedy
        assert "edge_property" in condition.remedy
    for met, family in ((True, "edge"), (False, "none")):
        found = answer(replace(owning, edge_finding=replace(WITHIN, met=met)), law=law_on(**APART))
        assert found.family == family
        assert passed(found)["edge_property"] is met
    assert answer(replace(owning, edge_finding=WITHIN)).family == "none"  # by 低保's own limits


def test_relief_md_14_who_keeps_the_limits_of_dibao_keeps_those_of_the_edge() -> None:
    richer = three(income("a", "pension", 2400))
    assert answer(richer, law=law_on(**APART)).family == "edge"
    entitled = answer(three(), law=law_on(**APART))
    assert entitled.outcome == "entitled"
    assert "edge_property" not in passed(entitled)


@pytest.mark.parametrize(
    ("amount", "car", "family"),
    [("46200.00", True, "edge"), ("46200.01", False, "none"), ("0", True, "edge")],
)
def test_57_8_the_edge_is_held_against_limits_of_its_own_where_a_county_has_set_them(
    amount: str,
    car: bool,
    family: str,
) -> None:
    law = law_on(
        **APART,
        dibao__edge__property__deposit_multiple=Decimal(20),
        dibao__edge__property__dwellings=2,
        dibao__edge__property__dwelling_area_multiple=Decimal(3),
        dibao__edge__property__kinds=frozenset({"ship", "company"}),
    )
    owned = (money(amount), *([owns("vehicle")] if car else []))
    found = answer(replace(three(income("a", "pension", 2400)), properties=owned), law=law)
    assert found.family == family
    (condition,) = [one for one in found.conditions if one.code == "edge_property"]
    assert OF_THE_COUNTY in condition.article
    assert ("46200.00 元" in condition.threshold) or condition.passed


def test_b1_4_which_kinds_disqualify_is_a_parameter_of_the_day() -> None:
    without = law_on(dibao__property__kinds=frozenset({"ship"}))
    car = replace(three(), properties=(owns("vehicle"),))
    assert answer(car).family == "none"
    assert answer(car, law=without).family == "dibao"
    assert "property_vehicle" not in passed(answer(car, law=without))
    assert "认定办法" in of("property_vehicle").article
    using = replace(three(), consumptions=(lives("vehicle_use"), lives("house", on=DAY)))
    spending = law_on(dibao__consumption__kinds=frozenset({"utilities"}))
    assert answer(using).family == "none"
    found = passed(answer(using, law=spending))
    assert answer(using, law=spending).family == "dibao"
    assert {code for code in found if code.startswith("consumption")} == {"consumption_utilities"}
    refits = law_on(dibao__consumption__kinds=frozenset({"refit"}))
    assert passed(answer(using, law=refits))["consumption_house"] is True


def test_57_14_what_may_be_exempt_is_a_parameter_of_the_day() -> None:
    needed = owns("vehicle", judged=True, source=FactSource.JUDGEMENT, reason="送货谋生")
    assert of("property_vehicle", needed).passed
    assert "民发〔2021〕57号第十四条" in of("property_vehicle").threshold
    law = law_on(dibao__property__exemptible=frozenset({"disability_vehicle"}))
    essential = owns("vehicle", essential=True, source=FactSource.SURVEYED)
    for one in (needed, essential):
        assert of("property_vehicle", one, law=law).passed is False
    assert of("property_vehicle", owns("vehicle", disability_vehicle=True), law=law).passed


@pytest.mark.parametrize(
    ("source", "codes"),
    [
        ("bank", {"property_deposits"}),
        ("real_estate", {"property_dwellings", "property_premises"}),
        ("vehicles", {"property_vehicle", "property_ship"}),
        ("tax", {"income_below_standard", "income_below_edge"}),
    ],
)
def test_57_17_missing_is_not_zero_and_the_result_says_which(source: str, codes: set[str]) -> None:
    found = answer(three(missing_sources=(("b", source),)))
    assert found.outcome == "undecided"
    open_ = {code for code, result in passed(found).items() if result is None}
    assert open_ == codes | {"sources_complete"}
    assert all("配偶的" in one.fact for one in found.unsettled)


def test_57_17_a_source_that_is_not_known_here_could_change_anything() -> None:
    found = answer(three(missing_sources=(("b", "city_data"),)))
    assert passed(found)["property_vehicle"] is None
    assert passed(found)["income_below_standard"] is None


def test_57_17_what_is_missing_about_a_member_who_is_not_counted_does_not_matter() -> None:
    household = three(missing_sources=(("b", "bank"),))
    absent = replace(household.members[1], in_prison=True)
    members = (household.members[0], absent, household.members[2])
    assert answer(replace(household, members=members)).outcome == "entitled"


def test_what_fails_on_known_facts_fails_though_a_source_is_missing() -> None:
    found = answer(replace(three(missing_sources=(("b", "tax"),)), properties=(owns("vehicle"),)))
    assert found.outcome == "not_entitled"


def test_a_limit_is_cited_with_the_source_of_its_figure() -> None:
    """No article of the ministry's measures says twelve: who is refused reads whence it comes."""
    for code, fact in (
        ("property_deposits", money("99999")),
        ("property_dwellings", flat("50")),
        ("consumption_house", lives("house", on=date(2025, 1, 1))),
        ("consumption_utilities", lives("utilities", share=Decimal("0.2"))),
    ):
        assert "低保条件认定办法" in of(code, fact).article
    assert "57号第十四条" in of("property_deposits").article


def test_ordinance_13_2_a_house_is_no_vehicle_of_a_disabled_person() -> None:
    assert of("property_vehicle", owns("vehicle", disability_vehicle=True)).passed is True
    assert of("property_premises", owns("premises", disability_vehicle=True)).passed is False
