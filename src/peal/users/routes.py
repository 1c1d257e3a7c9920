"""`/user/`: the token's user."""

import msgspec
from litestar import get
from sqlalchemy import select

from peal.db.work import reading
from peal.http.principal import ApiRequest
from peal.http.shape import shape
from peal.users.tables import user


class User(msgspec.Struct):
    """The user that a token acts as."""

    id: int
    login: str
    admin: bool
    access: str
    client_id: int | None
    extension_id: int | None
    extension_group_id: int | None
    dealer_id: int | None
    timezone: str
    extra_params: str | None


@get("/user", tags=["user"], summary="The token's user")
async def get_user(request: ApiRequest) -> User:
    """For a client's user the extension ids are null."""
    async with reading(request.app.state.database) as work:
        row = (await work.execute(select(user).where(user.c.id == request.user.user_id))).mappings().one()
    more = {"admin": request.user.is_admin, "extension_group_id": None, "dealer_id": None}
    return shape({**row, **more}, User)


ROUTES = [get_user]
