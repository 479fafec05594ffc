"""The files that a page loads, from this origin alone: each has its hash in its address and may be kept for ever."""

import asyncio
import base64
import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

BASE_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
"""Headers of pages and of what they load."""

FAVICON = Path(__file__).with_name("favicon.svg")

_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
# Named, and not only to be refused.
_GZIP = re.compile(r"\bgzip\b(?!;q=0(\.0*)?(,|$))")
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that a page loads, as it is and compressed."""

    content: bytes
    compressed: bytes
    media_type: str
    address: str


@dataclass(frozen=True)
class Assets:
    """What one page loads: the files by the names that its template has for them, served under ``below``."""

    below: str
    files: Mapping[str, Path]

    @cached_property
    def loaded(self) -> dict[str, Asset]:
        """Read and compressed once for each process, which takes a moment: not to be asked for on the event loop."""
        return {name: _read(path, self.below) for name, path in self.files.items()}

    @cached_property
    def addresses(self) -> dict[str, str]:
        """Where each is; what reads ``loaded`` for the first time takes as long."""
        return {name: one.address for name, one in self.loaded.items()}

    async def serve(self, request: Request) -> Response:
        """One of them; 404 for an address that is not one of this version's."""
        served = {one.address: one for one in (await asyncio.to_thread(lambda: self.loaded)).values()}
        found = served.get(request.url.path)
        if found is None:
            return Response("Not Found", 404, media_type="text/plain", headers=BASE_HEADERS)
        headers = {**BASE_HEADERS, "Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
        if not _takes_gzip(request.headers):
            return Response(found.content, media_type=found.media_type, headers=headers)
        headers["Content-Encoding"] = "gzip"
        return Response(found.compressed, media_type=found.media_type, headers=headers)

    def route(self) -> Route:
        return Route(f"{self.below}/{{digest}}/{{name}}", self.serve)


def _read(path: Path, below: str) -> Asset:
    content = path.read_bytes()
    digest = base64.b32encode(hashlib.sha256(content).digest()[:10]).decode().lower()
    return Asset(
        content=content,
        compressed=gzip.compress(content, mtime=0),
        media_type=_MEDIA_TYPES[path.suffix],
        address=f"{below}/{digest}/{path.name}",
    )


def _takes_gzip(headers: Headers) -> bool:
    return _GZIP.search(headers.get("accept-encoding", "").replace(" ", "").lower()) is not None
