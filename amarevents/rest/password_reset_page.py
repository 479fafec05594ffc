"""The page at ``/reset-password`` that sets a new password (decisions 2.3c)."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from amarevents import errors
from amarevents.resolvers.accounts.password_reset import LinkOwner, find_link_owner, reset_password
from amarevents.rest.link_page import METHODS, link_page, read_form, render
from amarevents.security.middleware import context_of

_FORM = """<p>Choose a new password for your account <b>{username}</b>.</p>
<p lang="bn">আপনার <b>{username}</b> অ্যাকাউন্টের জন্য নতুন পাসওয়ার্ড দিন।</p>
<form method="post" action="reset-password"><input type="hidden" name="token" value="{token}">
<p><label>Email | ইমেইল<br>
<input type="email" value="{email}" autocomplete="username" readonly></label></p>
<p><label>New password | নতুন পাসওয়ার্ড<br>
<input type="password" name="password" autocomplete="new-password" minlength="6" maxlength="128" required
autofocus></label></p>
<p><b role="alert">{problem}</b></p>
<button>Set password | পাসওয়ার্ড বদলান</button></form>
<p>This logs the account out everywhere. API keys stay valid, unless the email address has never been confirmed.</p>
<p lang="bn">এতে সব জায়গা থেকে লগআউট হবে। এপিআই কী আগের মতোই থাকবে, যদি ইমেইলটি আগে নিশ্চিত করা হয়ে থাকে।</p>"""
_CHANGED = """<p>Your password has been changed. You can log in with it now.</p>
<p lang="bn">আপনার পাসওয়ার্ড বদলানো হয়েছে। এখন নতুন পাসওয়ার্ড দিয়ে লগইন করুন।</p>"""
_LINK_NOT_VALID = """<p>This link is no longer valid: it works once and for one hour. Request a new one where you log
in.</p>
<p lang="bn">লিংকটি আর কাজ করছে না। এটি একবার ও এক ঘণ্টা কাজ করে। লগইন করার জায়গা থেকে নতুন লিংক চেয়ে নিন।</p>"""


def password_reset_page() -> ASGIApp:
    """Return the ASGI application of the page."""
    return link_page(_respond, link_not_valid=_LINK_NOT_VALID)


async def _respond(request: Request) -> Response:
    if request.method not in METHODS:
        raise errors.MethodNotAllowed(METHODS)
    if request.method == "POST":
        return await _submit(request)
    token = request.query_params.get("token", "")
    return _form(await find_link_owner(token, context_of(request.scope).now), token)


async def _submit(request: Request) -> Response:
    """Set the password, or show the form again if the password is not allowed."""
    context = context_of(request.scope)
    form = await read_form(request, "token", "password")
    owner = await find_link_owner(form["token"], context.now)
    try:
        await reset_password(context, data=form)
    except errors.ValidationFailed as error:
        if "password" not in error.fields:
            raise
        problem = f"The password {error.fields['password']}."
        return _form(owner, form["token"], status=error.status, problem=problem)
    return render(_CHANGED)


def _form(owner: LinkOwner, token: str, *, status: int = 200, problem: str = "") -> Response:
    values = {"username": owner.username, "email": owner.email, "token": token, "problem": problem}
    return render(_FORM, status=status, **values)
