"""Problems (RFC 9457): stable types, Chinese words, never an echo of the input."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from chassis.http_client import UpstreamUnavailable
from chassis.telemetry import log

MEDIA_TYPE = "application/problem+json"
CLIENT_GONE = 499


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong value: `pointer` is a JSON pointer into the body, or `/query/<name>`."""

    pointer: str
    detail: str


class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """What a client is told. Subclasses set the status, the type and the title."""

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal"
    title: ClassVar[str] = "系统内部错误"

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


class BadRequest(Problem):
    status, slug, title = 400, "bad-request", "请求无法解析"


class Unauthorized(Problem):
    status, slug, title = 401, "unauthorized", "未提供有效的访问令牌"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(Problem):
    """A denial, which is audited: `of` says of what, where that is not what the path names."""

    status, slug, title = 403, "forbidden", "无权进行此操作"

    def __init__(self, detail: str = "", *, of: str = "") -> None:
        super().__init__(detail)
        self.of = of


class NotFound(Problem):
    status, slug, title = 404, "not-found", "未找到"


class Conflict(Problem):
    status, slug, title = 409, "conflict", "与现有数据冲突"


class PreconditionFailed(Problem):
    status, slug, title = 412, "stale", "数据已被他人修改"


class TooLarge(Problem):
    status, slug, title = 413, "too-large", "请求内容过大"


class Unprocessable(Problem):
    status, slug, title = 422, "invalid", "填写内容有误"


class PreconditionRequired(Problem):
    status, slug, title = 428, "precondition-required", "须注明所依据的版本"


class Unavailable(Problem):
    status, slug, title = 503, "unavailable", "服务暂时不可用"

    def __init__(self, detail: str = "", *, retry_after: int = 2) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class ProblemError(BaseModel):
    """出错的位置与原因。"""

    pointer: str = Field(description="指向请求体中某处的 JSON 指针，或 /query/参数名")
    detail: str = Field(description="原因")


class ProblemBody(BaseModel):
    """RFC 9457 问题说明。"""

    type: str = Field(description="问题的固定标识")
    title: str = Field(description="问题的名称")
    status: int = Field(description="HTTP 状态码")
    detail: str | None = Field(default=None, description="本次的说明")
    errors: list[ProblemError] | None = Field(default=None, description="逐项错误")


PROBLEM_TEXTS = {
    400: "请求无法解析",
    401: "未提供有效的访问令牌",
    403: "无权进行此操作",
    404: "未找到（包括无权查看的数据）",
    408: "请求内容未在时限内送达",
    409: "与现有数据冲突",
    412: "数据已被他人修改（If-Match 与当前版本不符）",
    413: "请求内容过大（不得超过 2 MiB）",
    422: "填写内容有误",
    428: "缺少 If-Match",
    429: "请求过于频繁，见 Retry-After",
    503: "服务暂时不可用，见 Retry-After",
}


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries of the problems that a route may answer."""
    return {
        status: {
            "description": PROBLEM_TEXTS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}},
        }
        for status in statuses
    }


def with_schema(document: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI document with the schema of the problems that its operations refer to."""
    schema = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas = {**schema.pop("$defs"), "ProblemBody": schema}
    components = document.get("components", {})
    whole = {**components, "schemas": {**schemas, **components.get("schemas", {})}}
    return {**document, "components": whole}


ANY, WITH_TOKEN, WITH_BODY = (503,), (429,), (400, 408, 413)
"""What every route may answer beside what it declares, and those that ask for a token or a body."""


def document_what_all_routes_answer(document: dict[str, Any]) -> None:
    """Add to each operation of an OpenAPI document the problems of the limits that hold for all."""
    for item in document["paths"].values():
        for operation in item.values():
            statuses = [
                *(WITH_BODY if "requestBody" in operation else ()),
                *(WITH_TOKEN if operation.get("security") else ()),
                *ANY,
            ]
            for status, described in responses(*statuses).items():
                operation["responses"].setdefault(str(status), described)


def problem_response(problem: Problem) -> Response:
    body: dict[str, Any] = {
        "type": f"urn:minzheng:problem:{problem.slug}",
        "title": problem.title,
        "status": problem.status,
    }
    if problem.detail:
        body["detail"] = problem.detail
    if problem.errors:
        body["errors"] = [{"pointer": e.pointer, "detail": e.detail} for e in problem.errors]
    return JSONResponse(
        body, status_code=problem.status, media_type=MEDIA_TYPE, headers=problem.headers
    )


