"""The filters of the pages, which stand in the URL: a link shows another person the same."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Self
from urllib.parse import urlencode

from contracts.events.eldercare import FacilityKind, OperatorKind
from services.console.answers import State

LONGEST_NAME = 50
PLAN = ("as_of", "known_on", "division")
DAYS = ("as_of", "known_on")
FACILITIES = ("as_of", "division", "kind", "operator_kind", "state", "q")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a page is limited to, under the names of the API; an empty one is the default."""

    as_of: str = ""
    known_on: str = ""
    division: str = ""
    kind: str = ""
    operator_kind: str = ""
    state: str = ""
    q: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str], names: Sequence[str]) -> Self:
        """The filters of those names from a URL's query; what is no day, no choice is left out."""
        return cls(**{name: _CHECKS[name](given.get(name, "")) for name in names})

    def with_(self, **changes: str) -> "Filters":
        return replace(self, **changes)

    @property
    def params(self) -> dict[str, str]:
        """What is set, as query parameters."""
        return {one.name: value for one in fields(self) if (value := getattr(self, one.name))}

    def url(self, path: str, **more: str) -> str:
        query = urlencode({**self.params, **more})
        return f"{path}?{query}" if query else path


def day(text: str) -> str:
    """The day as `YYYY-MM-DD`, or nothing."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def _division(text: str) -> str:
    return text if re.fullmatch(r"[0-9]{12}", text) else ""


def _one_of(codes: type[FacilityKind | OperatorKind | State]) -> Callable[[str], str]:
    return lambda text: text if text in set(codes) else ""


_CHECKS: Mapping[str, Callable[[str], str]] = {
    "as_of": day,
    "known_on": day,
    "division": _division,
    "kind": _one_of(FacilityKind),
    "operator_kind": _one_of(OperatorKind),
    "state": _one_of(State),
    "q": lambda text: text.strip()[:LONGEST_NAME],
}
