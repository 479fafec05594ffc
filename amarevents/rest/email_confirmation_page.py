"""The page at ``/confirm-email`` that confirms an email address (decisions 6.7)."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from amarevents import errors
from amarevents.resolvers.accounts.email_confirmation import Confirmation, confirm_email, find_confirmation
from amarevents.rest.link_page import METHODS, link_page, read_form, render
from amarevents.security.middleware import context_of

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


def confirmation_page() -> ASGIApp:
    """Return the ASGI application of the page."""
    return link_page(_respond, link_not_valid=_LINK_NOT_VALID)


async def _respond(request: Request) -> Response:
    if request.method not in METHODS:
        raise errors.MethodNotAllowed(METHODS)
    context = context_of(request.scope)
    if request.method == "POST":
        form = await read_form(request, "token")
        return _confirmed(await confirm_email(context, form["token"]))
    token = request.query_params.get("token", "")
    return _question(await find_confirmation(token, context.now), token)


def _question(confirmation: Confirmation, token: str) -> Response:
    return render(_QUESTION, username=confirmation.username, email=confirmation.email, token=token)


def _confirmed(confirmation: Confirmation) -> Response:
    return render(_CONFIRMED, username=confirmation.username, email=confirmation.email)
