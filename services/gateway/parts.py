"""The services behind the door: which path belongs to whom."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """A service by its name, its Chinese title, and the `/v1/<prefix>/` that it answers."""

    name: str
    title: str
    prefixes: tuple[str, ...]


PARTS = (
    Part("relief", "社会救助", ("relief",)),
    Part("eldercare", "养老服务", ("eldercare",)),
    Part("indicator", "规划指标", ("plan", "indicator")),
)
_BY_PREFIX = {prefix: part for part in PARTS for prefix in part.prefixes}


def by_prefix(prefix: str) -> Part | None:
    return _BY_PREFIX.get(prefix)
