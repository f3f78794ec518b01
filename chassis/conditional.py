"""`ETag` and `If-Match` on every change of an existing resource: 428 without, 412 when stale."""

from typing import Annotated

from fastapi import Header, Response

from chassis.problems import PreconditionFailed, PreconditionRequired

IfMatch = Annotated[
    str | None, Header(alias="If-Match", max_length=100, description="所依据的版本，取自 ETag")
]


def set_etag(response: Response, version: int) -> None:
    response.headers["ETag"] = f'"{version}"'


def require_version(if_match: str | None, version: int) -> None:
    """Refuse a change made on another version than the one that stands."""
    if if_match is None:
        raise PreconditionRequired("修改已有数据须带 If-Match，值取自最近一次读取的 ETag")
    if if_match.strip() != f'"{version}"':
        raise PreconditionFailed("请重新读取最新内容，核对后再提交")
