"""Reading a request's body without letting it grow beyond the limit (decisions 1.3)."""

import asyncio

from starlette.requests import ClientDisconnect, Request

from amarevents import errors

SECONDS = 30.0


async def read_body(request: Request, max_bytes: int) -> bytes:
    """The whole body.

    Raises BodyTooLarge as soon as it is known to be, announced or not, BadRequest for a client that has left or takes
    more than ``SECONDS``.
    """
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
