"""The API browser and the document it is drawn from."""

from pathlib import Path

import msgspec
from litestar import MediaType, Request, Response, get
from litestar.datastructures import State
from litestar.params import FromPath

from peal.errors import NotFound
from peal.http.document import document as openapi

_FOLDER = Path(__file__).parent / "browser"
_TYPES = {
    "index.html": "text/html; charset=utf-8",
    "browser.css": "text/css; charset=utf-8",
    "browser.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'"


@get("/api/ver1.0/client_api_explorer", include_in_schema=False)
async def explorer() -> Response[bytes]:
    """The page."""
    return _file("index.html")


@get("/api/ver1.0/client_api_explorer/{name:str}", include_in_schema=False)
async def explorer_file(name: FromPath[str]) -> Response[bytes]:
    """Its style and its script."""
    if name not in _TYPES:
        raise NotFound("Not found")
    return _file(name)


@get("/api/ver1.0/openapi.json", include_in_schema=False, media_type=MediaType.JSON)
async def document(request: Request[None, None, State]) -> Response[bytes]:
    """OpenAPI 3.1."""
    return Response(msgspec.json.encode(openapi(request.app)))


def _file(name: str) -> Response[bytes]:
    headers = {
        "Content-Type": _TYPES[name],
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
    }
    return Response((_FOLDER / name).read_bytes(), headers=headers)


ROUTES = [explorer, explorer_file, document]
