"""`/client/{client_id}/sound/`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Response, delete, get, post, put
from litestar.exceptions import HTTPException
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIResponse, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from peal.catalogue.service import Kind
from peal.db.work import reading
from peal.errors import bad_field
from peal.http import realms, things
from peal.http.attachment import attachment
from peal.http.form import take
from peal.http.listing import flag, page_of, several, whole_number
from peal.http.multipart import ENVELOPE, Part, parts
from peal.http.principal import ApiRequest
from peal.http.shape import given, shape
from peal.sounds import model, repository
from peal.sounds.schemas import Sound, SoundChange
from peal.sounds.tables import sound

LIST = "/client/{client_id:str}/sound"
ONE = LIST + "/{sound_id:str}"
SOUNDS = Kind(sound, heavy=frozenset({"content"}))
TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg"}


@dataclass
class Upload(Operation):
    """The upload in the OpenAPI document."""

    def __post_init__(self) -> None:
        """Describe the form's parts."""
        file = Schema(
            type=OpenAPIType.STRING,
            content_media_type="application/octet-stream",
            description="WAV or MP3, at most 10 MB; the only file of a form may have any name",
        )
        title = Schema(
            type=OpenAPIType.STRING,
            max_length=255,
            description="Title; by default the file's name",
            examples=["Good morning"],
        )
        form = Schema(type=OpenAPIType.OBJECT, required=["file"], properties={"file": file, "title": title})
        self.request_body = RequestBody({"multipart/form-data": OpenAPIMediaType(form)}, required=True)


@dataclass
class Download(Operation):
    """The download in the OpenAPI document."""

    def __post_init__(self) -> None:
        """Describe the answer: bytes of either type."""
        answers = {name: OpenAPIMediaType(Schema()) for name in TYPES.values()}
        responses: dict[str, Any] = self.responses or {}
        self.responses = responses | {
            "200": OpenAPIResponse("The content, as an attachment", content=answers)
        }


@get(LIST, tags=["sound"], summary="Sounds of a client")
async def list_sounds(
    request: ApiRequest,
    client_id: FromPath[str],
    ids: Annotated[list[str] | None, QueryParameter(name="id")] = None,  # read by `several`, as `title`
    title: FromQuery[list[str] | None] = None,
    own_only: FromQuery[str] = "",
    page: FromQuery[str] = "",
    per_page: FromQuery[str] = "",
    order: FromQuery[str] = "",
) -> list[Sound]:
    """Filters: `id`, `title` (exactly), both repeatable; all sounds are the client's own (`own_only`)."""
    flag("own_only", own_only)
    filters: dict[str, list[Any]] = {
        "id": [whole_number("id", text) for text in several(request, "id")],
        "title": several(request, "title"),
    }
    wanted = {name: values for name, values in filters.items() if values}
    rows = await things.page(request, SOUNDS, client_id, page_of(page, per_page, order), wanted)
    return [show(row) for row in rows]


@post(
    LIST,
    tags=["sound"],
    summary="Upload a sound",
    request_max_body_size=model.MAX_BYTES + ENVELOPE,
    operation_class=Upload,
)
async def create_sound(request: ApiRequest, client_id: FromPath[str]) -> Sound:
    """WAV or MP3, told by its content; fields like `hold_music` name it by its id."""
    values = _values(await parts(request))
    return show(await things.create(request, SOUNDS, client_id, values))


@get(ONE, tags=["sound"], summary="One sound")
async def get_sound(request: ApiRequest, client_id: FromPath[str], sound_id: FromPath[str]) -> Sound:
    """All its fields."""
    return show(await things.one(request, SOUNDS, client_id, sound_id))


@get(ONE + "/download", tags=["sound"], summary="A sound's content", operation_class=Download)
async def download_sound(
    request: ApiRequest, client_id: FromPath[str], sound_id: FromPath[str]
) -> Response[bytes]:
    """Byte for byte as it was sent."""
    async with reading(request.app.state.database) as work:
        client = await realms.client_realm(work, request.user, client_id)
        row = await repository.content(work, client, realms.number(sound_id))
    return attachment(row.content, TYPES[row.format], row.filename)


@put(ONE, tags=["sound"], summary="Change a sound's title")
async def change_sound(
    request: ApiRequest, client_id: FromPath[str], sound_id: FromPath[str], data: JSONBody[SoundChange]
) -> Sound:
    """The content stays: another one is another sound."""
    return show(await things.change(request, SOUNDS, client_id, sound_id, given(data)))


@delete(ONE, tags=["sound"], summary="Delete a sound")
async def delete_sound(request: ApiRequest, client_id: FromPath[str], sound_id: FromPath[str]) -> None:
    """400 `still_used` while a phone or the client names it."""
    await things.delete(request, SOUNDS, client_id, sound_id)


def show(row: dict[str, Any]) -> Sound:
    """Return a row as the API shows it; sounds of a dealer do not exist."""
    return shape({**row, "dealer_id": None}, Sound)


def _values(form: Sequence[Part]) -> dict[str, Any]:
    file = _file(form)
    if len(file.content) > model.MAX_BYTES:
        blamed = [{"key": file.name, "message": "is larger than 10 MB"}]
        raise HTTPException(status_code=413, extra=blamed)
    content = bytes(file.content)
    sound_format = model.format_of(content)
    if sound_format is None:
        raise bad_field(file.name, "is neither WAV nor MP3")
    name = model.file_name(file.filename or "", sound_format)
    sent = take({part.name: part.text() for part in form if part.name == "title"}, SoundChange, clears=False)
    return {"title": name, **given(sent), "filename": name, "format": sound_format, "content": content}


def _file(form: Sequence[Part]) -> Part:
    """Return the part `file`, else the only file of the form."""
    files = [part for part in form if part.filename or (part.filename == "" and part.content)]
    named = [part for part in form if part.name == "file" and (part.filename or part.content)]
    found = named or files
    if not found:
        raise bad_field("file", "is required")
    if len(found) > 1:
        raise bad_field("file", "one file, not several")
    return found[0]


ROUTES = [list_sounds, create_sound, get_sound, download_sound, change_sound, delete_sound]
