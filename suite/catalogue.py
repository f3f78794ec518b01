"""The services of the suite, by name; each is loaded when it is needed."""

from importlib import import_module

from chassis.service import Service

NAMES = ("relief", "eldercare", "indicator", "gateway")
"""Services with a database, in the order in which they are migrated."""

UPSTREAMS = ("relief", "eldercare", "indicator")
"""What the gateway routes to."""

DEPARTMENTS = "departments"
"""The small server that plays the other departments in a demonstration; no service of ours."""


def load(name: str) -> Service:
    """The service of that name.

    Raises:
        KeyError: there is none.
    """
    if name not in NAMES:
        raise KeyError(name)
    service: Service = import_module(f"services.{name}.app").SERVICE
    return service


def load_all() -> list[Service]:
    return [load(name) for name in NAMES]
