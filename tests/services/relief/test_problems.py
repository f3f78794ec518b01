"""What is refused, as a caller tells it apart: by the type of the problem (RFC 9457)."""

from collections import defaultdict
from collections.abc import Iterator

from chassis.problems import Problem
from services.relief.app import SERVICE


def kinds(of: type[Problem] = Problem) -> Iterator[type[Problem]]:
    for kind in of.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_one_type_of_problem_has_one_title() -> None:
    titles = defaultdict(set)
    for kind in kinds():
        if kind.__module__.startswith(("casework.", f"services.{SERVICE.name}.")):
            titles[kind.slug].add(kind.title)
    assert "not-competent" in titles
    assert {slug: found for slug, found in titles.items() if len(found) > 1} == {}
