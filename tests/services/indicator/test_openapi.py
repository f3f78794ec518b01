"""The document of the plan's API: every word that a reader needs, in Chinese."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from chassis.app import create_app
from chassis.settings import Settings
from services.indicator.app import SERVICE

CHINESE = re.compile(r"[\u4e00-\u9fff]")
OF_THE_CHASSIS = re.compile(r"^(Problem|DeadLetter|Page_)")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(SERVICE, Settings()).openapi()


def titles(part: object, path: str = "") -> Iterator[str]:
    if isinstance(part, list):
        for number, one in enumerate(part):
            yield from titles(one, f"{path}/{number}")
    elif isinstance(part, dict):
        if isinstance(part.get("title"), str):
            yield path
        for name, one in part.items():
            yield from titles(one, f"{path}/{name}")


def test_no_title_is_made_of_an_english_name(document: dict[str, Any]) -> None:
    assert document["info"]["title"] == "规划指标"
    assert list(titles(document["paths"])) == list(titles(document["components"])) == []
    assert "title" in document["components"]["schemas"]["EditionPublish"]["properties"]


def test_every_parameter_says_in_chinese_what_it_is(document: dict[str, Any]) -> None:
    silent = [
        (path, parameter["name"])
        for path, operations in document["paths"].items()
        for operation in operations.values()
        for parameter in operation.get("parameters", [])
        if not CHINESE.search(parameter.get("description", ""))
    ]
    assert silent == []


def test_every_field_says_in_chinese_what_it_is(document: dict[str, Any]) -> None:
    silent = [
        (name, field)
        for name, schema in document["components"]["schemas"].items()
        if not OF_THE_CHASSIS.match(name)
        for field, told in schema.get("properties", {}).items()
        if not CHINESE.search(told.get("description", ""))
    ]
    assert silent == []
