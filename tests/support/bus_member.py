"""A member of a group in a process of its own: says what it holds, and why it ends."""

import asyncio
import json
import sys

from chassis.bus import BusError
from tests.support.bus_readers import from_the_start
from tests.support.buses import quick_bus


async def main(url: str, group: str, topic: str) -> None:
    said = None
    try:
        async with quick_bus(url).subscribe(group, [topic], assigned=from_the_start) as member:
            while True:
                await member.fetch(max_records=500, timeout=0.2)
                held = [(p.topic, p.partition) for p in sorted(member.assignment)]
                if held != said:
                    said = held
                    print(json.dumps({"held": held}), flush=True)  # noqa: T201 - read by the test
    except BusError as error:
        print(json.dumps({"error": str(error)}), flush=True)  # noqa: T201 - read by the test


asyncio.run(main(*sys.argv[1:]))
