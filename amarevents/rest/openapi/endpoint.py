"""The endpoint ``/openapi.json``, which builds the document at the first request."""

import asyncio
import hashlib
from functools import cache

from starlette.requests import Request
from starlette.responses import Response

from amarevents.rest.envelopes import to_json
from amarevents.rest.openapi.document import build_document
from amarevents.rest.routes import ROUTES


@cache
def _document() -> tuple[bytes, str]:
    """Return the document as JSON, and its ETag."""
    text = to_json(build_document(ROUTES))
    return text, f'"{hashlib.sha256(text).hexdigest()[:32]}"'


async def openapi_json(request: Request) -> Response:
    """Serve the document, or 304 if the client already has this version."""
    text, tag = await asyncio.to_thread(_document)
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if {tag, "*"} & _tags(request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    return Response(text, media_type="application/json", headers=headers)


def _tags(if_none_match: str) -> set[str]:
    """Return the tags of a header without their weak markers, which compressing proxies add."""
    return {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
