"""One OpenAPI for the outside, made of the services' documents."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.gateway.pages import documents
from services.gateway.pages.openapi import Document, as_3_0, merged
from tests.services.gateway.house import House


def document(path: str, schemas: dict[str, Any], *, tag: str = "救助标准") -> Document:
    name = next(iter(schemas))
    answer = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    operation = {
        "tags": [tag],
        "responses": {"200": {"description": "", "content": answer}},
        "security": [{"访问令牌": []}],
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "统一接入", "version": "1"},
        "paths": {path: {"get": operation}},
        "components": {"schemas": schemas, "securitySchemes": {"访问令牌": {}}},
    }


def schema_of(whole: Document, path: str) -> Document:
    operation = whole["paths"][path]["get"]
    ref: str = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    found: Document = whole["components"]["schemas"][ref.removeprefix("#/components/schemas/")]
    return found


def ref(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


OWN = document("/oauth2/token", {"Token": {"type": "object"}}, tag="访问令牌")


class TestMerging:
    def test_a_name_for_two_things_gets_the_part_before_it(self) -> None:
        one, other = {"type": "object", "title": "救助"}, {"type": "object", "title": "机构"}
        parts = {
            "relief": ("社会救助", document("/v1/relief/a", {"Item": one})),
            "eldercare": ("养老服务", document("/v1/eldercare/a", {"Item": other})),
        }
        whole = merged(OWN, parts)
        assert set(whole["components"]["schemas"]) == {"Token", "relief_Item", "eldercare_Item"}
        assert schema_of(whole, "/v1/relief/a") == one
        assert schema_of(whole, "/v1/eldercare/a") == other

    def test_the_same_everywhere_stands_once(self) -> None:
        problem = {"type": "object", "title": "问题"}
        parts = {
            "relief": ("社会救助", document("/v1/relief/a", {"ProblemBody": problem})),
            "eldercare": ("养老服务", document("/v1/eldercare/a", {"ProblemBody": problem})),
        }
        assert set(merged(OWN, parts)["components"]["schemas"]) == {"Token", "ProblemBody"}

    def test_equal_text_that_refers_to_different_things_collides_too(self) -> None:
        page = {"items": ref("Item")}
        parts = {
            name: (name, document(f"/v1/{name}/a", {"Page": page, "Item": {"title": name}}))
            for name in ("relief", "eldercare")
        }
        whole = merged(OWN, parts)
        assert schema_of(whole, "/v1/relief/a") == {"items": ref("relief_Item")}
        assert schema_of(whole, "/v1/eldercare/a") == {"items": ref("eldercare_Item")}

    def test_schemas_that_refer_to_themselves(self) -> None:
        parts = {"relief": ("社会救助", document("/v1/relief/a", {"Tree": {"items": ref("Tree")}}))}
        assert schema_of(merged(OWN, parts), "/v1/relief/a") == {"items": ref("Tree")}

    def test_tags_by_domain_and_the_doors_own_security(self) -> None:
        parts = {"relief": ("社会救助", document("/v1/relief/a", {"A": {}}))}
        whole = merged(OWN, parts)
        assert [tag["name"] for tag in whole["tags"]] == [
            "统一接入 · 访问令牌",
            "社会救助 · 救助标准",
        ]
        assert whole["paths"]["/v1/relief/a"]["get"]["security"] == [{"oauth2": []}, {"bearer": []}]
        assert set(whole["components"]["securitySchemes"]) == {"oauth2", "bearer"}
        assert whole["servers"] == [{"url": "/"}]

    def test_what_went_in_is_left_as_it_was(self) -> None:
        part = document("/v1/relief/a", {"Token": {"type": "string"}})
        before = json.dumps(part)
        merged(OWN, {"relief": ("社会救助", part)})
        assert json.dumps(part) == before


class TestCheckedIn:
    def test_absent_documents_leave_their_part_out(self, tmp_path: Path) -> None:
        assert documents.read(tmp_path) == {}
        written = document("/v1/relief/a", {"A": {}})
        (tmp_path / "relief.json").write_text(json.dumps(written), "utf-8")
        assert documents.read(tmp_path) == {"relief": ("社会救助", written)}


class TestServed:
    def test_every_reference_leads_somewhere(self, house: House) -> None:
        whole = house.http.get("/openapi.json").json()

        def refs(node: Any) -> list[str]:
            if isinstance(node, list):
                return [one for each in node for one in refs(each)]
            if not isinstance(node, dict):
                return []
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [one for each in node.values() for one in refs(each)]

        names = {one.removeprefix("#/components/schemas/") for one in refs(whole)}
        assert names
        assert names <= set(whole["components"]["schemas"])

    def test_no_text_of_the_framework_is_left_in_english(self, house: House) -> None:
        text = house.http.get("/openapi.json").text
        assert "Successful Response" not in text
        assert "Validation Error" not in text

    def test_the_doors_own_routes_in_chinese(self, house: House) -> None:
        paths = house.http.get("/openapi.json").json()["paths"]
        token = paths["/oauth2/token"]["post"]
        assert token["summary"] == "取得访问令牌"
        assert token["security"] == []
        assert paths["/v1/gateway/clients"]["get"]["security"]
        assert not [path for path in paths if path.startswith("/-/") or "rest" in path]


class TestForSwagger:
    @pytest.mark.parametrize(
        ("said", "read"),
        [
            ({"openapi": "3.1.0"}, {"openapi": "3.0.3"}),
            (
                {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "甲"},
                {"type": "string", "nullable": True, "title": "甲"},
            ),
            ({"anyOf": [ref("A"), {"type": "null"}]}, {"allOf": [ref("A")], "nullable": True}),
            (
                {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}]},
                {"anyOf": [{"type": "string"}, {"type": "number"}], "nullable": True},
            ),
            ({"anyOf": [{"type": "string"}, ref("A")]}, {"anyOf": [{"type": "string"}, ref("A")]}),
            ({"const": "Bearer"}, {"enum": ["Bearer"]}),
            ({"examples": ["a", "b"]}, {"example": "a"}),
            ({"examples": {"a": {"value": 1}}}, {"examples": {"a": {"value": 1}}}),
            ({"exclusiveMinimum": 0}, {"minimum": 0, "exclusiveMinimum": True}),
            (
                {"type": "string", "contentMediaType": "application/octet-stream"},
                {"type": "string", "format": "binary"},
            ),
        ],
    )
    def test_what_3_1_says_otherwise(self, said: Document, read: Document) -> None:
        assert as_3_0({"schema": said}) == {"schema": read}
