"""Who asks: what a token says about its user and its application."""

from datetime import datetime
from typing import Literal

import msgspec
from litestar import Request
from litestar.datastructures import State

from peal.db.work import Actor


class Principal(msgspec.Struct, frozen=True):
    """The user a token acts as, and the application it was given to."""

    user_id: int
    login: str
    role: Literal["admin", "client", "extension"]
    access: Literal["full", "read_only"]
    blocked: bool
    client_id: int | None
    extension_id: int | None
    application_id: int
    call_api_only: bool
    rate_limit: int | None
    expires_at: datetime

    @property
    def is_admin(self) -> bool:
        """Whether all clients are this user's."""
        return self.role == "admin"


ApiRequest = Request[Principal, str, State]
"""A request that has passed the gate: `user` is its principal."""


def actor(request: ApiRequest) -> Actor:
    """Return who acts in `request`, for the audit rows."""
    state = request.scope["state"]
    return Actor(
        request.user.user_id, request.user.application_id, state["request_id"], str(state["address"])
    )
