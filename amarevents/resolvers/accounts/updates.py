"""Changes to accounts, with the columns and sessions that depend on what is changed (decisions 8.2, 8.5)."""

from collections.abc import Mapping

from amarevents.models import Session, User
from amarevents.resolvers.accounts.signup import account_integrity_errors, account_search_text
from amarevents.security.auth.sessions import start_session
from amarevents.security.context import Context


async def change_account(ctx: Context, user: User, changes: Mapping[str, object]) -> None:
    """Change columns of an account that the caller's transaction has locked.

    A new password ends the other sessions of the account (decisions 2.3), and gives a new ID to the session of this
    request if it is in a cookie. Raises UsernameTaken, EmailTaken, and BadRequest if that cookie was sent over a
    WebSocket.
    """
    if not changes:
        return
    is_own = ctx.principal.account is not None and ctx.principal.account.id == user.id
    own_session_id = ctx.principal.session_id if is_own else None
    renews_cookie = "password_hash" in changes and own_session_id is not None and ctx.has_session_cookie
    if renews_cookie:
        ctx.require_cookies()
    user.update_from_dict({**changes, "updated_at": ctx.now})
    user.search_text = account_search_text(user.username, user.email, user.number)
    with account_integrity_errors():
        await user.save(update_fields=[*changes, "updated_at", "username_key", "email_key", "search_text"])
    if "password_hash" in changes:
        # The answer cannot carry a new token, so the session of a token keeps its ID.
        kept = None if renews_cookie else own_session_id
        await Session.filter(user_id=user.id).exclude(id=kept or 0).delete()
    if renews_cookie:
        ctx.started_session = await start_session(user.id, days=ctx.services.settings.session_days)
