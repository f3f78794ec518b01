"""Machines apart: network namespaces, joined by a switch of their own, that can be cut off.

Nothing of this machine's network is touched. A host's processes see the names of the compose file
in a hosts file of their own; each has an address, as a container has.
"""

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
Result = TypeVar("Result")
ROOT = Path(__file__).parents[2]
_NET = 0x40000000
"""CLONE_NEWNET of setns(2)."""
OPERATOR = "10.77.0.254"
IN_HOSTS = 'mount --bind "$0" /etc/hosts && exec "$@"'


class Switch:
    """What joins the hosts; `names` are those of the processes' addresses, by name."""

    def __init__(self, folder: Path) -> None:
        self.name = f"minzheng-{os.getpid()}"
        self.hosts_file = folder / "hosts"
        self.hosts_file.write_text("127.0.0.1 localhost\n")
        self._hosts: list[Host] = []
        self._addresses = 0
        _run("ip", "netns", "add", self.name)
        self.run("ip", "link", "add", "switch", "type", "bridge")
        self.run("ip", "address", "add", f"{OPERATOR}/24", "dev", "switch")
        self.run("ip", "link", "set", "switch", "up")
        self._inside = ThreadPoolExecutor(1, initializer=self._enter)

    def run(self, *command: str) -> None:
        _run("ip", "netns", "exec", self.name, *command)

    def host(self) -> "Host":
        made = Host(self, len(self._hosts) + 1)
        self._hosts.append(made)
        return made

    def new_address(self, name: str) -> str:
        """An address that answers to the name, beside others that already do."""
        self._addresses += 1
        address = f"10.77.0.{self._addresses}"
        with self.hosts_file.open("a") as file:
            file.write(f"{address} {name}\n")
        return address

    def ask(self, what: Callable[P, Result], *args: P.args, **kwargs: P.kwargs) -> Result:
        """Call it as a user who stands at the switch: no host's fate is theirs."""
        return self._inside.submit(what, *args, **kwargs).result()

    def close(self) -> None:
        self._inside.shutdown()
        for one in (*(host.name for host in self._hosts), self.name):
            _run("ip", "netns", "del", one)

    def _enter(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        with Path(f"/run/netns/{self.name}").open() as file:
            if libc.setns(file.fileno(), _NET):
                raise OSError(ctypes.get_errno(), "setns")


class Host:
    """One machine; it loses its power with `close` of the switch, its network with `cut`."""

    def __init__(self, switch: Switch, number: int) -> None:
        self.name = f"{switch.name}-{number}"
        self._switch = switch
        self._port = f"port-{number}"
        _run("ip", "netns", "add", self.name)
        switch.run(
            *("ip", "link", "add", self._port, "type", "veth"),
            *("peer", "name", "net", "netns", self.name),
        )
        switch.run("ip", "link", "set", self._port, "master", "switch")
        self.join()
        for link in ("lo", "net"):
            self.run("ip", "link", "set", link, "up")

    def run(self, *command: str) -> None:
        _run("ip", "netns", "exec", self.name, *command)

    def address(self, name: str) -> str:
        """A new address on this host, for a process that the others call by that name."""
        made = self._switch.new_address(name)
        self.run("ip", "address", "add", f"{made}/24", "dev", "net")
        return made

    def start(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> subprocess.Popen[bytes]:
        with log.open("ab") as file:
            return subprocess.Popen(
                [
                    *("ip", "netns", "exec", self.name),
                    *("sh", "-c", IN_HOSTS, str(self._switch.hosts_file), *command),
                ],
                cwd=ROOT,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **environment},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )

    def minzheng(
        self, arguments: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> subprocess.Popen[bytes]:
        return self.start([sys.executable, "-m", "suite", *arguments], environment, log)

    def cut(self) -> None:
        """From now on nothing comes or goes, and nobody is told."""
        self._switch.run("ip", "link", "set", self._port, "down")

    def join(self) -> None:
        self._switch.run("ip", "link", "set", self._port, "up")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
