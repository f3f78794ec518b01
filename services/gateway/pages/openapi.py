"""One OpenAPI for the outside, made of the documents that the services check in.

Pure: documents in, a document out. They are data, read once; no service is asked for its own.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Document = dict[str, Any]

METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
TOKEN_URL = "/oauth2/token"  # noqa: S105 - a path
SECURITY_SCHEMES = {
    "oauth2": {
        "type": "oauth2",
        "description": "客户端凭据（client_credentials）",
        "flows": {"clientCredentials": {"tokenUrl": TOKEN_URL, "scopes": {}}},
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "由 `POST /oauth2/token` 取得的访问令牌",
    },
}
SECURITY: list[dict[str, list[str]]] = [{"oauth2": []}, {"bearer": []}]
_SCHEMA = "#/components/schemas/"
TITLE = "民政业务平台接口"
_DEFAULT_TEXTS = {"Successful Response": "成功", "Validation Error": "填写内容有误"}


def merged(own: Document, parts: Mapping[str, tuple[str, Document]]) -> Document:
    """The door's document: `parts` is (title, document) by name; `own` is the gateway's.

    A schema that means the same everywhere stands once; a name used for different things gets the
    part's name before it. Operations are tagged by domain, then by the service's own tag.
    """
    documents = {"gateway": (own["info"]["title"], own), **parts}
    schemas: Document = {}
    paths: Document = {}
    tags: list[str] = []
    colliding = _colliding([document for _, document in documents.values()])
    for name, (title, document) in documents.items():
        rename = _renamer(name, colliding)
        for schema, body in _schemas(document).items():
            schemas[rename(schema)] = _with_refs(body, rename)
        for path, item in document.get("paths", {}).items():
            paths[path] = _tagged(_with_refs(item, rename), title, tags)
    return {
        "openapi": own["openapi"],
        "info": {**own["info"], "title": TITLE},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in tags],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": SECURITY_SCHEMES,
        },
        "security": SECURITY,
    }


def _schemas(document: Document) -> Document:
    found: Document = document.get("components", {}).get("schemas", {})
    return found


def _colliding(documents: Iterable[Document]) -> set[str]:
    """Names that mean different things, themselves or through what they refer to."""
    meanings: dict[str, set[str]] = {}
    for document in documents:
        for name in _schemas(document):
            meanings.setdefault(name, set()).add(_meaning(document, name))
    return {name for name, different in meanings.items() if len(different) > 1}


def _meaning(document: Document, name: str) -> str:
    """The schema with all that it refers to, as text."""
    schemas = _schemas(document)
    reached: Document = {}
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current not in reached and current in schemas:
            reached[current] = schemas[current]
            waiting += _refs(schemas[current])
    return json.dumps(reached, sort_keys=True)


def _refs(node: object) -> list[str]:
    found: list[str] = []

    def note(name: str) -> str:
        found.append(name)
        return name

    _with_refs(node, note)
    return found


def _renamer(part: str, colliding: set[str]) -> Callable[[str], str]:
    return lambda name: f"{part}_{name}" if name in colliding else name


def _with_refs(node: Any, rename: Callable[[str], str]) -> Any:  # noqa: ANN401 - JSON
    """A copy in which every reference to a schema has its new name."""
    if isinstance(node, list):
        return [_with_refs(one, rename) for one in node]
    if not isinstance(node, dict):
        return node
    copy = {key: _with_refs(value, rename) for key, value in node.items()}
    ref = copy.get("$ref")
    if isinstance(ref, str) and ref.startswith(_SCHEMA):
        copy["$ref"] = _SCHEMA + rename(ref.removeprefix(_SCHEMA))
    return copy


def _tagged(item: Document, title: str, tags: list[str]) -> Document:
    for method, operation in item.items():
        if method not in METHODS:
            continue
        own = operation.get("tags", [])
        operation["tags"] = [f"{title} · {tag}" for tag in own] or [title]
        tags += [tag for tag in operation["tags"] if tag not in tags]
        if operation.get("security") != []:
            operation["security"] = SECURITY
        for response in operation.get("responses", {}).values():
            said = response.get("description", "")
            response["description"] = _DEFAULT_TEXTS.get(said, said)
    return item


def as_3_0(node: Any) -> Any:  # noqa: ANN401 - JSON
    """The document for Swagger UI 4, which reads OpenAPI 3.0: what 3.1 says otherwise rewritten."""
    if isinstance(node, list):
        return [as_3_0(one) for one in node]
    if not isinstance(node, dict):
        return node
    copy = {key: as_3_0(value) for key, value in node.items()}
    if isinstance(copy.get("openapi"), str):
        copy["openapi"] = "3.0.3"
    _without_null(copy)
    if "const" in copy and not isinstance(copy["const"], dict):
        copy["enum"] = [copy.pop("const")]
    if isinstance(copy.get("examples"), list):
        copy["example"] = next(iter(copy.pop("examples")), None)
    for bound, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(copy.get(bound), int | float):
            copy[limit], copy[bound] = copy[bound], True
    if copy.get("contentMediaType") == "application/octet-stream":
        del copy["contentMediaType"]
        copy["format"] = "binary"
    return copy


def _without_null(schema: Document) -> None:
    either = schema.get("anyOf")
    if not isinstance(either, list) or {"type": "null"} not in either:
        return
    rest = [one for one in either if one != {"type": "null"}]
    del schema["anyOf"]
    schema["nullable"] = True
    if len(rest) > 1:
        schema["anyOf"] = rest
    elif "$ref" in rest[0]:
        schema["allOf"] = rest
    else:
        for key, value in rest[0].items():
            schema.setdefault(key, value)
