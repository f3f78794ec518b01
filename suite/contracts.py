"""What the code promises, written down: JSON Schema per event, AsyncAPI, OpenAPI per service."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

import contracts
from chassis.app import create_app
from chassis.settings import Settings
from contracts.events.envelope import CONTENT_TYPE, CloudEvent
from contracts.topics import TOPICS, Topic
from suite import catalogue

ROOT = Path(contracts.__file__).parent


def schema_of(topic: Topic) -> dict[str, Any]:
    """The whole message of a topic: the envelope with the topic's data."""
    envelope = CloudEvent.model_json_schema()
    data = topic.data.model_json_schema(ref_template="#/$defs/{model}", mode="serialization")
    definitions = {**envelope.pop("$defs", {}), **data.pop("$defs", {})}
    definitions[topic.data.__name__] = data
    envelope["properties"]["data"] = {"$ref": f"#/$defs/{topic.data.__name__}"}
    envelope["properties"]["type"] = {"enum": [topic.type_of(verb) for verb in topic.verbs]}
    # Consumers ignore what later versions add.
    envelope.pop("additionalProperties", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{topic.name} v{topic.version}",
        **{key: value for key, value in envelope.items() if key != "title"},
        "$defs": definitions,
    }


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3.0: every topic, who publishes it and who subscribes."""
    channels = {}
    operations = {}
    for topic in TOPICS:
        name = topic.name.replace(".", "_")
        channels[name] = {
            "address": topic.name,
            "title": topic.title,
            "messages": {
                "event": {
                    "contentType": CONTENT_TYPE,
                    "payload": {"$ref": f"events/{topic.name}.v{topic.version}.json"},
                }
            },
            "bindings": {"kafka": {"partitions": topic.partitions, "bindingVersion": "0.5.0"}},
        }
        for publisher in topic.publishers:
            operations[f"{publisher}_sends_{name}"] = {
                "action": "send",
                "channel": {"$ref": f"#/channels/{name}"},
            }
        for subscriber in topic.subscribers:
            operations[f"{subscriber}_receives_{name}"] = {
                "action": "receive",
                "channel": {"$ref": f"#/channels/{name}"},
            }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "民政事件",
            "version": "1",
            "description": "各服务发布的事件；键为聚合编号，事件携带聚合的全部公开状态。",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": channels,
        "operations": operations,
    }


def files() -> Iterator[tuple[Path, str]]:
    """Every generated file with what it must hold."""
    for topic in TOPICS:
        yield (
            ROOT / "events" / f"{topic.name}.v{topic.version}.json",
            _json(schema_of(topic)),
        )
    yield ROOT / "asyncapi.yaml", yaml.safe_dump(asyncapi(), allow_unicode=True, sort_keys=False)
    for service in catalogue.load_all():
        yield (
            ROOT / "openapi" / f"{service.name}.json",
            _json(create_app(service, Settings()).openapi()),
        )


def differences() -> list[str]:
    """The generated files that are not what the code says now."""
    return [
        str(path.relative_to(ROOT.parent))
        for path, text in files()
        if not path.exists() or path.read_text("utf-8") != text
    ]


def write() -> list[str]:
    """Write what differs; which files that were."""
    changed = differences()
    for path, text in files():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    return changed


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"
