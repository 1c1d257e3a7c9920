"""Sounds in the database."""

from typing import Any

from sqlalchemy import select

from peal.db.work import Work
from peal.errors import NotFound
from peal.sounds.tables import sound


async def content(work: Work, client_id: int, sound_id: int) -> Any:
    """Return the row of a sound's `content`, `format` and `filename`.

    Raises:
        NotFound: the client has none of this id.
    """
    query = select(sound.c.content, sound.c.format, sound.c.filename)
    row = (await work.execute(query.where(sound.c.id == sound_id, sound.c.client_id == client_id))).first()
    if row is None:
        raise NotFound()
    return row
