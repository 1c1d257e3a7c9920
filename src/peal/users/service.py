"""Users of the API."""

from dataclasses import dataclass
from typing import Literal

from argon2 import PasswordHasher
from sqlalchemy import insert, select

from peal.clients.tables import client
from peal.db.work import Work
from peal.errors import bad_field
from peal.extensions.tables import extension
from peal.users.tables import user

HASHER = PasswordHasher()
"""How passwords are kept: each takes a fifth of a second, for us and for who guesses."""


@dataclass(frozen=True)
class NewUser:
    """A user to make: an administrator, a client's, or (with `extension_id`) an extension's."""

    login: str
    password: str
    client_id: int | None = None
    extension_id: int | None = None
    name: str | None = None
    email: str | None = None
    access: Literal["full", "read_only"] = "full"

    @property
    def role(self) -> str:
        """The role that follows from what the user belongs to."""
        if self.extension_id is not None:
            return "extension"
        return "admin" if self.client_id is None else "client"


async def create(work: Work, new: NewUser, hasher: PasswordHasher = HASHER) -> int:
    """Make a user; return the id."""
    if len(new.password) < 8:
        raise bad_field("password", "must have 8 characters or more")
    await _check(work, new)
    values = {
        "login": new.login,
        "name": new.name or new.login,
        "email": new.email,
        "role": new.role,
        "client_id": new.client_id,
        "extension_id": new.extension_id,
        "access": new.access,
    }
    row = values | {"password_hash": hasher.hash(new.password)}
    made = await work.execute(insert(user).values(**row).returning(user.c.id))
    user_id = int(made.scalar_one())
    await work.audit("user:create", new.client_id, user_id, None, values)
    return user_id


async def _check(work: Work, new: NewUser) -> None:
    if (await work.execute(select(user.c.id).where(user.c.login == new.login))).first():
        raise bad_field("login", f"{new.login} is taken")
    found = (await work.execute(select(client.c.id).where(client.c.id == new.client_id))).first()
    if new.client_id is not None and found is None:
        raise bad_field("client", f"{new.client_id} does not exist")
    if new.extension_id is not None:
        query = select(extension.c.client_id).where(extension.c.id == new.extension_id)
        if (await work.execute(query)).scalar() != new.client_id or new.client_id is None:
            raise bad_field("extension", f"{new.extension_id} is not one of the client")
