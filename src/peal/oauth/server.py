"""The OAuth 2 server: oauthlib's grants over an application that was fetched beforehand.

oauthlib is synchronous. What a grant needs is read first (`Issuer.application`), the library decides,
and what it wants stored is written afterwards; one transaction around all.
"""

import base64
import binascii
import hmac
import json
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus, urlencode

from oauthlib.common import Request, generate_token
from oauthlib.oauth2 import BackendApplicationServer, RequestValidator

from peal.kit.digests import digest

_ALPHABET = string.ascii_letters + string.digits
_GRANTS = {"trusted": {"client_credentials"}, "public": set(), "password_credentials": set()}
_NOBODY = {"secret_hash": "-" * 64}
_URL = "https://localhost/oauth"
"""oauthlib wants to see an URL; what it says does not matter here."""

_DESCRIPTIONS = {
    "invalid_client": "Unknown application or wrong secret",
    "invalid_scope": "There is one scope: all",
    "unauthorized_client": "Applications of this type may not use this grant",
    "unsupported_grant_type": "There is no such grant",
}
"""Where the library itself says nothing."""


@dataclass
class Answer:
    """What the library said: HTTP status, headers and JSON body, and the token to store or revoke."""

    status: int
    headers: dict[str, str]
    body: dict[str, Any]
    issued: str | None = None
    revoked: str | None = None


@dataclass
class Issuer(RequestValidator):  # type: ignore[misc]
    """oauthlib's view of one request: the application named in it, or None."""

    application: Mapping[str, Any] | None
    seconds: int
    issued: list[str] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)

    def token(self, parameters: Mapping[str, str]) -> Answer:
        """Answer `/oauth/token`."""
        answer = self._answer(self._server().create_token_response(_URL, "POST", urlencode(parameters), {}))
        answer.issued = self.issued[0] if self.issued else None
        return answer

    def revoke(self, parameters: Mapping[str, str]) -> Answer:
        """Answer `/oauth/revoke` (RFC 7009)."""
        answer = self._answer(
            self._server().create_revocation_response(_URL, "POST", urlencode(parameters), {})
        )
        answer.revoked = self.revoked[0] if self.revoked else None
        return answer

    def _server(self) -> BackendApplicationServer:
        return BackendApplicationServer(
            self, token_expires_in=self.seconds, token_generator=lambda _: generate_token(30, _ALPHABET)
        )

    def _answer(self, reply: tuple[dict[str, str], str, int]) -> Answer:
        headers, body, status = reply
        shown = json.loads(body or "{}")
        if "error" in shown:
            shown.setdefault(
                "error_description", _DESCRIPTIONS.get(shown["error"], "The request was refused")
            )
        return Answer(status, {**headers, "Cache-Control": "no-store"}, shown)

    def authenticate_client(self, request: Request, *_: Any, **__: Any) -> bool:
        """Compare the secret with the application's; where there is none, with one that nobody has."""
        known = self.application or _NOBODY
        same = hmac.compare_digest(digest(request.client_secret or ""), known["secret_hash"])
        if not same or self.application is None or not self.application["enabled"]:
            return False
        request.client = self
        self.client_id = self.application["public_id"]
        return True

    def validate_grant_type(self, _client_id: str, grant_type: str, *_: Any, **__: Any) -> bool:
        """Whether an application of this type may use the grant."""
        return self.application is not None and grant_type in _GRANTS[self.application["type"]]

    def get_default_scopes(self, *_: Any, **__: Any) -> list[str]:
        """There is one scope."""
        return ["all"]

    def validate_scopes(self, _client_id: str, scopes: list[str], *_: Any, **__: Any) -> bool:
        """There is one scope."""
        return scopes == ["all"]

    def save_bearer_token(self, token: dict[str, Any], *_: Any, **__: Any) -> None:
        """Remember what is to be stored."""
        self.issued.append(token["access_token"])

    def revoke_token(self, token: str, *_: Any, **__: Any) -> None:
        """Remember what is to be revoked."""
        self.revoked.append(token)

    def client_authentication_required(self, *_: Any, **__: Any) -> bool:
        """Every application has a secret."""
        return True


def credentials(authorization: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters with those of HTTP Basic (RFC 6749, 2.3.1), if that was used, among them."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return dict(parameters)
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return {**parameters, "client_id": "", "client_secret": ""}
    return {**parameters, "client_id": unquote_plus(user), "client_secret": unquote_plus(password)}
