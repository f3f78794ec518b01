"""What one process of the suite runs: `serve` answers HTTP, `work` relays, consumes, does jobs."""

import asyncio
import signal
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from chassis.app import create_app
from chassis.http_server import allow_files, configuration
from chassis.service import Service
from chassis.settings import Settings
from chassis.telemetry import configure_logging, metrics
from chassis.work import work
from suite import catalogue
from suite.crash import told_by_type
from suite.departments import server as departments

BACKLOG = 2_048


def app_of(name: str) -> FastAPI:
    """The HTTP application of a service, by the settings of this process's environment."""
    if name == "console":
        from services.console.app import create_console  # noqa: PLC0415 - heavy, used by one process

        return create_console()
    if name == "gateway":
        from services.gateway.app import create_gateway_app  # noqa: PLC0415 - as above

        return create_gateway_app()
    return create_app(catalogue.load(name), Settings())


def serve(name: str, bound: socket.socket) -> None:
    """Answer HTTP on a bound socket until SIGTERM; requests under way are finished."""
    configure_logging(service=name, process="serve")
    with told_by_type():
        _serve(name, bound)


def _serve(name: str, bound: socket.socket) -> None:
    settings = Settings()
    allow_files(settings.connections)
    if settings.metrics_port:
        metrics.show(settings.metrics_host, settings.metrics_port)
    config = configuration(app_of(name), settings)
    uvicorn.Server(config).run(sockets=[bound])


def do_work(service: Service) -> None:
    """Work until SIGTERM; a failure ends the process, whoever started it starts it again."""
    configure_logging(service=service.name, process="work")

    async def until_told() -> None:
        task = asyncio.ensure_future(work(service, Settings()))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        try:
            await task
        except asyncio.CancelledError:
            return

    with told_by_type():
        asyncio.run(until_told())


def listen(host: str, port: int) -> socket.socket:
    """A bound, listening socket; it outlives the process that answers on it.

    Raises:
        OSError: the port is taken.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    bound.listen(BACKLOG)
    bound.set_inheritable(True)
    return bound


def serving(name: str, bound: socket.socket) -> Callable[[], None]:
    if name == catalogue.DEPARTMENTS:
        return lambda: departments.serve(bound)
    return lambda: serve(name, bound)


def working(name: str) -> Callable[[], None]:
    return lambda: do_work(catalogue.load(name))
