"""The streaming replica that public reads may use: which changes of the primary it is known to have.

A process remembers where the primary's log ended at several moments. The replica has all changes from before the last
of these moments whose log it has replayed. An answer may be made of its rows if nothing that the answer depends on has
changed since then, as far as this process knows: one that is made again after a change never lacks that change.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from typing import Protocol, TypeVar

from amarevents.errors import NotFound
from amarevents.infra.versions import Versions
from amarevents.models.db.connection import PRIMARY_LOG, REPLICA, DatabaseUnavailable
from amarevents.models.db.sql import fetch_from, reading_from_replica, sql

MAX_LAG = 0.5
"""The seconds that the replica may be behind, as far as this process knows. Public answers are kept for another."""

CHECK_INTERVAL = 0.1
"""The seconds between two looks at the logs of both servers."""

_REMEMBERED = round(2 * MAX_LAG / CHECK_INTERVAL)
_MAX_CHANGES = 10_000
_LOG_END = sql("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")
_REPLAYED_LOG = sql("SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')")

logger = logging.getLogger(__name__)


class Scoped(Protocol):
    """What is made of rows."""

    @property
    def scopes(self) -> Collection[str]:
        """The scopes whose changes may change it."""


S = TypeVar("S", bound=Scoped)


class Replica:
    """Knows how far the replica is, and when the scopes of public reads have changed; times are of the monotonic clock.

    Without ``watch`` in the background, which is only run if there is a replica, nothing is read from it.
    """

    def __init__(self, versions: Versions) -> None:
        self._versions = versions
        self._log_ends: deque[tuple[float, int]] = deque(maxlen=_REMEMBERED)
        self._complete_until = float("-inf")
        self._changed: dict[str, float] = {}
        self._all_changed = float("-inf")
        self._was_usable: bool | None = None

    @property
    def is_usable(self) -> bool:
        """Whether the replica is less than ``MAX_LAG`` behind, and changes of other processes are known."""
        return time.monotonic() - self._complete_until < MAX_LAG and self._versions.is_informed

    async def read(self, compute: Callable[[], Awaitable[S]]) -> S:
        """Return what ``compute`` makes of rows: of the replica's, unless they may lack a change that it depends on."""
        if not self.is_usable:
            return await compute()
        complete_until = self._complete_until
        with contextlib.suppress(NotFound):  # it may have just been added
            with reading_from_replica():
                answer = await compute()
            if not self._changed_since(complete_until, answer.scopes):
                return answer
        return await compute()

    async def watch(self) -> None:
        """Record changes and compare the logs of both servers until cancelled."""
        self._versions.listeners.append(self._record_change)
        while True:
            with contextlib.suppress(DatabaseUnavailable, TimeoutError):
                async with asyncio.timeout(MAX_LAG):
                    await self._compare_logs()
            self._log_usability()
            await asyncio.sleep(CHECK_INTERVAL)

    async def _compare_logs(self) -> None:
        moment = time.monotonic()
        [[end]] = await fetch_from(PRIMARY_LOG, _LOG_END)
        self._log_ends.append((moment, end))
        [[replayed]] = await fetch_from(REPLICA, _REPLAYED_LOG)
        complete = [moment for moment, end in self._log_ends if replayed is not None and end <= replayed]
        self._complete_until = max([self._complete_until, *complete])

    def _changed_since(self, moment: float, scopes: Collection[str]) -> bool:
        return max([self._all_changed, *(self._changed.get(scope, float("-inf")) for scope in scopes)]) >= moment

    def _record_change(self, scopes: Collection[str] | None) -> None:
        if scopes is None or len(self._changed) + len(scopes) > _MAX_CHANGES:
            self._changed.clear()
            self._all_changed = time.monotonic()
        else:
            self._changed.update(dict.fromkeys(scopes, time.monotonic()))

    def _log_usability(self) -> None:
        """Log once that the replica cannot be used, and once that it can."""
        is_starting = self._was_usable is None and len(self._log_ends) < _REMEMBERED
        if self.is_usable is self._was_usable or (is_starting and not self.is_usable):
            return
        self._was_usable = self.is_usable
        if self._was_usable:
            logger.info("The replica is up to date; it serves public lists and details")
        else:
            logger.warning("The replica is away or more than %s s behind; reading from the primary", MAX_LAG)
