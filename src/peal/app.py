"""The composition root: the only place that knows everyone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Router
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.routes import HTTPRoute

import peal
from peal import settings as settings_module
from peal.bundles.routes import ROUTES as BUNDLES
from peal.calls.callback_routes import ROUTES as CALLBACKS
from peal.calls.live_routes import ROUTES as LIVE_CALLS
from peal.calls.measures import measure as measure_calls
from peal.calls.routes import ROUTES as CALLS
from peal.clients.routes import ROUTES as CLIENTS
from peal.db.engine import Database
from peal.dialrules.routes import ROUTES as DIAL_RULES
from peal.events.measures import measure as measure_deliveries
from peal.events.routes import ROUTES as EVENTS
from peal.events.stream import ROUTES as STREAM
from peal.extensions.routes import ROUTES as EXTENSIONS
from peal.http import ending, explorer, operation
from peal.http.envelope import Envelope
from peal.http.errors import HANDLERS
from peal.http.form import Form
from peal.http.gate import Tokens, gate
from peal.http.guesses import GuessLimit
from peal.http.limits import HourlyLimit, OneAtATime
from peal.http.source import Source
from peal.kit.logs import configure_logs
from peal.kit.tasks import beside
from peal.networks.routes import ROUTES as NETWORKS
from peal.numbers.routes import ROUTES as NUMBERS
from peal.oauth.routes import ROUTES as OAUTH
from peal.phones.routes import ROUTES as PHONES
from peal.settings import Settings
from peal.sounds.routes import ROUTES as SOUNDS
from peal.statuses.routes import ROUTES as STATUSES
from peal.switch.control import Control
from peal.trunks.routes import ROUTES as TRUNKS
from peal.users.routes import ROUTES as USERS

API = [
    *USERS,
    *CLIENTS,
    *STATUSES,
    *EXTENSIONS,
    *PHONES,
    *BUNDLES,
    *CALLS,
    *LIVE_CALLS,
    *CALLBACKS,
    *DIAL_RULES,
    *NETWORKS,
    *SOUNDS,
    *NUMBERS,
    *TRUNKS,
    *EVENTS,
    *STREAM,
]


def create_app(settings: Settings | None = None) -> Any:
    """Return the ASGI application, for one worker."""
    settings = settings or settings_module.load()
    return Envelope(create_litestar(settings), Source(settings.trusted_networks))


def create_litestar(settings: Settings) -> Litestar:
    """Return the application inside its envelope."""
    configure_logs()
    api = Router("/api/ver1.0", route_handlers=API, before_request=gate, security=[{"oauth2": []}])
    _drop_options(api)
    app = Litestar(
        route_handlers=[api, *OAUTH, *operation.ROUTES, *explorer.ROUTES],
        exception_handlers=HANDLERS,
        dto=Form,
        return_dto=None,
        lifespan=[_lifespan],
        openapi_config=_document(),
        request_max_body_size=settings.max_body,
        logging_config=None,
    )
    app.state.settings = settings
    app.state.database = Database(settings.database, settings.database_connections)
    app.state.switch = Control(settings)
    app.state.tokens = Tokens(app.state.database, settings.token_cache_seconds)
    app.state.hourly_limit = HourlyLimit(app.state.database)
    app.state.statistics = OneAtATime("Stats request already exists, concurrent request not allowed")
    app.state.measures = [measure_calls, measure_deliveries]
    app.state.guess_limit = GuessLimit(settings.guess_limit)
    return app


def _drop_options(router: Router) -> None:
    """Forget its OPTIONS, which know the first method of a path only: the application makes new ones."""
    for route in router.routes:
        if isinstance(route, HTTPRoute):
            route.route_handlers = [one for one in route.route_handlers if one.http_methods != {"OPTIONS"}]


@asynccontextmanager
async def _lifespan(app: Litestar) -> AsyncIterator[None]:
    await app.state.database.open_direct()
    try:
        async with beside(app.state.hourly_limit.run(), ending.leave()):
            yield
    finally:
        await app.state.hourly_limit.merge()
        await app.state.database.close()


def _document() -> OpenAPIConfig:
    scheme = SecurityScheme(type="http", scheme="bearer", description="Access token of POST /oauth/token")
    return OpenAPIConfig(
        title="Peal",
        version=peal.__version__,
        description="Multi-device telephony: one employee, one number, every phone. API ver1.0.",
        path="/api/ver1.0/_openapi",
        render_plugins=[JsonRenderPlugin()],  # the framework serves pages with scripts of others otherwise
        components=Components(security_schemes={"oauth2": scheme}),
    )
