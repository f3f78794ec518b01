"""A database server on one of several hosts: python -m tests.support.host_database FOLDER ADDRESS.

Ours listens on loopback alone; what comes to the host's address is handed on to it.
"""

import asyncio
import contextlib
import signal
import sys
from pathlib import Path

from suite.ports import HOST
from suite.postgres import Postgres

PORT = 5432


async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    there, to_there = await asyncio.open_connection(HOST, port)
    with contextlib.suppress(ConnectionError):
        async with asyncio.TaskGroup() as both:
            both.create_task(pour(reader, to_there))
            both.create_task(pour(there, writer))


async def pour(source: asyncio.StreamReader, goal: asyncio.StreamWriter) -> None:
    try:
        while part := await source.read(65_536):
            goal.write(part)
            await goal.drain()
    finally:
        goal.close()


async def serve(folder: Path, address: str) -> None:
    server = Postgres(folder)
    server.start()
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    try:
        port = server.port
        async with await asyncio.start_server(lambda r, w: hand_on(r, w, port), address, PORT):
            (folder / "ready").touch()
            await stopping.wait()
    finally:
        server.stop()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2]))
