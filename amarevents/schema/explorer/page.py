"""The page that browsers get at ``/graphql``; everybody else gets the endpoint."""

import asyncio
import dataclasses
import datetime
import secrets
from functools import cache
from pathlib import Path
from string import Template

import orjson
from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from amarevents.schema.explorer.operations import ready_operations
from amarevents.settings import Settings
from amarevents.web.content_negotiation import prefers_html
from amarevents.web.static_files import BASE_HEADERS, FAVICON, Assets

_HERE = Path(__file__).parent
_TEMPLATE = _HERE / "own" / "page.html"

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

# Pictures are in the library's styles. Calls go to this origin and to no other.
_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'nonce-{nonce}'",
        "style-src 'nonce-{nonce}'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
_OF_A_REQUEST = {"query", "extensions"}


class _Explorer:
    """The page for browsers; ``app`` for everything else."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_for_reading(scope):
            await self._app(scope, receive, send)
            return
        page = await asyncio.to_thread(_page, datetime.datetime.now(self._settings.time_zone))
        await page(scope, receive, send)


def _is_for_reading(scope: Scope) -> bool:
    """Whether a person opens the address, and there is nothing to execute."""
    return prefers_html(scope) and _OF_A_REQUEST.isdisjoint(QueryParams(scope["query_string"]))


def _page(now: datetime.datetime) -> Response:
    nonce = secrets.token_urlsafe(16)
    operations = [dataclasses.asdict(one) for one in ready_operations(now)]
    html = _template().substitute(ASSETS.addresses, nonce=nonce, operations=_for_a_script(operations))
    headers = {
        **BASE_HEADERS,
        "Content-Security-Policy": _POLICY.format(nonce=nonce),
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-store",
        "Vary": "Accept",
    }
    return Response(html, media_type="text/html", headers=headers)


@cache
def _template() -> Template:
    return Template(_TEMPLATE.read_text(encoding="utf-8"))


def _for_a_script(value: object) -> str:
    """JSON as it may stand in a script element, which ``</script>`` in a text would end."""
    return orjson.dumps(value).decode().replace("<", "\\u003c")


def with_explorer(endpoint: ASGIApp, settings: Settings) -> ASGIApp:
    """The endpoint, with the page in front of it unless the settings switch it off."""
    return _Explorer(endpoint, settings) if settings.graphql_explorer else endpoint


def explorer_routes(settings: Settings) -> list[BaseRoute]:
    """Where what the page loads is."""
    return [ASSETS.route()] if settings.graphql_explorer else []
