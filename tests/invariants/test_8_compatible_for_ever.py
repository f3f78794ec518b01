"""Invariant 8: every event ever published still parses; kept examples stand for them."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from chassis.bus import Record
from chassis.consumption import read_event
from contracts.topics import BY_NAME, TOPICS, Topic
from suite.contracts import ROOT, schema_of
from tests.support.services import DISTRICT, Running

EXAMPLES = ROOT / "events" / "examples"
FILES = sorted(EXAMPLES.glob("*/*.json"))
VERSIONED = {f"{topic.name}.v{topic.version}": topic for topic in TOPICS}


def named(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def as_record(topic: str, body: bytes) -> Record:
    return Record(topic, 0, 0, "", body, (), 0)


@pytest.mark.parametrize("path", FILES, ids=named)
def test_a_kept_example_parses_as_a_consumer_reads_it(path: Path) -> None:
    topic = VERSIONED[path.parent.name]
    received = read_event(as_record(topic.name, path.read_bytes()))
    assert type(received.data) is topic.data
    kept = json.loads(path.read_bytes())
    assert str(received.envelope.id) == kept["id"]
    told = received.data.model_dump(mode="json")
    assert_told(kept["data"], told)


def assert_told(kept: Any, told: Any) -> None:
    """Nothing that the example says is lost on the way in."""
    if isinstance(kept, dict):
        for key, value in kept.items():
            assert_told(value, told[key])
    elif isinstance(kept, list):
        assert len(kept) == len(told)
        for one, other in zip(kept, told, strict=True):
            assert_told(one, other)
    else:
        assert told == kept


@pytest.mark.parametrize("path", FILES, ids=named)
def test_a_kept_example_is_valid_by_the_published_schema(path: Path) -> None:
    schema = schema_of(VERSIONED[path.parent.name])
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    assert [error.message for error in validator.iter_errors(json.loads(path.read_bytes()))] == []


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_version_has_an_example_of_each_verb_and_the_least_one(topic: Topic) -> None:
    folder = EXAMPLES / f"{topic.name}.v{topic.version}"
    kept = {path.stem for path in folder.glob("*.json")}
    assert kept >= {*topic.verbs, "least"}
    types = {json.loads(path.read_bytes())["type"] for path in folder.glob("*.json")}
    assert types == {topic.type_of(verb) for verb in topic.verbs}


def test_no_topic_that_was_ever_published_is_given_up() -> None:
    assert {path.parent.name for path in FILES} <= set(VERSIONED)


@pytest.mark.parametrize("path", FILES, ids=named)
def test_fields_of_later_versions_do_no_harm(path: Path) -> None:
    topic = VERSIONED[path.parent.name]
    event = json.loads(path.read_bytes())
    later = extended(event)
    read_event(as_record(topic.name, json.dumps(later).encode()))


def extended(value: Any) -> Any:
    if isinstance(value, dict):
        return {**{key: extended(one) for key, one in value.items()}, "added_later": [1]}
    if isinstance(value, list):
        return [extended(one) for one in value]
    return value


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_publishers_forbid_what_the_contract_does_not_know(topic: Topic) -> None:
    (path,) = (EXAMPLES / f"{topic.name}.v{topic.version}").glob("least.json")
    data = json.loads(path.read_bytes())["data"]
    topic.data.model_validate(data)
    with pytest.raises(ValueError, match="extra_forbidden"):
        topic.data.model_validate({**data, "added_later": 1})


async def test_what_relief_publishes_is_valid_by_its_schema(relief: Running) -> None:
    answer = await relief.http.post(
        "/v1/relief/standards",
        json={
            "code": "dibao",
            "area": "urban",
            "division": DISTRICT,
            "amount": "636",
            "valid_from": "2021-09-01",
            "document": "渝民〔2021〕143号",
        },
        headers=relief.headers("relief:standards"),
    )
    assert answer.status_code == 201
    (row,) = await relief.rows("SELECT topic, body FROM chassis.outbox")
    schema = schema_of(BY_NAME[row["topic"]])
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    assert [error.message for error in validator.iter_errors(json.loads(row["body"]))] == []
