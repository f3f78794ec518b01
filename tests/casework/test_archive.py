"""What ended is put away with a catalogue of what was made (归档; domain.md C1)."""

import json

from casework.sealed import canonical
from chassis import sm3
from tests.casework.conftest import Permits


async def closed(permits: Permits) -> str:
    case = await permits.granted()
    await permits.steps(case, "deliver")
    return case


async def test_a_case_that_is_still_open_has_no_archive(permits: Permits) -> None:
    case = await permits.granted()
    assert (await permits.get(f"cases/{case}/archive")).status_code == 404


async def test_the_catalogue_numbers_what_was_made_and_posted(permits: Permits) -> None:
    case = await closed(permits)
    kept = (await permits.get(f"cases/{case}/archive")).json()
    assert (kept["case"], kept["archived_on"]) == (case, "2025-03-12")
    assert kept["retention"] == "long_term"
    (document,) = kept["catalogue"]["documents"]
    (row,) = await permits.running.rows("SELECT number, title, digest FROM case_document")
    assert document["position"] == 1
    assert {name: document[name] for name in ("number", "title", "digest")} == dict(row)
    (posted,) = kept["catalogue"]["publicities"]
    assert (posted["posted_on"], posted["closed_on"], posted["outcome"]) == (
        *("2025-03-03", "2025-03-12"),
        "unchallenged",
    )
    assert kept["catalogue"]["steps"] == 6
    (stored,) = await permits.running.rows("SELECT catalogue FROM case_archive")
    catalogue = json.loads(stored["catalogue"])
    assert sm3.digest(canonical(catalogue).encode()).hex() == kept["digest"]


async def test_putting_away_and_each_reading_are_audited(permits: Permits) -> None:
    case = await closed(permits)
    await permits.get(f"cases/{case}/archive")
    about = [action for action, subject in await permits.audited() if subject == case]
    assert about[-2:] == ["case.archived", "case.archive"]


async def test_a_catalogue_that_was_written_past_the_application_is_not_shown(
    permits: Permits,
) -> None:
    case = await closed(permits)
    await permits.running.rows(
        "UPDATE case_archive SET catalogue = jsonb_set(catalogue, '{steps}', '5')"
    )
    answer = await permits.get(f"cases/{case}/archive")
    assert answer.status_code == 500
    assert answer.json()["type"] == "urn:minzheng:problem:archive-changed"


async def test_another_towns_archive_is_not_found(permits: Permits) -> None:
    case = await closed(permits)
    answer = await permits.get(f"cases/{case}/archive", divisions=["500112004000"])
    assert answer.status_code == 404
