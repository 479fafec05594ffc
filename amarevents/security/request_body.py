"""Reading a request's body without letting it grow beyond the limit (decisions 1.3)."""

from starlette.requests import ClientDisconnect, Request

from amarevents import errors


async def read_body(request: Request, max_bytes: int) -> bytes:
    """The whole body.

    Raises BodyTooLarge as soon as it is known to be, announced or not, BadRequest for a client that has left.
    """
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise errors.BodyTooLarge
    chunks = bytearray()
    try:
        async for chunk in request.stream():
            chunks += chunk
            if len(chunks) > max_bytes:
                raise errors.BodyTooLarge
    except ClientDisconnect as error:
        raise errors.BadRequest("The request ended before its body did") from error
    return bytes(chunks)
