"""Applications, and what becomes of their tokens."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import delete, insert, select

from peal.db.work import Work
from peal.errors import bad_field
from peal.kit import dates
from peal.kit.digests import digest
from peal.oauth.tables import application, token
from peal.users.tables import user


@dataclass(frozen=True)
class NewApplication:
    """An application as it is registered."""

    login: str
    name: str
    type: Literal["trusted", "public", "password_credentials"] = "trusted"
    access: Literal["All", "Call API"] = "All"
    rate_limit: int | None = None
    redirect_urls: str = ""


async def register(work: Work, new: NewApplication) -> dict[str, str]:
    """Make an application of the user `new.login`; return its `client_id` and `client_secret`."""
    found = (await work.execute(select(user.c.id, user.c.client_id).where(user.c.login == new.login))).first()
    if found is None:
        raise bad_field("login", f"{new.login} does not exist")
    keys = {"client_id": secrets.token_hex(16), "client_secret": secrets.token_hex(16)}
    values = {
        "name": new.name,
        "type": new.type,
        "access": new.access,
        "rate_limit": new.rate_limit,
        "redirect_urls": new.redirect_urls,
    }
    row = values | {
        "user_id": found.id,
        "public_id": keys["client_id"],
        "secret_hash": digest(keys["client_secret"]),
    }
    made = await work.execute(insert(application).values(**row).returning(application.c.id))
    await work.audit("application:create", found.client_id, made.scalar_one(), None, values)
    return keys


async def by_public_id(work: Work, public_id: str, *, lock: bool = False) -> Mapping[str, Any] | None:
    """Return the application that calls itself `public_id`; `lock`: nobody changes it meanwhile."""
    if len(public_id) != 32 or not public_id.isalnum():
        return None
    query = select(application).where(application.c.public_id == public_id)
    query = query.with_for_update(read=True) if lock else query
    row = (await work.execute(query)).mappings().first()
    return None if row is None else dict(row)


async def store(work: Work, app: Mapping[str, Any], access_token: str, seconds: int) -> None:
    """Keep a token, as its hash; tokens of this application that have expired go."""
    now = dates.now()
    await work.execute(
        delete(token).where(
            token.c.application_id == app["id"], token.c.expires_at < now - timedelta(hours=1)
        )
    )
    row = {
        "token_hash": digest(access_token),
        "application_id": app["id"],
        "user_id": app["user_id"],
        "expires_at": now + timedelta(seconds=seconds),
    }
    await work.execute(insert(token).values(**row))


async def revoke(work: Work, app: Mapping[str, Any], access_token: str) -> None:
    """Forget a token, if it is one of this application."""
    await work.execute(
        delete(token).where(token.c.token_hash == digest(access_token), token.c.application_id == app["id"])
    )
