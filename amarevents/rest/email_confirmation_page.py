"""The page at ``/confirm-email`` that confirms an email address (decisions 6.7).

Mail scanners open links, so a GET changes nothing and shows a button, whose POST confirms the address. The token in the
link is the only credential: API keys and sessions are ignored.
"""

import html
from pathlib import Path
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from amarevents import errors
from amarevents.resolvers.accounts.email_confirmation import Confirmation, confirm_email, find_confirmation
from amarevents.security.middleware import SecurityMiddleware, context_of
from amarevents.security.request_body import read_body
from amarevents.web.page import HtmlPage

_METHODS = ("GET", "HEAD", "POST")
_MAX_FORM_BYTES = 1024
_CREDENTIALS = {b"authorization", b"x-api-key", b"cookie"}

_PAGE = HtmlPage(
    template=Path(__file__).with_suffix(".html"),
    policy={"style-src": "'nonce-{nonce}'", "form-action": "'self'"},
    headers={"X-Robots-Tag": "noindex"},
)
_QUESTION = """<p>Is <b>{email}</b> the email address of your account <b>{username}</b>?</p>
<p lang="bn"><b>{email}</b> কি আপনার <b>{username}</b> অ্যাকাউন্টের ইমেইল?</p>
<form method="post" action="confirm-email"><input type="hidden" name="token" value="{token}">
<button>Yes, confirm it | হ্যাঁ, নিশ্চিত করুন</button></form>
<p>If you did not create this account, close this page. Otherwise the person who created it would receive the tickets
sent to your address.</p>
<p lang="bn">অ্যাকাউন্টটি আপনি না খুলে থাকলে পাতাটি বন্ধ করে দিন।</p>"""
_CONFIRMED = """<p>Thank you! <b>{email}</b> is now the confirmed email address of <b>{username}</b>.</p>
<p lang="bn">ধন্যবাদ! আপনার ইমেইল নিশ্চিত হয়েছে।</p>"""
_LINK_NOT_VALID = """<p>This link is no longer valid. If you have already confirmed your email address, there is nothing
left to do. Otherwise log in to Amar Events: if the link has expired, we will email you a new one.</p>
<p lang="bn">লিংকটি আর কাজ করছে না। আগেই ব্যবহার করে থাকলে আর কিছু করতে হবে না; না হলে Amar Events-এ লগইন করুন।</p>"""
_FAILED = """<p>{problem}.</p>
<p lang="bn">কিছুক্ষণ পরে আবার চেষ্টা করুন।</p>"""


def confirmation_page() -> ASGIApp:
    """Return the ASGI application of the page, rate limited like any anonymous request (decisions 3.4)."""
    return _WithoutCredentials(SecurityMiddleware(_ConfirmationPage(), _failure_page))


class _WithoutCredentials:
    """Middleware that makes every request anonymous."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, value) for name, value in scope["headers"] if name not in _CREDENTIALS]
        await self._app({**scope, "headers": headers}, receive, send)


class _ConfirmationPage:
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.method not in _METHODS:
            raise errors.MethodNotAllowed(_METHODS)
        now = context_of(scope).now
        if request.method == "POST":
            page = _confirmed(await confirm_email(await _form_token(request), now))
        else:
            token = request.query_params.get("token", "")
            page = _question(await find_confirmation(token, now), token)
        await page(scope, receive, send)


async def _form_token(request: Request) -> str:
    """Return the token of the submitted form, empty if it has none. Raises BodyTooLarge, BadRequest."""
    form = parse_qs((await read_body(request, _MAX_FORM_BYTES)).decode("ascii", "replace"))
    return form.get("token", [""])[0]


def _question(confirmation: Confirmation, token: str) -> Response:
    return _page(_QUESTION, username=confirmation.username, email=confirmation.email, token=token)


def _confirmed(confirmation: Confirmation) -> Response:
    return _page(_CONFIRMED, username=confirmation.username, email=confirmation.email)


def _failure_page(error: errors.AmarEventsError, _scope: Scope) -> Response:
    """Return the page for a failure. It does not reveal why a link is not valid."""
    if isinstance(error, errors.NotFound | errors.BadRequest):
        return _page(_LINK_NOT_VALID, status=error.status)
    return _page(_FAILED, status=error.status, problem=error.text)


def _page(body: str, *, status: int = 200, **values: str) -> Response:
    escaped = {name: html.escape(value) for name, value in values.items()}
    return _PAGE.respond(status, body=body.format(**escaped))
