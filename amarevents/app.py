"""The application: one database, one set of services, two surfaces behind one middleware."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute

from amarevents import __version__
from amarevents.infra.pubsub import broker_for
from amarevents.mail.worker import mail_worker
from amarevents.models.db.connection import database_is_ready, open_database
from amarevents.rest.docs_page.page import docs_routes
from amarevents.rest.email_confirmation_page import confirmation_page
from amarevents.rest.envelopes import failure
from amarevents.rest.openapi.endpoint import openapi_json
from amarevents.rest.routes import ROUTES
from amarevents.rest.routing import router
from amarevents.schema.explorer.page import explorer_routes, with_explorer
from amarevents.schema.transport.http import GraphQLEndpoint
from amarevents.schema.transport.responses import render_error
from amarevents.schema.transport.websocket import GraphQLWebSocket
from amarevents.security.middleware import SecurityMiddleware, services_of
from amarevents.security.rate_limit import rate_limiter
from amarevents.security.services import Services, open_services
from amarevents.server.logging import configure_logging
from amarevents.server.maintenance import run_maintenance
from amarevents.server.shutdown import run_on_shutdown_signal
from amarevents.settings import Settings
from amarevents.web.content_negotiation import prefers_html
from amarevents.web.static_files import BASE_HEADERS, FAVICON


def create_app(settings: Settings) -> Starlette:
    """The ASGI application. Its lifespan opens the database, which must have been migrated, and closes it."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_database(settings), _services(settings) as services:
            app.state.services = services
            with run_on_shutdown_signal(services.connections.shut_down):
                yield

    graphql = SecurityMiddleware(GraphQLEndpoint(), render_error, charges_operations=True)
    app = Starlette(
        routes=[
            Route("/", index),
            Route("/favicon.ico", favicon),
            Route("/healthz", health),
            Route("/openapi.json", openapi_json),
            *docs_routes(),
            Mount("/api", SecurityMiddleware(router(ROUTES), lambda error, _scope: failure(error))),
            Route("/confirm-email", confirmation_page()),
            Route("/graphql", with_explorer(graphql, settings)),
            WebSocketRoute("/graphql", SecurityMiddleware(GraphQLWebSocket(), render_error, charges_operations=True)),
            *explorer_routes(settings),
        ],
        lifespan=lifespan,
    )
    # An address is right or wrong: a redirect would lose the body of what was sent to it.
    app.router.redirect_slashes = False
    return app


@contextlib.asynccontextmanager
async def _services(settings: Settings) -> AsyncIterator[Services]:
    """Yield the services, with the background tasks of the process running."""
    serving = open_services(settings, limiter=rate_limiter(settings), broker=broker_for(settings))
    async with serving as services, contextlib.AsyncExitStack() as tasks:
        tasks.push_async_callback(_end, asyncio.create_task(run_maintenance(services)))
        if (mails := mail_worker(settings)) is not None:
            tasks.push_async_callback(_end, asyncio.create_task(mails.run()))
        yield services


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def index(request: Request) -> Response:
    """Where everything is: for programs as JSON, for whoever opens the address in a browser the page to begin with."""
    has_explorer = services_of(request.scope).settings.graphql_explorer
    vary = {"Vary": "Accept"}
    if prefers_html(request.scope):
        return RedirectResponse("/graphql" if has_explorer else "/docs", headers={**vary, "Cache-Control": "no-store"})
    addresses = {"rest": "/api/events", "graphql": "/graphql", "openapi": "/openapi.json", "docs": "/docs"}
    if has_explorer:
        addresses["graphiql"] = "/graphql"
    return JSONResponse({"name": "Amar Events", "version": __version__, **addresses}, headers=vary)


async def favicon(_request: Request) -> Response:
    """For what is no page, such as JSON in a browser, which asks for it here."""
    return FileResponse(FAVICON, media_type="image/svg+xml", headers=BASE_HEADERS)


async def health(_request: Request) -> Response:
    """Whether this process can serve: 200, or 503 while the database is away."""
    ready = await database_is_ready()
    return JSONResponse({"status": "ok" if ready else "database unavailable"}, 200 if ready else 503)


def app_from_environment() -> Starlette:
    """The application as the server's processes make it."""
    settings = Settings.from_environment()
    configure_logging(settings)
    return create_app(settings)
