"""Protection from cross-site request forgery for requests authenticated by cookie (decisions 2.3)."""

from collections.abc import Mapping

from amarevents.settings.types import normalize_origin

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def may_change_state(method: str, headers: Mapping[str, str], allowed_origins: frozenset[str]) -> bool:
    """Return whether a request has a safe method, or is not from a foreign site and has a JSON body or none.

    A request without a body (a logout, a deletion) cannot have been sent by an HTML form with content.
    """
    if method in _SAFE_METHODS:
        return True
    return not is_foreign(headers, allowed_origins) and (not _has_body(headers) or is_json(headers.get("content-type")))


def is_foreign(headers: Mapping[str, str], allowed_origins: frozenset[str]) -> bool:
    """Return whether the headers say that a page of another origin, which is not allowed, made the browser send this.

    Without ``Origin`` and ``Sec-Fetch-Site`` a request is not foreign: browsers send ``Origin`` with every cross-site
    request that could change something, and programs send neither (decisions 2.3).
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site == "same-origin" or (origin is not None and normalize_origin(origin) in allowed_origins):
        return False
    if site is not None and site != "none":  # "none": the user has typed the address, for example
        return True
    return origin is not None and not _is_own(origin, headers.get("host", ""))


def _is_own(origin: str, host: str) -> bool:
    """Return whether an origin has the host and the port of a Host header."""
    scheme, _, netloc = origin.partition("://")
    return bool(netloc) and normalize_origin(origin) == normalize_origin(f"{scheme}://{host}")


def _has_body(headers: Mapping[str, str]) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def is_json(content_type: str | None) -> bool:
    """Return whether a Content-Type header says JSON, with any parameters."""
    return (content_type or "").partition(";")[0].strip().lower() == "application/json"
