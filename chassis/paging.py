"""Cursor paging: a page holds the key of its last item, not a number of rows to skip."""

import base64
import binascii
import json
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from chassis.problems import FieldError, Unprocessable

DEFAULT_LIMIT, MAX_LIMIT = 50, 200

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="每页条数")]
Cursor = Annotated[str | None, Query(max_length=500, description="上一页返回的 next_cursor")]


Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """一页内容。"""

    items: list[Item] = Field(description="本页的条目")
    next_cursor: str | None = Field(
        default=None, description="取下一页时作为 cursor 传回；没有下一页时为空"
    )


def encode_cursor(*key: str | int) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, kinds: tuple[type, ...]) -> list[str | int] | None:
    """The key after which the page begins, checked against the kinds of its parts."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        key = None
    if not isinstance(key, list) or [type(part) for part in key] != list(kinds):
        raise Unprocessable(
            "分页游标无效", errors=[FieldError("/query/cursor", "不是本接口返回的游标")]
        )
    return key
