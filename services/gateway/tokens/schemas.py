from typing import Any, Literal

from pydantic import BaseModel, Field

from services.gateway.tokens.rules import CLIENT_CREDENTIALS, FORM


class TokenAnswer(BaseModel):
    """访问令牌（RFC 6749 §5.1）。"""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the type's name
    expires_in: int = Field(description="有效秒数")
    scope: str = Field(description="实际授予的权限，以空格分隔")


class TokenErrorBody(BaseModel):
    """未发放令牌的原因（RFC 6749 §5.2）。"""

    error: str
    error_description: str = Field(description="ASCII 说明（RFC 6749 §5.2）")
    detail: str = Field(description="中文说明")


class JsonWebKeys(BaseModel):
    """验证令牌的公钥（RFC 7517）。"""

    keys: list[dict[str, Any]]


class ServerMetadata(BaseModel):
    """授权服务器元数据（RFC 8414）。"""

    issuer: str
    token_endpoint: str
    jwks_uri: str
    service_documentation: str
    grant_types_supported: list[str] = [CLIENT_CREDENTIALS]
    response_types_supported: list[str] = []
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic", "client_secret_post"]


TOKEN_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"type": "string", "enum": [CLIENT_CREDENTIALS]},
                        "scope": {
                            "type": "string",
                            "description": "申请的权限，以空格分隔；缺省为全部已授予的",
                        },
                        "client_id": {"type": "string", "description": "未用 HTTP Basic 时填写"},
                        "client_secret": {
                            "type": "string",
                            "format": "password",
                            "description": "未用 HTTP Basic 时填写",
                        },
                    },
                }
            }
        },
    },
    "security": [],
}
