"""The principals that a process remembers, so that a request with an API key or a session needs no database.

What holds, in every process (decisions 2.4):

- A principal is remembered under the version of its account (``account_versions``), which was answered before it was
  read, and is used only for requests that are answered the same version when they are charged.
- A change to an account, its keys or its sessions is announced before its transaction starts and after it has ended
  (``changing``). In between, and without an answer of a version, principals are read from the database.
- In the process that makes a change, a principal must also have been read after the last change of its account. With
  a single process, which has no Redis, this is all that is needed.
- A principal is not used beyond ``seconds``. This only matters if a process that changes an account cannot reach Redis
  while others can, or if the database is changed by hand.
"""

import asyncio
import contextlib
import datetime
import logging
import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from redis.exceptions import RedisError

from amarevents.infra.redis import redis_client
from amarevents.infra.redis_cluster import redis_commands
from amarevents.models.columns import utc_now
from amarevents.models.enums import KeyType
from amarevents.security.auth.account_versions import AccountVersions, new_version
from amarevents.security.auth.principals import Identity, KnownCredential, find_identity
from amarevents.security.policy import ANONYMOUS, Principal
from amarevents.security.rate_limit import Version
from amarevents.settings import Settings
from amarevents.tasks import BackgroundTasks, finish

MAX_CREDENTIALS = 10_000

ANNOUNCE_SECONDS = 1.0
"""How long a change waits for Redis after its commit; then it goes on trying in the background."""

RETRY_SECONDS = 0.1
"""The pause between two attempts to announce the end of a change."""

logger = logging.getLogger(__name__)

_UNAVAILABLE = (RedisError, OSError)  # OSError includes TimeoutError


@dataclass(slots=True)
class Known:
    """What is remembered of a credential: its account, which never changes, and its principal as it was read last."""

    account_id: int
    role: KeyType
    """The role of the account when it was read, which names the budget of a session."""
    principal: Principal | None = None
    expires_at: datetime.datetime | None = None
    version: Version = None
    read_at: float = -math.inf


@dataclass(slots=True)
class _Changes:
    """The changes to an account that are going on in this process, and when the last one ended."""

    running: int = 0
    ended_at: float = field(default=-math.inf)


class PrincipalMemory:
    """The accounts and principals of the credentials that were used last; beyond a maximum, the oldest are forgotten.

    Credentials are known by their digest. With 0 ``seconds``, principals are always read from the database.
    """

    def __init__(self, *, seconds: float, versions: AccountVersions | None) -> None:
        self._seconds = seconds
        self._versions = versions
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._changes: dict[int, _Changes] = {}
        self._announcements = BackgroundTasks()
        self._is_closing = False

    def __len__(self) -> int:
        """Return the number of credentials that are remembered."""
        return len(self._known)

    @property
    def is_enabled(self) -> bool:
        """Whether principals are remembered at all."""
        return self._seconds > 0

    def find(self, digest: str) -> Known | None:
        """Return what is remembered of a credential."""
        known = self._known.get(digest)
        if known is not None:
            self._known.move_to_end(digest)
        return known

    def remember_account(self, digest: str, identity: Identity) -> None:
        """Remember the account of a credential. Its principal may have changed since, so it is not remembered."""
        self._known[digest] = Known(identity.account.id, identity.account.role)
        if len(self._known) > MAX_CREDENTIALS:
            self._known.popitem(last=False)

    def forget(self, digest: str) -> None:
        """Forget a credential that is no longer valid, so that its account is not charged for it."""
        self._known.pop(digest, None)

    def recall(self, known: Known) -> Principal | None:
        """Return the principal as it was read last, unless this process knows that it is outdated.

        It is provisional: the version that answers the charge of the request confirms it.
        """
        if known.read_at < time.monotonic() - self._seconds:
            return None
        if known.expires_at is not None and known.expires_at <= utc_now():
            return None
        changes = self._changes.get(known.account_id)
        if changes is not None and (changes.running or changes.ended_at >= known.read_at):
            return None
        return known.principal

    async def identify(self, credential: KnownCredential, version: Version) -> Principal:
        """Return the principal of a credential whose account has just been answered this version.

        Raises what ``principals.identify`` raises.
        """
        known = self.find(credential.digest)
        if known is not None and version is not None and known.version == version:
            principal = self.recall(known)
            if principal is not None:
                return principal
        read_at = time.monotonic()
        identity = await find_identity(credential)
        if identity is None:
            return ANONYMOUS
        principal = identity.principal()
        if known is not None:
            known.principal, known.expires_at, known.role = principal, identity.expires_at, identity.account.role
            known.version, known.read_at = version, read_at
        return principal

    @contextlib.asynccontextmanager
    async def changing(self, account_id: int) -> AsyncIterator[None]:
        """Make every process read the principals of an account again that it has read before the block ends.

        The block is a transaction that changes the account, its API keys or its sessions, with its commit.
        """
        token = new_version()
        changes = self._changes.setdefault(account_id, _Changes())
        changes.running += 1
        is_announced = False
        try:
            is_announced = await self._announce_begin(account_id, token)
            yield
        finally:
            changes.running -= 1
            changes.ended_at = time.monotonic()
            self._forget_changes()
            await finish(self._announce_end(account_id, token, may_be_used=not is_announced))

    async def aclose(self) -> None:
        """Try to make announcements that could not be made before once more, and close the connection to Redis."""
        self._is_closing = True
        await self._announcements.wait()
        if self._versions is not None:
            await self._versions.aclose()

    def _forget_changes(self) -> None:
        """Forget changes that ended so long ago that no principal from before them is used any more."""
        oldest = time.monotonic() - self._seconds
        for account_id, changes in list(self._changes.items()):
            if not changes.running and changes.ended_at < oldest:
                del self._changes[account_id]

    async def _announce_begin(self, account_id: int, token: str) -> bool:
        """Return whether other processes now know that the account is being changed."""
        try:
            if self._versions is not None:
                await self._versions.begin(account_id, token)
        except _UNAVAILABLE:
            return False
        return True

    async def _announce_end(self, account_id: int, token: str, *, may_be_used: bool) -> None:
        """Give the account a new version; wait for it only if other processes may use an earlier version until then."""
        if self._versions is None:
            return
        announcement = self._announcements.start(self._announce_until_known(self._versions, account_id, token))
        await asyncio.wait([announcement], timeout=ANNOUNCE_SECONDS if may_be_used else None)

    async def _announce_until_known(self, versions: AccountVersions, account_id: int, token: str) -> None:
        """Announce the end of a change, again and again until no principal from before it is used."""
        ended_at = time.monotonic()
        while True:
            try:
                return await versions.end(account_id, token)
            except _UNAVAILABLE as error:
                if self._is_closing or time.monotonic() - ended_at > self._seconds:
                    logger.warning("Redis is unavailable; a changed account has not been announced: %r", error)
                    return None
            await asyncio.sleep(RETRY_SECONDS)


def principal_memory(settings: Settings) -> PrincipalMemory:
    """Return the memory for the settings; without Redis, only a process that is alone with its database remembers."""
    if settings.redis_url is None:
        return PrincipalMemory(seconds=0 if settings.on_postgres else settings.principal_seconds, versions=None)
    versions = AccountVersions(redis_commands(redis_client(settings.redis_url)))
    return PrincipalMemory(seconds=settings.principal_seconds, versions=versions)
