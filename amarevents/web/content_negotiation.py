"""Content negotiation between pages for browsers and JSON for programs."""

import re

from starlette.datastructures import Headers
from starlette.types import Scope

_HTML = re.compile(r"\btext/html\b(?!;q=0(\.0*)?(,|$))")


def prefers_html(scope: Scope) -> bool:
    """Return whether the client wants a page: its ``Accept`` header names HTML, and does not name JSON."""
    if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
        return False
    accepted = ",".join(Headers(scope=scope).getlist("accept")).replace(" ", "").lower()
    return _HTML.search(accepted) is not None and "json" not in accepted
