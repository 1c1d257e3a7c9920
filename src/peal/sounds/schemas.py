"""Sounds as the API shows and takes them."""

from msgspec import UNSET, Struct, UnsetType

from peal.http.values import Line


class Sound(Struct):
    """A sound; its content is at `download/`."""

    id: int
    title: str
    filename: str
    client_id: int
    dealer_id: int | None


class SoundChange(Struct):
    """Fields of a sound that a PUT, or the form of a POST, may carry."""

    title: Line | UnsetType = UNSET