VALIDATION_TEXTS = {
    "missing": "缺少必填项",
    "extra_forbidden": "不认识的字段",
    "json_invalid": "不是合法的 JSON",
    "string_too_short": "内容过短",
    "string_too_long": "内容过长",
    "string_pattern_mismatch": "格式不符",
    "enum": "不在允许的取值之内",
    "literal_error": "不在允许的取值之内",
    "greater_than": "数值过小",
    "greater_than_equal": "数值过小",
    "less_than": "数值过大",
    "less_than_equal": "数值过大",
    "too_long": "条目过多",
    "too_short": "条目过少",
    "decimal_max_digits": "数字位数过多",
    "decimal_max_places": "小数位数过多",
    "decimal_whole_digits": "整数位数过多",
    "date_from_datetime_parsing": "日期应为 YYYY-MM-DD",
    "date_parsing": "日期应为 YYYY-MM-DD",
    "date_type": "日期应为 YYYY-MM-DD",
    "uuid_parsing": "编号格式不符",
    "uuid_type": "编号格式不符",
}


_FIELD_NAME = re.compile(r"(?!.*\d{5})[A-Za-z_][A-Za-z0-9_-]{0,39}")


def _pointer(location: Sequence[str | int]) -> str:
    """Where the value stands. A key of the client's making is told only if it looks like a name."""
    parts = [
        str(part) if isinstance(part, int) or _FIELD_NAME.fullmatch(part) else "…"
        for part in location
    ]
    if parts and parts[0] == "body":
        parts = parts[1:]
    return "/" + "/".join(parts) if parts else ""


def _text(error: Mapping[str, Any]) -> str:
    context_error = error.get("ctx", {}).get("error")
    if error["type"] == "value_error" and context_error is not None:
        return str(context_error)
    kind = str(error["type"])
    if kind.endswith(("_type", "_parsing")) and kind not in VALIDATION_TEXTS:
        return "数据类型不符"
    return VALIDATION_TEXTS.get(kind, "取值不符合要求")


def from_validation(error: RequestValidationError) -> Problem:
    """422 with a pointer for each wrong value; 400 where the body is no JSON at all."""
    details = error.errors()
    if any(detail["type"] == "json_invalid" for detail in details):
        return BadRequest("请求体不是合法的 JSON")
    errors = [FieldError(_pointer(detail["loc"]), _text(detail)) for detail in details[:50]]
    return Unprocessable("请按提示更正后重新提交", errors=errors)


def from_database(error: DBAPIError) -> Problem:
    """What the database refused: bad data is the client's, a lost connection is ours to retry."""
    state = str(getattr(error.orig, "sqlstate", "") or "")
    if isinstance(error, IntegrityError):
        return Conflict("提交的内容与已有数据重复或不相容")
    if state.startswith("22"):
        return Unprocessable("填写内容含有无法保存的字符或超出范围的数值")
    ours = state.startswith(("08", "28", "40", "53", "55", "57", "58", "XX")) or not state
    if ours or error.connection_invalidated:
        return Unavailable("数据库暂时不可用，请稍后重试")
    return Problem("请联系管理员")


HTTP_PROBLEMS: dict[int, type[Problem]] = {
    cls.status: cls for cls in (BadRequest, Forbidden, NotFound, TooLarge, Unprocessable)
}


def from_http(error: HTTPException) -> Problem:
    known = HTTP_PROBLEMS.get(error.status_code)
    if known is not None:
        return known()
    problem = Problem(headers=dict(error.headers or {}))
    problem.status = error.status_code  # type: ignore[misc]  # statuses of the framework (405 …)
    problem.slug = f"http-{error.status_code}"  # type: ignore[misc]  # as above
    problem.title = {405: "不支持此方法", 415: "不支持的内容类型"}.get(  # type: ignore[misc]  # as above
        error.status_code, HTTPStatus(error.status_code).phrase
    )
    return problem


def problem_of(error: Exception) -> Problem:
    """The problem that an error is told as; what nobody foresaw is an internal one."""
    match error:
        case Problem():
            problem = error
        case RequestValidationError():
            problem = from_validation(error)
        case InterfaceError() | PoolTimeoutError() | UpstreamUnavailable() | OSError():
            problem = Unavailable("依赖的服务暂时不可用，请稍后重试")
        case DBAPIError():
            problem = from_database(error)
        case HTTPException():
            problem = from_http(error)
        case _:
            problem = Problem("请联系管理员")
    return problem


def install(app: FastAPI) -> None:
    """Answer every error of the app as a problem."""

    async def gone(_: Request, __: Exception) -> Response:
        """Nobody reads this answer; it only ends the request without an alarm."""
        return Response(status_code=CLIENT_GONE)

    app.add_exception_handler(ClientDisconnect, gone)

    async def known(_: Request, error: Exception) -> Response:
        problem = problem_of(error)
        if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log().error("request_failed", exc_info=error)
        return problem_response(problem)

    for kind in (
        Problem,
        RequestValidationError,
        PoolTimeoutError,
        DBAPIError,
        UpstreamUnavailable,
        HTTPException,
        OSError,
        Exception,
    ):
        app.add_exception_handler(kind, known)
