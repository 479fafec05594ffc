"""Static files of the pages, served from this origin under URLs that contain a hash and can be cached forever."""

import asyncio
import base64
import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from amarevents.security.compression import accepts_gzip

BASE_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
"""Headers of every page and every static file."""

FAVICON = Path(__file__).with_name("favicon.svg")

_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_CACHE_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """A static file in memory, plain and compressed with gzip."""

    content: bytes
    compressed: bytes
    media_type: str
    url: str


@dataclass(frozen=True)
class Assets:
    """The static files of one page, by their names in its template, served under the path ``prefix``."""

    prefix: str
    files: Mapping[str, Path]

    @cached_property
    def loaded(self) -> dict[str, Asset]:
        """The files, read and compressed once per process. This blocks, so first use it outside the event loop."""
        return {name: _read(path, self.prefix) for name, path in self.files.items()}

    @cached_property
    def urls(self) -> dict[str, str]:
        """The URL path of each file, by name. Blocks like ``loaded``."""
        return {name: asset.url for name, asset in self.loaded.items()}

    async def serve(self, request: Request) -> Response:
        """Serve a file by its URL path, or answer 404 if this version has no such file."""
        served = {asset.url: asset for asset in (await asyncio.to_thread(lambda: self.loaded)).values()}
        found = served.get(request.url.path)
        if found is None:
            return Response("Not Found", 404, media_type="text/plain", headers=BASE_HEADERS)
        headers = {**BASE_HEADERS, "Cache-Control": _CACHE_FOREVER, "Vary": "Accept-Encoding"}
        if not accepts_gzip(request.headers.raw):
            return Response(found.content, media_type=found.media_type, headers=headers)
        headers["Content-Encoding"] = "gzip"
        return Response(found.compressed, media_type=found.media_type, headers=headers)

    def route(self) -> Route:
        """Return the route that serves the files."""
        return Route(f"{self.prefix}/{{digest}}/{{name}}", self.serve)


def _read(path: Path, prefix: str) -> Asset:
    content = path.read_bytes()
    digest = base64.b32encode(hashlib.sha256(content).digest()[:10]).decode().lower()
    return Asset(
        content=content,
        compressed=gzip.compress(content, mtime=0),
        media_type=_MEDIA_TYPES[path.suffix],
        url=f"{prefix}/{digest}/{path.name}",
    )
