"""Which requests that a browser authenticates by cookie may change something (decisions 2.3)."""

from collections.abc import Mapping
from urllib.parse import urlsplit

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# What GraphQL clients send for this very purpose.
_ASKED_FOR_FIRST = ("x-requested-with", "apollo-require-preflight")


def may_change_state(method: str, headers: Mapping[str, str], allowed_origins: frozenset[str]) -> bool:
    """Whether a request authenticated by cookie is safe, or comes from an allowed origin and carries JSON.

    A request without a body (a logout, a deletion) carries nothing that could be mistaken for a form.
    """
    if method in _SAFE_METHODS:
        return True
    return comes_from_allowed_origin(headers, allowed_origins) and _carries_json(headers)


def may_query(headers: Mapping[str, str], allowed_origins: frozenset[str]) -> bool:
    """Whether a GET that is authenticated by cookie was sent by a page of an allowed origin, or typed by its user.

    What a form, an image or a link of another site can make a browser send carries none of these headers: a script
    there would have to ask for them first, and is not answered.
    """
    if headers.get("sec-fetch-site") == "none" or comes_from_allowed_origin(headers, allowed_origins):
        return True
    return is_json(headers.get("content-type")) or any(name in headers for name in _ASKED_FOR_FIRST)


def comes_from_allowed_origin(headers: Mapping[str, str], allowed_origins: frozenset[str]) -> bool:
    """Whether the page that a browser sends this for is one of the platform's, or of an origin that it allows."""
    site = headers.get("sec-fetch-site")
    if site == "same-origin":
        return True
    origin = headers.get("origin", "").lower()
    if origin in allowed_origins:
        return True
    # A browser that says "cross-site" or "same-site" has compared the origins already.
    return site is None and bool(netloc := _netloc(origin)) and netloc == headers.get("host", "").lower()


def _netloc(origin: str) -> str:
    """Host and port of an origin; empty for what is none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _carries_json(headers: Mapping[str, str]) -> bool:
    content_type = headers.get("content-type")
    if content_type is not None:
        return is_json(content_type)
    return headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers


def is_json(content_type: str | None) -> bool:
    return (content_type or "").partition(";")[0].strip().lower() == "application/json"
