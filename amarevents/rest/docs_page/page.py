"""The page at ``/docs``; it is asked for anew each time, and what it loads is not."""

import asyncio
from functools import cache
from pathlib import Path
from string import Template

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from amarevents.web.static_files import BASE_HEADERS, FAVICON, Assets

_HERE = Path(__file__).parent
_TEMPLATE = _HERE / "own" / "page.html"

ASSETS = Assets(
    "/docs",
    {
        "favicon": FAVICON,
        "styles": _HERE / "own" / "page.css",
        "setup": _HERE / "own" / "setup.js",
        "scalar": _HERE / "vendored" / "scalar.js",
        "start": _HERE / "own" / "start.js",
    },
)

# The library writes styles into the page, and pictures into its styles. Calls go to this origin and to no other.
_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)


@cache
def _page() -> str:
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(ASSETS.addresses)


async def page(_request: Request) -> Response:
    """The page itself, which loads the rest."""
    html = await asyncio.to_thread(_page)
    headers = {**BASE_HEADERS, "Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
    return Response(html, media_type="text/html", headers=headers)


def docs_routes() -> list[BaseRoute]:
    return [Route("/docs", page), ASSETS.route()]
