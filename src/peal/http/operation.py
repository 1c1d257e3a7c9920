"""Pages for those who run the service: is it alive, is it ready, what does it count."""

from contextlib import suppress

from litestar import MediaType, Request, Response, get
from litestar.datastructures import State
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from sqlalchemy import literal, select

from peal.db.failures import FAILURES
from peal.db.work import reading
from peal.errors import DatabaseUnavailable


@get("/healthz", include_in_schema=False)
async def healthz() -> dict[str, str]:
    """Answer as long as the process lives."""
    return {"status": "ok"}


@get("/readyz", include_in_schema=False)
async def readyz(request: Request[None, None, State]) -> dict[str, str]:
    """Answer 200 if the database answers."""
    try:
        async with reading(request.app.state.database) as work:
            await work.execute(select(literal(1)))
    except (*FAILURES, OSError) as error:
        raise DatabaseUnavailable() from error
    return {"status": "ready"}


@get("/metrics", include_in_schema=False, media_type=MediaType.TEXT)
async def metrics(request: Request[None, None, State]) -> Response[bytes]:
    """Prometheus' text format, of the worker that answers; and what the database knows, unless it is away."""
    known = CollectorRegistry()
    with suppress(*FAILURES):
        async with reading(request.app.state.database) as work:
            for measure in request.app.state.measures:
                await measure(work, known)
    return Response(generate_latest() + generate_latest(known), headers={"Content-Type": CONTENT_TYPE_LATEST})


ROUTES = [healthz, readyz, metrics]
