"""Writing accounts, so that what is derived from their columns stays in step (decisions 8.2, 8.5)."""

from typing import Any

from amarevents.models import Session, User
from amarevents.resolvers.accounts.auth import unique_account, username_key
from amarevents.resolvers.core.search import search_text
from amarevents.security.auth.sessions import start_session
from amarevents.security.context import Context


async def change_account(ctx: Context, user: User, changes: dict[str, Any]) -> None:  # Any: each column's own type
    """Change columns of a locked account. Raises UsernameTaken, EmailTaken, BadRequest for a session over a WebSocket.

    A new password ends the account's other sessions, and gives that of this very request a new id (decisions 2.3).
    """
    if not changes:
        return
    is_own_session = ctx.principal.session_id is not None and ctx.principal.require_account().id == user.id
    if "password_hash" in changes and is_own_session:
        ctx.require_cookies()
    user.update_from_dict({**changes, "updated_at": ctx.now})
    user.username_key = username_key(user.username)
    user.search_text = search_text(user.username, user.email, user.number)
    with unique_account():
        await user.save(update_fields=[*changes, "updated_at", "username_key", "search_text"])
    if "password_hash" in changes:
        await Session.filter(user_id=user.id).delete()
        if is_own_session:
            ctx.started_session = await start_session(user.id, days=ctx.services.settings.session_days)
