"""The application: one database, one set of services, two surfaces behind one middleware."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from amarevents.models.storage import database_is_ready, open_database
from amarevents.rest.envelopes import failure
from amarevents.rest.routes import ROUTES
from amarevents.rest.routing import router
from amarevents.schema.http import GraphQLEndpoint, request_error
from amarevents.security.key_usage import KeyUsage
from amarevents.security.middleware import SecurityMiddleware
from amarevents.security.passwords import PasswordHasher
from amarevents.security.rate_limit import rate_limiter
from amarevents.security.services import Services
from amarevents.settings import Settings
from amarevents.upkeep import upkeep


def create_app(settings: Settings) -> Starlette:
    """The ASGI application. Its lifespan opens the database, which must have been migrated, and closes it."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_database(settings), _services(settings) as services:
            app.state.services = services
            yield

    app = Starlette(
        routes=[
            Route("/healthz", health),
            Mount("/api", SecurityMiddleware(router(ROUTES), failure)),
            Route("/graphql", SecurityMiddleware(GraphQLEndpoint(), request_error, counts_operations=True)),
        ],
        lifespan=lifespan,
    )
    # An address is right or wrong: a redirect would lose the body of what was sent to it.
    app.router.redirect_slashes = False
    return app


@contextlib.asynccontextmanager
async def _services(settings: Settings) -> AsyncIterator[Services]:
    """What the requests share; each part is closed at the end, whatever becomes of the others."""
    async with contextlib.AsyncExitStack() as closing:
        services = Services(
            settings=settings,
            limiter=rate_limiter(settings),
            hasher=PasswordHasher(settings),
            key_usage=KeyUsage(),
        )
        closing.push_async_callback(services.limiter.aclose)
        closing.callback(services.hasher.close)
        closing.push_async_callback(services.key_usage.flush)
        background = asyncio.create_task(upkeep(services))
        closing.push_async_callback(_end, background)
        yield services


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def health(_request: Request) -> Response:
    """Whether this process can serve: 200, or 503 while the database is away."""
    ready = await database_is_ready()
    return JSONResponse({"status": "ok" if ready else "database unavailable"}, 200 if ready else 503)


def app_from_environment() -> Starlette:
    """The application as the server's processes make it."""
    return create_app(Settings.from_environment())
