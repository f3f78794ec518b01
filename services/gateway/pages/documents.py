"""The documents that the door's own is made of."""

import json
from importlib.resources import files
from importlib.resources.abc import Traversable

from services.gateway.pages.openapi import Document
from services.gateway.parts import PARTS

CHECKED_IN = files("contracts") / "openapi"


def read(folder: Traversable = CHECKED_IN) -> dict[str, tuple[str, Document]]:
    """(title, document) of each part as `minzheng contracts` wrote it; absent ones are left out."""
    found: dict[str, tuple[str, Document]] = {}
    for part in PARTS:
        file = folder / f"{part.name}.json"
        if file.is_file():
            found[part.name] = (part.title, json.loads(file.read_text("utf-8")))
    return found
