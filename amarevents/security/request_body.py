"""Request bodies, read within limits of size and time (decisions 1.3)."""

import asyncio
import time

from starlette.requests import Request

from amarevents import errors
from amarevents.security.middleware import context_of

SECONDS = 30.0
"""The time within which a body must arrive."""

PROMPT_SECONDS = 0.25
"""Beyond this time, the caller is authenticated again: the credential may have been revoked since."""


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Return the whole body, and authenticate the caller again if it arrived slowly (decisions 2.4).

    Raises BodyTooLarge as soon as the declared or the received size exceeds ``max_bytes``, BadRequest if the client
    disconnects or takes more than ``SECONDS``, and what ``Context.reauthenticate`` raises.
    """
    started_at = time.monotonic()
    body = await _read(request, max_bytes)
    if time.monotonic() - started_at > PROMPT_SECONDS:
        await context_of(request.scope).reauthenticate()
    return body


async def _read(request: Request, max_bytes: int) -> bytes:
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise errors.BodyTooLarge
    chunks = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            while (message := await request.receive())["type"] == "http.request":
                chunks += message.get("body", b"")
                if len(chunks) > max_bytes:
                    raise errors.BodyTooLarge
                if not message.get("more_body"):
                    return bytes(chunks)
    except TimeoutError as error:
        raise errors.BadRequest(f"The body must arrive within {SECONDS:.0f} seconds") from error
    raise errors.BadRequest("The client disconnected before the whole body had arrived")
