"""Who opens an address: a person with a browser, or a program."""

import re

from starlette.datastructures import Headers
from starlette.types import Scope

_HTML = re.compile(r"\btext/html\b(?!;q=0(\.0*)?(,|$))")


def prefers_html(scope: Scope) -> bool:
    """Whether a page is to be shown: HTML is asked for by name, and JSON is not."""
    if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
        return False
    accepted = ",".join(Headers(scope=scope).getlist("accept")).replace(" ", "").lower()
    return _HTML.search(accepted) is not None and "json" not in accepted
