"""Rounds that alternate between the sides, and what they come to."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Side:
    """Ours or a peer: `play` runs one round and tells its figure (a rate, or milliseconds)."""

    name: str
    play: Callable[[int], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with the least and the most of its rounds."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> "Spread":
        return cls(median(figures), min(figures), max(figures))


@dataclass(frozen=True, slots=True)
class Bar:
    """What a ratio is held against; none where a figure is only stated."""

    least: float | None = None
    most: float | None = None

    def __str__(self) -> str:
        if self.least is not None:
            return f">= {self.least:g}"
        return "" if self.most is None else f"<= {self.most:g}"

    def met(self, figure: float) -> bool | None:
        if self.least is not None:
            return figure >= self.least
        return None if self.most is None else figure <= self.most


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; without a peer the bar is held against our own figure."""

    bench: str
    what: str
    unit: str
    ours: Spread
    beside: str = ""
    peer: Spread | None = None
    ratio: Spread | None = None
    bar: Bar = Bar()

    @property
    def met(self) -> bool | None:
        return self.bar.met((self.ratio or self.ours).median)


async def alternate(
    sides: Sequence[Side], rounds: int, *, warm_up: bool = True
) -> dict[str, list[float]]:
    """The figures of each side's rounds, in turn: every other time in the opposite order.

    Whatever else the machine does falls on all sides alike. The round numbered -1 warms up, and
    does not count.
    """
    found: dict[str, list[float]] = {side.name: [] for side in sides}
    if warm_up:
        for side in sides:
            await side.play(-1)
    for number in range(rounds):
        for side in sides if number % 2 == 0 else reversed(sides):
            found[side.name].append(await side.play(number))
    return found


def beside(
    bench: str,
    what: str,
    unit: str,
    found: dict[str, list[float]],
    ours: str,
    peer: str,
    bar: Bar,
) -> Row:
    """Ours over the peer's, by the ratios of rounds that stood beside one another."""
    ratios = [mine / theirs for mine, theirs in zip(found[ours], found[peer], strict=True)]
    return Row(
        bench,
        what,
        unit,
        Spread.of(found[ours]),
        peer,
        Spread.of(found[peer]),
        Spread.of(ratios),
        bar,
    )
