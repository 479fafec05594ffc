"""The JSON envelopes of responses below ``/api``: success, page and failure (decisions 1.1 to 1.3, 1.8)."""

from decimal import Decimal

import orjson
from starlette.responses import Response

from amarevents.errors import AmarEventsError
from amarevents.resolvers.core.pagination import Page

JSON = b"application/json"

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS


def _number(value: object) -> orjson.Fragment:
    """Return money as a JSON number with every digit: sums can have more than a double holds (decisions 1.8)."""
    if isinstance(value, Decimal):
        whole, _, cents = f"{value:.2f}".partition(".")
        return orjson.Fragment(f"{whole}.{cents.rstrip('0')}".rstrip("."))
    raise TypeError(f"{type(value).__name__} is not JSON serializable")


def to_json(value: object) -> bytes:
    """Return a view as JSON, with dates, timestamps and money as the contract writes them."""
    return orjson.dumps(value, default=_number, option=_OPTIONS)


def envelope(view: object) -> bytes:
    """Return the body with ``view`` as its data; a page also has ``pagination``."""
    if isinstance(view, Page):
        return to_json({"success": True, "data": view.items, "pagination": view.pagination})
    return to_json({"success": True, "data": view})


def success(view: object, status: int) -> Response:
    """Return the response with ``view`` as its data."""
    return Response(envelope(view), status, media_type=JSON.decode())


def failure(error: AmarEventsError) -> Response:
    """Return the response that reports ``error``."""
    body: dict[str, object] = {"success": False, "error": error.text, "code": error.code}
    if error.fields:
        body["fields"] = error.fields
    return Response(to_json(body), error.status, media_type=JSON.decode())
