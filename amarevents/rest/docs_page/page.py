"""The page at ``/docs``."""

import asyncio
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from amarevents.web.page import HtmlPage
from amarevents.web.static_files import FAVICON, Assets

_HERE = Path(__file__).parent

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

# Scalar adds inline styles to the page, and embeds images in them.
_PAGE = HtmlPage(
    template=_HERE / "own" / "page.html",
    assets=ASSETS,
    policy={
        "script-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
    },
    headers={"Cache-Control": "no-cache"},
)


async def docs_page(_request: Request) -> Response:
    """Serve the API reference."""
    return await asyncio.to_thread(_PAGE.respond)


def docs_routes() -> list[BaseRoute]:
    """Return the routes of the page and its static files."""
    return [Route("/docs", docs_page), ASSETS.route()]
