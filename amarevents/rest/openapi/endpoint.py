"""The endpoint ``/openapi.json``, which builds the document at the first request."""

import asyncio
import hashlib
from functools import cache

from starlette.requests import Request
from starlette.responses import Response

from amarevents.rest.envelopes import to_json
from amarevents.rest.openapi.schemas import Json
from amarevents.rest.routes import ROUTES
from amarevents.security.middleware import services_of


async def openapi_json(request: Request) -> Response:
    """Serve the document, or 304 if the client already has this version."""
    text, tag = await asyncio.to_thread(_document_at, _base_url(request))
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if {tag.removeprefix("W/"), "*"} & _tags(request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    return Response(text, media_type="application/json", headers=headers)


def _base_url(request: Request) -> str:
    """Return the public URL of the platform if it has been set, or the base URL that the client has used."""
    settings = services_of(request.scope).settings
    if "public_url" in settings.model_fields_set:
        return settings.public_url
    return str(request.base_url).removesuffix("/")


def _document_at(base_url: str) -> tuple[bytes, str]:
    """Return the document of the platform at ``base_url`` as JSON, and its ETag, weak because of compression."""
    from amarevents.rest.openapi.document import servers

    text = to_json({**_document(), "servers": servers(base_url)})
    return text, f'W/"{hashlib.sha256(text).hexdigest()[:32]}"'


@cache
def _document() -> Json:
    from amarevents.rest.openapi.document import build_document  # with all examples, which no other request needs

    return build_document(ROUTES)


def _tags(if_none_match: str) -> set[str]:
    """Return the tags of a header without the markers of weak ones."""
    return {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
