"""Protection from cross-site request forgery for requests authenticated by cookie (decisions 2.3)."""

from collections.abc import Mapping
from urllib.parse import urlsplit

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# Headers that make a browser send a CORS preflight request first; GraphQL clients send them for this purpose.
_PREFLIGHTED_HEADERS = ("x-requested-with", "apollo-require-preflight")


def may_change_state(method: str, headers: Mapping[str, str], allowed_origins: frozenset[str]) -> bool:
    """Return whether a request has a safe method, or comes from an allowed origin and has a JSON body or none.

    A request without a body (a logout, a deletion) cannot have been sent by an HTML form with content.
    """
    if method in _SAFE_METHODS:
        return True
    return comes_from_allowed_origin(headers, allowed_origins) and _carries_json(headers)


def may_query(headers: Mapping[str, str], allowed_origins: frozenset[str]) -> bool:
    """Return whether a GET request was sent by a page of an allowed origin, or by the user through the address bar.

    Forms, images and links of another site cannot set these headers. A script of another site needs a CORS preflight
    request for them, which is refused.
    """
    if headers.get("sec-fetch-site") == "none" or comes_from_allowed_origin(headers, allowed_origins):
        return True
    return is_json(headers.get("content-type")) or any(name in headers for name in _PREFLIGHTED_HEADERS)


def comes_from_allowed_origin(headers: Mapping[str, str], allowed_origins: frozenset[str]) -> bool:
    """Return whether a browser sends the request for a page of the same origin or of an allowed one."""
    site = headers.get("sec-fetch-site")
    if site == "same-origin":
        return True
    origin = headers.get("origin", "").lower()
    if origin in allowed_origins:
        return True
    # Without Sec-Fetch-Site, compare Origin with Host. Browsers that send it have compared the origins already.
    return site is None and bool(netloc := _netloc(origin)) and netloc == headers.get("host", "").lower()


def _netloc(origin: str) -> str:
    """Return the host and port of an origin, or an empty string if it is not valid."""
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
    """Return whether a Content-Type header says JSON, with any parameters."""
    return (content_type or "").partition(";")[0].strip().lower() == "application/json"
