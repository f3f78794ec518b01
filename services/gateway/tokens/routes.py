import math

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from chassis.requests import CurrentRuntime
from chassis.telemetry import log
from services.gateway.state import CurrentGateway
from services.gateway.tokens import rules, service
from services.gateway.tokens.schemas import (
    TOKEN_FORM,
    JsonWebKeys,
    ServerMetadata,
    TokenAnswer,
    TokenErrorBody,
)
from services.gateway.tokens.secret_check import Busy

MAX_TOKEN_REQUEST = 16 * 1024
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}

router = APIRouter(tags=["访问令牌"])


@router.post(
    "/oauth2/token",
    summary="取得访问令牌",
    response_model=TokenAnswer,
    responses={
        400: {"model": TokenErrorBody, "description": "请求有误、权限超出授予范围或方式不支持"},
        401: {"model": TokenErrorBody, "description": "接入方标识或密钥有误"},
        429: {"model": TokenErrorBody, "description": "失败次数过多，见 Retry-After"},
        503: {"model": TokenErrorBody, "description": "暂时繁忙，见 Retry-After"},
    },
    openapi_extra=TOKEN_FORM,
)
async def token(request: Request, runtime: CurrentRuntime, gateway: CurrentGateway) -> Response:
    """以客户端凭据（client_credentials）取得令牌。标识与密钥用 HTTP Basic 或表单提交，不得并用。"""
    try:
        asked = rules.read(
            query=request.scope["query_string"],
            content_types=request.headers.getlist("content-type"),
            authorizations=request.headers.getlist("authorization"),
            body=await _body(request),
        )
        answer = await service.issue(gateway, runtime, asked)
    except rules.TokenRefused as refused:
        log().info("token_refused", reason=refused.error)
        return _error(refused)
    except service.TooManyFailures as error:
        return _error(_later("too many failures", "失败次数过多，请稍后再试", 429), error.wait)
    except Busy:
        return _error(_later("too many requests at once", "暂时繁忙，请稍后再试", 503), 2)
    return JSONResponse(answer.model_dump(), headers=NO_STORE)


@router.get("/.well-known/jwks.json", summary="验证令牌的公钥", openapi_extra={"security": []})
async def jwks(gateway: CurrentGateway, response: Response) -> JsonWebKeys:
    """各服务据此自行验证令牌。"""
    response.headers["Cache-Control"] = "public, max-age=300"
    return JsonWebKeys.model_validate(gateway.signing_key.public_jwks())


@router.get(
    "/.well-known/oauth-authorization-server",
    summary="授权服务器元数据",
    openapi_extra={"security": []},
)
async def metadata(request: Request, gateway: CurrentGateway) -> ServerMetadata:
    """供客户端自动发现令牌端点（RFC 8414）。"""
    door = gateway.settings.public_url or _own_address(request)
    return ServerMetadata(
        issuer=gateway.settings.issuer,
        token_endpoint=f"{door}/oauth2/token",
        jwks_uri=f"{door}/.well-known/jwks.json",
        service_documentation=f"{door}/docs",
    )


def _own_address(request: Request) -> str:
    """Where this process listens: what the caller names as its host goes into no answer."""
    host, port = request.scope["server"]
    return f"http://{host}:{port}"


async def _body(request: Request) -> bytes:
    """A token request is short; what goes on is not read."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_TOKEN_REQUEST:
            raise rules.invalid_request("the request is too long", "请求过长")
    return body


def _later(description: str, detail: str, status: int) -> rules.TokenRefused:
    return rules.TokenRefused("temporarily_unavailable", description, detail, status=status)


def _error(refused: rules.TokenRefused, retry_after: float | None = None) -> Response:
    headers = dict(NO_STORE)
    if refused.status == 401:  # noqa: PLR2004 - RFC 6749, 5.2
        headers["WWW-Authenticate"] = 'Basic realm="minzheng", charset="UTF-8"'
    if retry_after is not None:
        headers["Retry-After"] = str(math.ceil(retry_after))
    body = TokenErrorBody(
        error=refused.error, error_description=refused.description, detail=refused.detail
    )
    return JSONResponse(body.model_dump(), status_code=refused.status, headers=headers)
