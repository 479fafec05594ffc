"""Sessions: an opaque random ID in a cookie, stored hashed and with an expiry (decisions 2.3)."""

import datetime
import secrets
from dataclasses import dataclass, field

from amarevents.models import Session
from amarevents.models.columns import utc_now
from amarevents.security.auth.api_keys import digest_of

COOKIE_NAME = "amarevents_session"


@dataclass(frozen=True, slots=True)
class StartedSession:
    """A new session: the value and the expiry of its cookie."""

    token: str = field(repr=False)
    expires_at: datetime.datetime


async def start_session(user_id: int, *, days: int) -> StartedSession:
    """Create a session with a new ID, and delete the expired sessions of the account."""
    token = secrets.token_urlsafe(32)
    expires_at = utc_now() + datetime.timedelta(days=days)
    await Session.filter(user_id=user_id, expires_at__lte=utc_now()).delete()
    await Session.create(user_id=user_id, digest=digest_of(token), expires_at=expires_at)
    return StartedSession(token, expires_at)


async def find_session(token: str) -> Session | None:
    """Return the unexpired session with this token together with its user, or None."""
    return await Session.get_or_none(digest=digest_of(token), expires_at__gt=utc_now()).select_related("user")


async def end_started_session(started: StartedSession) -> None:
    """Delete a session that this request has started."""
    await Session.filter(digest=digest_of(started.token)).delete()


async def end_session(session_id: int) -> None:
    """Delete a session."""
    await Session.filter(id=session_id).delete()
