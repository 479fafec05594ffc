"""Changes to accounts, with the columns and sessions that depend on what is changed (decisions 8.2, 8.5)."""

from collections.abc import Mapping

from amarevents.models import Session, User
from amarevents.resolvers.accounts.signup import account_integrity_errors, username_key
from amarevents.resolvers.core.search import search_text
from amarevents.security.auth.sessions import start_session
from amarevents.security.context import Context


async def change_account(ctx: Context, user: User, changes: Mapping[str, object]) -> None:
    """Change columns of an account that the caller's transaction has locked.

    A new password ends the other sessions of the account, and gives a new ID to the session of this request (decisions
    2.3). Raises UsernameTaken, EmailTaken, and BadRequest if that session was sent over a WebSocket.
    """
    if not changes:
        return
    is_own_session = ctx.principal.session_id is not None and ctx.principal.require_account().id == user.id
    if "password_hash" in changes and is_own_session:
        ctx.require_cookies()
    user.update_from_dict({**changes, "updated_at": ctx.now})
    user.username_key = username_key(user.username)
    user.search_text = search_text(user.username, user.email, user.number)
    with account_integrity_errors():
        await user.save(update_fields=[*changes, "updated_at", "username_key", "search_text"])
    if "password_hash" in changes:
        await Session.filter(user_id=user.id).delete()
        if is_own_session:
            ctx.started_session = await start_session(user.id, days=ctx.services.settings.session_days)
