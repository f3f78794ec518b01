"""Requests as an OpenAPI document describes them: a body that fits, made of its schema."""

from dataclasses import dataclass
from typing import Any

WORDS = "有关情况说明"
BY_FORMAT = {
    "date": "2026-08-03",
    "date-time": "2026-08-03T10:00:00+08:00",
    "uuid": "00000000-0000-4000-8000-000000000000",
}

PATTERNS = {
    r"^[0-9]{12}$": "500112002001",
    r"^[\x21-\x7e]{1,200}$": "surveyor-1",
    r"^[0-9-]{5,20}$": "023-67212345",
    r"^[a-z_]{1,40}$": "application_form",
}
"""A text for each pattern that the services' documents ask for."""

BODIES = {
    "applications/{case_id}/survey": {
        "visited_on": "2026-08-10",
        "methods": ["household_visit"],
        "surveyors": ["somebody-01", "somebody-02"],
        "household_signature": "refused",
        "refusal": "不愿签字",
        "findings": "属实",
    },
    "applications/{case_id}/decide": {"outcome": "grant", "confirmed": True},
    "households/{household_id}/members": {
        "name": "诸葛近",
        "document_kind": None,
        "relation": "child",
        "born": "2020-02-02",
    },
    "households/{household_id}/supporters": {
        "name": "诸葛近",
        "document_kind": None,
        "relation": "child",
    },
    "award-changes/{change_id}/hearing": {
        "notified_on": "2026-10-12",
        "heard_on": "2026-10-13",
        "method": "absent",
        "statement": "已送达告知书",
    },
}
"""Relief's bodies that have rules between their fields, by the path after the service's name."""


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    described: dict[str, Any]

    @property
    def parameters(self) -> list[str]:
        """The names in its path."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]


@dataclass(frozen=True)
class Document:
    """An OpenAPI 3.1 document; `patterns` has a text for each pattern that it asks for."""

    content: dict[str, Any]
    patterns: dict[str, str]

    def operations(self) -> list[Operation]:
        return [
            Operation(method.upper(), path, described)
            for path, methods in self.content["paths"].items()
            for method, described in methods.items()
        ]

    def body(self, operation: Operation) -> Any:
        """A body with everything that is required; None where none is asked for."""
        body = operation.described.get("requestBody")
        if body is None:
            return None
        return self.example(body["content"]["application/json"]["schema"])

    def example(self, schema: dict[str, Any]) -> Any:
        """A value that fits."""
        if "$ref" in schema:
            return self.example(self.resolved(schema))
        for choice in ("allOf", "anyOf", "oneOf"):
            if choice in schema:
                return self.example(schema[choice][0])
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        return self._of_type(schema)

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The schema itself, where another one refers to it."""
        if "$ref" not in schema:
            return schema
        found: Any = self.content
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return self.resolved(found)

    def _of_type(self, schema: dict[str, Any]) -> Any:
        match schema.get("type"):
            case "object":
                wanted = schema.get("required", [])
                return {name: self.example(schema["properties"][name]) for name in wanted}
            case "array":
                return [self.example(schema["items"])] * schema.get("minItems", 0)
            case "boolean":
                return True
            case "integer":
                return int(schema.get("minimum", 1))
            case "number":
                return schema.get("minimum", 1)
            case "string":
                return self._text(schema)
        raise AssertionError(f"no example of {schema}")

    def _text(self, schema: dict[str, Any]) -> str:
        if schema.get("format") in BY_FORMAT:
            return BY_FORMAT[schema["format"]]
        pattern = schema.get("pattern")
        return self.patterns.get(pattern, WORDS)
