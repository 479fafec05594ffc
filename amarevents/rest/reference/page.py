"""The page and what it loads, from this origin alone.

What it loads has its hash in its address and may be kept for ever; the page itself is asked for anew each time.
"""

import asyncio
import base64
import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

_HERE = Path(__file__).parent
_TEMPLATE = _HERE / "own" / "page.html"
_FILES = {
    "favicon": _HERE / "own" / "favicon.svg",
    "styles": _HERE / "own" / "page.css",
    "setup": _HERE / "own" / "setup.js",
    "scalar": _HERE / "vendored" / "scalar.js",
    "start": _HERE / "own" / "start.js",
}
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
# Named, and not only to be refused.
_GZIP = re.compile(r"\bgzip\b(?!;q=0(\.0*)?(,|$))")
_FOR_EVER = "public, max-age=31536000, immutable"

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
_ON_EVERYTHING = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that the page loads, as it is and compressed."""

    content: bytes
    compressed: bytes
    media_type: str
    address: str


@cache
def assets() -> dict[str, Asset]:
    """By the names that the page's template has for them; read and compressed once for each process."""
    return {name: _read(path) for name, path in _FILES.items()}


def _read(path: Path) -> Asset:
    content = path.read_bytes()
    digest = base64.b32encode(hashlib.sha256(content).digest()[:10]).decode().lower()
    return Asset(
        content=content,
        compressed=gzip.compress(content, mtime=0),
        media_type=_MEDIA_TYPES[path.suffix],
        address=f"/docs/{digest}/{path.name}",
    )


@cache
def _page() -> str:
    addresses = {name: loaded.address for name, loaded in assets().items()}
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(addresses)


async def page(_request: Request) -> Response:
    """The page itself, which loads the rest."""
    html = await asyncio.to_thread(_page)
    headers = {**_ON_EVERYTHING, "Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
    return Response(html, media_type="text/html", headers=headers)


async def asset(request: Request) -> Response:
    """What the page loads; 404 for an address that is not one of this version's."""
    served = {one.address: one for one in (await asyncio.to_thread(assets)).values()}
    found = served.get(request.url.path)
    if found is None:
        return Response("Not Found", 404, media_type="text/plain", headers=_ON_EVERYTHING)
    headers = {**_ON_EVERYTHING, "Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
    if _takes_gzip(request.headers):
        return Response(found.compressed, media_type=found.media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(found.content, media_type=found.media_type, headers=headers)


def _takes_gzip(headers: Headers) -> bool:
    return _GZIP.search(headers.get("accept-encoding", "").replace(" ", "").lower()) is not None


def reference_routes() -> list[BaseRoute]:
    return [Route("/docs", page), Route("/docs/{digest}/{name}", asset)]
