"""Changes to accounts, with the columns and sessions that depend on what is changed (decisions 8.2, 8.5)."""

from collections.abc import Mapping

from amarevents.mail import outbox
from amarevents.models import PasswordReset, Session, User
from amarevents.models.enums import MailKind
from amarevents.resolvers.accounts.signup import account_integrity_errors, account_search_text
from amarevents.security.auth.sessions import start_session
from amarevents.security.context import Context


async def change_account(ctx: Context, user: User, changes: Mapping[str, object]) -> None:
    """Change columns of an account that the caller's transaction has locked.

    A new password ends the other sessions of the account (decisions 2.3), and gives a new ID to the session of this
    request if it is in a cookie. It ends links for a forgotten password, as a new email address does. Raises
    UsernameTaken, EmailTaken, and BadRequest if that cookie was sent over a WebSocket.
    """
    if not changes:
        return
    is_own = ctx.principal.account is not None and ctx.principal.account.id == user.id
    own_session_id = ctx.principal.session_id if is_own else None
    renews_cookie = "password_hash" in changes and own_session_id is not None and ctx.has_session_cookie
    if renews_cookie:
        ctx.require_cookies()
    ends_links = "password_hash" in changes or changes.get("email", user.email) != user.email
    user.update_from_dict({**changes, "updated_at": ctx.now})
    user.search_text = account_search_text(user.username, user.email, user.number)
    with account_integrity_errors():
        await user.save(update_fields=[*changes, "updated_at", "username_key", "email_key", "search_text"])
    if ends_links:
        await delete_reset_links(user.id)
    if "password_hash" in changes:
        # The answer cannot carry a new token, so the session of a token keeps its ID.
        kept = None if renews_cookie else own_session_id
        await Session.filter(user_id=user.id).exclude(id=kept or 0).delete()
    if renews_cookie:
        ctx.started_session = await start_session(user.id, days=ctx.services.settings.session_days)


async def delete_reset_links(user_id: int) -> None:
    """Delete the links for a forgotten password of a locked account, and the emails that would still send them."""
    await PasswordReset.filter(user_id=user_id).delete()
    await outbox.unsent(user_id=user_id).filter(kind=MailKind.RESET_PASSWORD).delete()
