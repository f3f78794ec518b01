"""Dated law: the value, or the version of a rule, in force on the day that is decided for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Generic, Protocol, TypeVar

Value = TypeVar("Value")


class NotInForceError(LookupError):
    """No version of the rule is in force on the day."""


class _Dated(Protocol):
    @property
    def valid_from(self) -> date: ...


Version = TypeVar("Version", bound=_Dated)


@dataclass(frozen=True, slots=True)
class Entry(Generic[Value]):
    """What `document` sets from `valid_from` on, as entered on `known_from`.

    A value of None takes back what was entered for that day, as if it had never been set.
    """

    valid_from: date
    value: Value | None
    document: str
    known_from: date


@dataclass(frozen=True, slots=True)
class Series(Generic[Value]):
    """The entries of one standard, in the order in which they were entered; never updated."""

    entries: tuple[Entry[Value], ...]

    def in_force(self, day: date, known_on: date | None = None) -> Entry[Value] | None:
        """The entry in force on `day`, as known at the end of `known_on` (default: now).

        Of several entries for one `valid_from` the one known last counts.
        """
        standing = [entry for entry in self.as_known(known_on) if entry.valid_from <= day]
        return standing[-1] if standing else None

    def as_known(self, known_on: date | None = None) -> tuple[Entry[Value], ...]:
        """What stands, corrections applied, in order of `valid_from`."""
        standing: dict[date, Entry[Value]] = {}
        # A stable sort: of two entries of one day the one entered later stands.
        for entry in sorted(self.entries, key=lambda entry: entry.known_from):
            if known_on is None or entry.known_from <= known_on:
                standing[entry.valid_from] = entry
        return tuple(standing[day] for day in sorted(standing) if standing[day].value is not None)


def version_on(versions: Iterable[Version], day: date) -> Version:
    """The version of a rule that is the law of the date: the last one valid from `day` or before.

    Raises:
        NotInForceError: the first version is later.
    """
    begun = [version for version in versions if version.valid_from <= day]
    if not begun:
        raise NotInForceError(f"{day}: 当日没有生效的规定")
    return max(begun, key=lambda version: version.valid_from)
