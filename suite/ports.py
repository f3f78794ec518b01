"""Loopback ports that survive a restart, so that an address once printed stays true."""

import secrets
import socket
from pathlib import Path

HOST = "127.0.0.1"

# Below the range from which Linux and macOS take the ports of outgoing connections: one of those
# could sit on our port just when a server comes back.
_FIRST = 20_000
_COUNT = 12_000


def is_free(port: int) -> bool:
    with socket.socket() as candidate:
        # A server does the same: connections of the last run in TIME_WAIT don't occupy the port.
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port(*, other_than: int = 0) -> int:
    while (port := _FIRST + secrets.randbelow(_COUNT)) == other_than or not is_free(port):
        pass
    return port


def kept_port(file: Path, *, other_than: int = 0) -> int:
    """The port written in `file`; a new one is chosen and written where it is missing or taken."""
    if file.exists() and is_free(port := int(file.read_text())):
        return port
    port = free_port(other_than=other_than)
    file.write_text(f"{port}\n")
    return port
