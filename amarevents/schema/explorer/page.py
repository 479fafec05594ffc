"""The GraphiQL page, served to browsers at ``/graphql`` in place of the endpoint."""

import asyncio
import dataclasses
import datetime
from pathlib import Path

from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from amarevents.schema.explorer.operations import example_operations
from amarevents.settings import Settings
from amarevents.web.content_negotiation import prefers_html
from amarevents.web.page import HtmlPage, script_json
from amarevents.web.static_files import FAVICON, Assets

_HERE = Path(__file__).parent

ASSETS = Assets(
    "/graphql/assets",
    {
        "favicon": FAVICON,
        "library_styles": _HERE / "vendored" / "graphiql-react.css",
        "graphiql_styles": _HERE / "vendored" / "graphiql.css",
        "builder_styles": _HERE / "vendored" / "plugin-explorer.css",
        "styles": _HERE / "own" / "page.css",
        "setup": _HERE / "own" / "setup.js",
        "react": _HERE / "vendored" / "react.js",
        "react_dom": _HERE / "vendored" / "react-dom.js",
        "graphiql": _HERE / "vendored" / "graphiql.js",
        "builder": _HERE / "vendored" / "plugin-explorer.js",
        "identity": _HERE / "own" / "identity.js",
        "fetcher": _HERE / "own" / "fetcher.js",
        "ids": _HERE / "own" / "ids.js",
        "start": _HERE / "own" / "start.js",
    },
)

# Images are embedded in the styles of the libraries.
_PAGE = HtmlPage(
    template=_HERE / "own" / "page.html",
    assets=ASSETS,
    policy={
        "script-src": "'nonce-{nonce}'",
        "style-src": "'nonce-{nonce}'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
    },
    headers={"Cache-Control": "no-store", "Vary": "Accept"},
)
# A GET request with one of these parameters is a GraphQL request, even from a browser.
_REQUEST_PARAMETERS = {"query", "extensions"}


class _Explorer:
    """An ASGI application that serves the page to browsers, and passes all other requests to ``app``."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_page_request(scope):
            await self._app(scope, receive, send)
            return
        page = await asyncio.to_thread(_page, datetime.datetime.now(self._settings.time_zone))
        await page(scope, receive, send)


def _is_page_request(scope: Scope) -> bool:
    """Return whether a browser opens the address without a GraphQL request in the query string."""
    return prefers_html(scope) and _REQUEST_PARAMETERS.isdisjoint(QueryParams(scope["query_string"]))


def _page(now: datetime.datetime) -> Response:
    operations = [dataclasses.asdict(operation) for operation in example_operations(now)]
    return _PAGE.respond(operations=script_json(operations))


def with_explorer(endpoint: ASGIApp, settings: Settings) -> ASGIApp:
    """Return an application that serves the page to browsers, or the endpoint if the page is disabled."""
    return _Explorer(endpoint, settings) if settings.graphql_explorer else endpoint


def explorer_routes(settings: Settings) -> list[BaseRoute]:
    """Return the routes of the page's scripts, styles and images."""
    return [ASSETS.route()] if settings.graphql_explorer else []
