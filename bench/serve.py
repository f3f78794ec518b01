"""One process: a service of the house, its work, or a peer; HTTP on a socket that it was given."""

import socket
import sys

import uvicorn

from suite import catalogue
from suite.processes import do_work, serve


def main() -> None:
    kind, name, number = sys.argv[1:]
    if kind == "work":
        do_work(catalogue.load(name))
        return
    bound = socket.socket(fileno=int(number))
    if kind == "serve":
        serve(name, bound)
        return
    # As the house serves: the same loop, the same parser, no access log.
    config = uvicorn.Config(
        f"bench.peers.{name}:app",
        access_log=False,
        log_level="warning",
        loop="uvloop",
        http="httptools",
        server_header=False,
        timeout_keep_alive=30,
    )
    uvicorn.Server(config).run(sockets=[bound])


if __name__ == "__main__":
    main()
