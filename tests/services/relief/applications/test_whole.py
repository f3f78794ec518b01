"""An application from the window to the award, and to a refusal: 民发〔2021〕57号 chapters 2–4."""

from decimal import Decimal

from tests.services.relief.applications.window import (
    DISTRICT,
    NAMES,
    Window,
    applicant,
    body,
    member,
)


async def test_from_the_window_to_the_award(window: Window) -> None:
    case = await window.granted(
        body(applicant(), member("b", "spouse", "1972-06-02", 4, severe_illness=True))
    )
    assert case.state == "granted"
    file = await window.file(case)
    assert file["decision"]["outcome"] == "grant"
    # 750 × 2 − (300 − 20 %) by the default employment cost, and the extra line of the ill spouse.
    assessed = file["decision"]["assessment"]
    assert Decimal(assessed["base"]) == 750 * 2 - 240
    assert assessed["payable_from"] == "2025-04-01"
    page = await window.page(case, "confirmation")
    assert "标准750.00元/人·月×2人－家庭月收入240.00元" in page
    await window.done(
        case,
        "deliver",
        {"how": "in_person", "on": window.today().isoformat(), "received_by": NAMES[0]},
    )
    await window.done(case, "close")
    assert case.view["outcome"] == "granted"
    assert await window.events(case) == [
        *("opened", "submitted", "accepted", "noted", "checked", "noted", "surveyed"),
        *("opined", "publicised", "forwarded", "decided", "delivered", "closed"),
    ]
    (award,) = await window.relief.rows("SELECT id, case_id FROM award")
    assert str(award["case_id"]) == case.id
    assert file["decision"]["award"] == str(award["id"])


async def test_a_refusal_names_each_condition_and_the_remedies(window: Window) -> None:
    case = await window.refused()
    page = await window.page(case, "refusal")
    assert "不予确认最低生活保障决定书" in page
    for wanted in ("2625.00", "六十日", "六个月", "渝北区人民政府", "社会救助暂行办法"):
        assert wanted in page
    (*_, paper) = await window.documents(case)
    (reason,) = [one for one in paper["snapshot"]["reasons"] if "income" in one["code"]][:1]
    assert {"fact", "threshold", "article", "remedy"} <= reason.keys()
    assert "750.00元/人·月（渝民发〔2024〕1号，自2024年9月1日起施行）" in page
    assert paper["due_delivery_on"] == "2025-03-14"
    assert (await window.relief.rows("SELECT 1 FROM award")) == []
    delivery = {"how": "mail", "on": "2025-03-11"}
    late = await window.step(case, "deliver", delivery, division=DISTRICT, who="bureau")
    assert late.status_code == 403, late.text
    past = await window.relief.http.post(
        f"/v1/relief/cases/{case.id}/documents/{paper['id']}/delivery",
        json={**delivery, "received_by": NAMES[0]},
        headers=window.headers("bureau", DISTRICT, etag=case.view["etag"]),
    )
    assert past.status_code == 403, past.text
    await window.done(case, "deliver", delivery)
    await window.done(case, "close")
    assert case.view["outcome"] == "refused"
