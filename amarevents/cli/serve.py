"""The ``serve`` command: what must hold before the platform can be served, and how it is served."""

import asyncio
import os
import socket
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from amarevents import __version__
from amarevents.errors import OperatorError
from amarevents.server.logging import configure_logging
from amarevents.server.startup import share_freed_memory, without_collections
from amarevents.settings import Settings, variable_of

if TYPE_CHECKING:
    from starlette.applications import Starlette

_GRACE_SECONDS = 10


def serve(
    *,
    host: Annotated[
        str | None, Parameter(metavar="ADDRESS", help="Address to listen on (AMAREVENTS_HOST, 127.0.0.1).")
    ] = None,
    port: Annotated[str | None, Parameter(metavar="PORT", help="Port to listen on (AMAREVENTS_PORT, 8000).")] = None,
    workers: Annotated[
        str | None,
        Parameter(metavar="N", help="Server processes; more than one requires Redis (AMAREVENTS_WORKERS, 1)."),
    ] = None,
    demo: Annotated[
        bool,
        Parameter(
            help="Migrate the database, fill it with demo data if it is empty, and print demo credentials.",
            show_default=False,
        ),
    ] = False,
) -> None:
    """Raises OperatorError for several workers without Redis (decisions 3.6)."""
    settings = _with_options(host=host, port=port, workers=workers)
    configure_logging(settings)
    if settings.workers > 1 and settings.redis_url is None:
        raise OperatorError(
            f"{settings.workers} workers need Redis, or each of them would count the rate limits for itself: "
            "set AMAREVENTS_REDIS_URL=redis://…, or serve with --workers 1"
        )
    _require_free(settings.host, settings.port)
    share_freed_memory()
    with without_collections():
        asyncio.run(_prepare(settings, with_demo=demo))
        application = _application(settings)
    _run_server(application, settings)


def _with_options(**options: str | None) -> Settings:
    """Return the settings, with the options in place of their variables: the same rules apply to both."""
    given = {variable_of(name): text for name, text in options.items() if text is not None}
    return Settings.from_environment({**os.environ, **given})


def _require_free(host: str, port: int) -> None:
    """Raises OperatorError if the address cannot be listened on, before anything else is done."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise OperatorError(
            f"Cannot listen on {host}:{port} ({error.strerror}): choose another AMAREVENTS_HOST or AMAREVENTS_PORT"
        ) from error


async def _prepare(settings: Settings, *, with_demo: bool) -> None:
    """Check that the database can be served from; with the demo, prepare it and print how to log in."""
    from amarevents.models.db.connection import open_database

    if with_demo:
        await _prepare_demo(settings)
    else:
        async with open_database(settings):
            pass


async def _prepare_demo(settings: Settings) -> None:
    from amarevents import demo
    from amarevents.cli.database import add_demo_data, apply_migrations, print_credentials
    from amarevents.models.db.connection import open_database

    await apply_migrations(settings)
    async with open_database(settings):
        if await demo.is_empty():
            await add_demo_data(settings)
        try:
            credentials = await demo.issue_demo_credentials(settings)
        except demo.NotADemoDatabase:  # it has accounts of its own, or the demo's have been deleted
            credentials = None
    _print_addresses(settings)
    if credentials is not None:
        print_credentials(credentials)


def _print_addresses(settings: Settings) -> None:
    base = f"http://{settings.host}:{settings.port}"
    graphql = f"{base}/graphql (open this in a browser to try it)" if settings.graphql_explorer else f"{base}/graphql"
    addresses = f"  Docs     {base}/docs\n  REST     {base}/api/events\n  GraphQL  {graphql}\n"
    print(f"\nAmar Events {__version__}\n{addresses}", flush=True)


def _run_server(application: "Starlette | str", settings: Settings) -> None:
    import uvicorn

    from amarevents.server.websocket_protocol import websocket_options

    uvicorn.run(
        application,
        factory=settings.workers > 1,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        proxy_headers=False,  # the client's address is decided by AMAREVENTS_TRUSTED_PROXIES alone
        server_header=False,
        **websocket_options(settings.graphql_max_bytes),
        access_log=False,  # it would hold the tokens of confirmation links
        log_config=None,  # ours
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_worker_healthcheck=_GRACE_SECONDS,  # a rush may keep a process busy; it is no reason to kill it
    )


def _application(settings: Settings) -> "Starlette | str":
    """Return the application, or for several processes the name of the function by which each makes its own."""
    if settings.workers == 1:
        from amarevents.app import create_app

        return create_app(settings)
    for name in ("host", "port", "workers"):  # they read their settings from the environment
        os.environ[variable_of(name)] = str(getattr(settings, name))
    return "amarevents.cli.worker:create_application"
