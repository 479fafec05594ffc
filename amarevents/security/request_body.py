"""Reading a request's body without letting it grow beyond the limit (decisions 1.3)."""

import asyncio
import time

from starlette.requests import ClientDisconnect, Request

from amarevents import errors
from amarevents.security.auth.principals import identify
from amarevents.security.middleware import context_of

SECONDS = 30.0
PROMPT_SECONDS = 0.25
"""A body that takes longer may outlast the credential that it was announced with."""


async def read_body(request: Request, max_bytes: int) -> bytes:
    """The whole body. Whoever sends it slowly is identified again: a key may be revoked meanwhile (decisions 2.4).

    Raises BodyTooLarge as soon as it is known to be, announced or not, BadRequest for a client that has left or takes
    more than ``SECONDS``, and what ``identify`` raises.
    """
    began = time.monotonic()
    body = await _read(request, max_bytes)
    if time.monotonic() - began > PROMPT_SECONDS:
        context = context_of(request.scope)
        context.principal = await identify(context.credential)
    return body


async def _read(request: Request, max_bytes: int) -> bytes:
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise errors.BodyTooLarge
    chunks = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            async for chunk in request.stream():
                chunks += chunk
                if len(chunks) > max_bytes:
                    raise errors.BodyTooLarge
    except TimeoutError as error:
        raise errors.BadRequest("The body took too long to arrive") from error
    except ClientDisconnect as error:
        raise errors.BadRequest("The request ended before its body did") from error
    return bytes(chunks)
