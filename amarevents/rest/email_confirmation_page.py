"""The page behind the link that confirms an email (decisions 6.7): what a GET shows, a POST does.

Mail scanners open links, so opening one changes nothing; a button does. The link alone says who may: whatever key or
session the request carries is left aside.
"""

import base64
import hashlib
import html
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from amarevents import errors
from amarevents.resolvers.accounts.email_confirmation import Confirmation, confirm_email, find_confirmation
from amarevents.security.middleware import SecurityMiddleware, context_of
from amarevents.security.request_body import read_body

_METHODS = ("GET", "HEAD", "POST")
_MAX_FORM_BYTES = 1024
_CREDENTIALS = {b"authorization", b"cookie"}

_STYLE = (
    "body{font-family:sans-serif;line-height:1.6;max-width:34rem;margin:3rem auto;padding:0 1rem}"
    "button{font:inherit;padding:.5rem 1rem}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Amar Events</title><style>{style}</style></head>
<body><h1>Amar Events</h1>
{body}
</body></html>
"""
_ASK = """<p>Is <b>{email}</b> the email of your account <b>{username}</b>?</p>
<p lang="bn"><b>{email}</b> কি আপনার <b>{username}</b> অ্যাকাউন্টের ইমেইল?</p>
<form method="post" action="confirm-email"><input type="hidden" name="token" value="{token}">
<button>Yes, confirm it | হ্যাঁ, নিশ্চিত করুন</button></form>
<p>If you have not made this account, close this page: whoever made it would see the tickets sent to your address.</p>
<p lang="bn">অ্যাকাউন্টটি আপনি না খুলে থাকলে পাতাটি বন্ধ করে দিন।</p>"""
_DONE = """<p>Thank you! <b>{email}</b> is now the confirmed email of <b>{username}</b>.</p>
<p lang="bn">ধন্যবাদ! আপনার ইমেইল নিশ্চিত হয়েছে।</p>"""
_GONE = """<p>This link does not work (any more). If you have used it already, all is well. If not, log in to
Amar Events: once a link has expired you are mailed a new one.</p>
<p lang="bn">লিংকটি আর কাজ করছে না। আগেই ব্যবহার করে থাকলে আর কিছু করতে হবে না; না হলে Amar Events-এ লগইন করুন।</p>"""
_FAILED = """<p>{problem}.</p>
<p lang="bn">কিছুক্ষণ পরে আবার চেষ্টা করুন।</p>"""


def confirmation_page() -> ASGIApp:
    """The ASGI application behind ``/confirm-email``, counted like every anonymous request (decisions 3.4)."""
    return _WithoutCredentials(SecurityMiddleware(_ConfirmationPage(), _failure_page))


class _WithoutCredentials:
    """Nobody's request, whoever sends it."""

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
            page = _done(await confirm_email(await _sent_token(request), now))
        else:
            token = request.query_params.get("token", "")
            page = _question(await find_confirmation(token, now), token)
        await page(scope, receive, send)


async def _sent_token(request: Request) -> str:
    """The form's field; empty where there is none. Raises BodyTooLarge, BadRequest."""
    form = parse_qs((await read_body(request, _MAX_FORM_BYTES)).decode("ascii", "replace"))
    return form.get("token", [""])[0]


def _question(confirmation: Confirmation, token: str) -> Response:
    return _page(_ASK, username=confirmation.username, email=confirmation.email, token=token)


def _done(confirmation: Confirmation) -> Response:
    return _page(_DONE, username=confirmation.username, email=confirmation.email)


def _failure_page(error: errors.AmarEventsError, _scope: Scope) -> Response:
    """Plain and friendly; what is wrong with a link it does not say."""
    if isinstance(error, errors.NotFound | errors.BadRequest):
        return _page(_GONE, status=error.status)
    return _page(_FAILED, status=error.status, problem=error.text)


def _page(body: str, *, status: int = 200, **values: str) -> Response:
    shown = body.format(**{name: html.escape(value) for name, value in values.items()})
    return HTMLResponse(_PAGE.format(style=_STYLE, body=shown), status, _HEADERS)
