"""What an application costs the database: its statements are counted, for each is a round trip."""

from sqlalchemy import event
from sqlalchemy.engine import Engine

from chassis.wake import NOTIFY
from tests.services.relief.applications.window import Window, applicant, body, member

MOST = 18


async def test_to_open_and_submit_an_application_takes_few_statements_however_large_the_household(
    window: Window,
) -> None:
    """What was just written is not read again, and rows of one table go in one statement."""

    async def statements(*members: dict[str, object]) -> int:
        ran: list[str] = []

        def count(*arguments: object) -> None:
            if arguments[2] != str(NOTIFY):  # the relay's wake-up is beside them
                ran.append(str(arguments[2]))

        event.listen(Engine, "before_cursor_execute", count)
        try:
            answer = await window.open(body(*members))
        finally:
            event.remove(Engine, "before_cursor_execute", count)
        assert answer.status_code == 201, answer.text
        return len(ran)

    await statements(applicant(sequence=11))  # the register of units is read once
    few = await statements(applicant(sequence=12))
    children = [
        member(ref, "child", born, 20 + place)
        for place, (ref, born) in enumerate(
            {"b": "2009-01-01", "c": "2011-01-01", "d": "2013-01-01"}.items()
        )
    ]
    assert await statements(applicant(sequence=13), *children) == few <= MOST
