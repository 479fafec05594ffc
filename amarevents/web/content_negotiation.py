"""Content negotiation between pages for browsers and JSON for programs."""

import re

from starlette.types import Scope

_HTML = re.compile(rb"\btext/html\b(?!;q=0(\.0*)?(,|$))")


def prefers_html(scope: Scope) -> bool:
    """Return whether the client wants a page: its ``Accept`` header names HTML, and does not name JSON."""
    if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
        return False
    accepted = b",".join(value for name, value in scope["headers"] if name == b"accept").replace(b" ", b"").lower()
    return _HTML.search(accepted) is not None and b"json" not in accepted
