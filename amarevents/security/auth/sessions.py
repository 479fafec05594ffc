"""Sessions: an opaque random ID in a cookie or in a token, stored hashed and with an expiry (decisions 2.3, 2.3a)."""

import datetime
import re
import secrets
from dataclasses import dataclass, field

from amarevents.errors import InvalidSession
from amarevents.models import Session
from amarevents.models.columns import utc_now
from amarevents.security.auth.api_keys import digest_of

COOKIE_NAME = "amarevents_session"
TOKEN_PREFIX = "ae_s_"  # noqa: S105 - distinguishes tokens of sessions from API keys
_RANDOM_BYTES = 32
_TOKEN = re.compile(TOKEN_PREFIX + "([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class SessionId:
    """The ID of a session from a request, which may or may not exist in the database."""

    value: str = field(repr=False)
    in_cookie: bool

    @property
    def digest(self) -> str:
        """The SHA-256 of the ID, as it is stored."""
        return digest_of(self.value)


@dataclass(frozen=True, slots=True)
class StartedSession:
    """A new session, which the client gets in a cookie or, if it asks for one, as a token."""

    id: SessionId
    expires_at: datetime.datetime

    @property
    def token(self) -> str:
        """The token that is sent in the Authorization header."""
        return TOKEN_PREFIX + self.id.value


def parse_token(text: str) -> SessionId:
    """Parse the token of a session. Raises InvalidSession if its length or alphabet is wrong."""
    match = _TOKEN.fullmatch(text)
    if match is None:
        raise InvalidSession
    return SessionId(match[1], in_cookie=False)


async def start_session(user_id: int, *, days: int, in_cookie: bool = True) -> StartedSession:
    """Create a session with a new ID, and delete the expired sessions of the account."""
    value = secrets.token_urlsafe(_RANDOM_BYTES)
    expires_at = utc_now() + datetime.timedelta(days=days)
    await Session.filter(user_id=user_id, expires_at__lte=utc_now()).delete()
    await Session.create(user_id=user_id, digest=digest_of(value), expires_at=expires_at)
    return StartedSession(SessionId(value, in_cookie), expires_at)


async def end_started_session(started: StartedSession) -> None:
    """Delete a session that this request has started."""
    await Session.filter(digest=started.id.digest).delete()


async def end_session(session_id: int) -> None:
    """Delete a session."""
    await Session.filter(id=session_id).delete()
