"""The usual way, to compare with: FastAPI and SQLAlchemy's ORM, an async session per request.

One route, GET bundle: a query for the token, a query for the bundle, tenancy checked in between.
"""

import hashlib
import os
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user_account"
    id: Mapped[int] = mapped_column(primary_key=True)
    role: Mapped[str]
    client_id: Mapped[int | None]


class Token(Base):
    __tablename__ = "access_token"
    token_hash: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    expires_at: Mapped[datetime]
    user: Mapped[User] = relationship(lazy="joined")


class Extension(Base):
    __tablename__ = "extension"
    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int]
    bundle_id: Mapped[int]
    position: Mapped[int]


url = os.environ["BASELINE_DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://")
engine = create_async_engine(url, pool_size=16, max_overflow=0)
sessions = async_sessionmaker(engine)
app = FastAPI()


async def session():
    async with sessions() as opened:
        yield opened


Database = Annotated[AsyncSession, Depends(session)]


async def current_user(authorization: Annotated[str, Header()], db: Database):
    digest = hashlib.sha256(authorization.removeprefix("Bearer ").encode()).hexdigest()
    token = (await db.execute(select(Token).where(Token.token_hash == digest))).scalar_one_or_none()
    if token is None or token.expires_at < datetime.now(UTC).replace(tzinfo=None):
        raise HTTPException(401)
    return token.user


@app.get("/api/ver1.0/empty")
async def empty():
    return {}


@app.get("/api/ver1.0/client/{client_id}/extensions_bundle/{extension_id}")
async def get_bundle(
    client_id: int,
    extension_id: int,
    user: Annotated[User, Depends(current_user)],
    db: Database,
):
    if user.role != "admin" and user.client_id != client_id:
        raise HTTPException(404)
    mine = select(Extension.bundle_id).where(Extension.id == extension_id, Extension.client_id == client_id)
    query = (
        select(Extension).where(Extension.bundle_id == mine.scalar_subquery()).order_by(Extension.position)
    )
    members = (await db.execute(query)).scalars().all()
    if not members:
        raise HTTPException(404)
    return {"bundle_list": [m.id for m in members[1:]], "bundle_id": members[0].id}
