"""The process that answers as the other departments."""

import socket

import uvicorn

from chassis.telemetry import configure_logging
from suite.departments.app import create_departments


def departments_server() -> uvicorn.Server:
    """A server without an access log: a path names a request, and a line of it would be kept."""
    return uvicorn.Server(
        uvicorn.Config(
            create_departments(),
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
    )


def serve(bound: socket.socket) -> None:
    """Answer on a bound socket until SIGTERM."""
    configure_logging(service="departments", process="serve")
    departments_server().run(sockets=[bound])
