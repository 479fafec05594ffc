"""What the pages behind mailed links share: their frame, their form, and that they ignore credentials.

The token in the link is the only credential. Mail scanners open links, so a GET changes nothing: it shows a form, whose
POST does what the link is for. The pages work without JavaScript.
"""

import html
from pathlib import Path
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from amarevents import errors
from amarevents.security.middleware import SecurityMiddleware, Surface
from amarevents.security.request_body import read_body
from amarevents.web.page import HtmlPage

METHODS = ("GET", "HEAD", "POST")
_MAX_FORM_BYTES = 4096  # a password of 128 characters takes up to 1536, percent-encoded
_CREDENTIALS = {b"authorization", b"cookie", b"x-api-key"}

_PAGE = HtmlPage(
    template=Path(__file__).with_suffix(".html"),
    policy={"style-src": "'nonce-{nonce}'", "form-action": "'self'"},
    headers={"X-Robots-Tag": "noindex"},
)
_FAILED = """<p>{problem}.</p>
<p lang="bn">কিছুক্ষণ পরে আবার চেষ্টা করুন।</p>"""


def link_page(page: Surface, *, link_not_valid: str) -> ASGIApp:
    """Return the ASGI application of a page, rate limited like any anonymous request (decisions 3.4).

    ``link_not_valid`` is the page for links that are unknown, used or expired. It does not reveal which.
    """

    def failure_page(error: errors.AmarEventsError, _scope: Scope) -> Response:
        if isinstance(error, errors.NotFound | errors.BadRequest):
            return render(link_not_valid, status=error.status)
        return render(_FAILED, status=error.status, problem=error.text)

    return _WithoutCredentials(SecurityMiddleware(page, failure_page, is_page=True))


class _WithoutCredentials:
    """Middleware that makes every request anonymous."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, value) for name, value in scope["headers"] if name not in _CREDENTIALS]
        await self._app({**scope, "headers": headers}, receive, send)


async def read_form(request: Request, *names: str) -> dict[str, str]:
    """Return these values of the submitted form, empty if missing. Raises BodyTooLarge, BadRequest."""
    form = parse_qs((await read_body(request, _MAX_FORM_BYTES)).decode("ascii", "replace"))
    return {name: form.get(name, [""])[0] for name in names}


def render(body: str, *, status: int = 200, **values: str) -> Response:
    """Return a page whose body is a format string for the values, which are escaped."""
    escaped = {name: html.escape(value) for name, value in values.items()}
    return _PAGE.respond(status, body=body.format(**escaped))
