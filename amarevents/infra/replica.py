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
from typing import NamedTuple, Protocol, TypeVar

from amarevents.errors import NotFound
from amarevents.infra.answer_cache import NotReusable
from amarevents.infra.versions import Versions, reading_rows_of
from amarevents.models.db.connection import DatabaseUnavailable, client_of
from amarevents.models.db.sql import fetch_from, reading_from, sql
from amarevents.settings import Settings

MAX_LAG = 0.5
"""The seconds that the replica may be behind, as far as this process knows. Public answers are kept for another."""

CHECK_INTERVAL = 0.1
"""The seconds between two looks at the logs of both servers."""

_REMEMBERED = round(2 * MAX_LAG / CHECK_INTERVAL)
_LOG_END = sql("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")
_REPLAYED_LOG = sql("SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')")

logger = logging.getLogger(__name__)


class Scoped(Protocol):
    """What is made of rows."""

    @property
    def scopes(self) -> Collection[str]:
        """The scopes whose changes may change it."""


S = TypeVar("S", bound=Scoped)


class _Moment(NamedTuple):
    """A moment of the monotonic clock, the clock of the versions then, and where the primary's log ended afterwards."""

    time: float
    clock: int
    log_end: int


def replica_for(settings: Settings, versions: Versions) -> "Replica | None":
    """Return the replica of the settings, if there is one."""
    return None if settings.database_replica_url is None else Replica(settings, versions)


class Replica:
    """Reads from the replica what is up to date there. ``watch`` runs in the background; ``aclose`` closes it."""

    def __init__(self, settings: Settings, versions: Versions) -> None:
        self._replica = client_of(settings, "database_replica_url")
        self._primary = client_of(settings, "database_url", maxsize=1)  # which requests do not keep busy
        self._versions = versions
        self._moments: deque[_Moment] = deque(maxlen=_REMEMBERED)
        self._complete: _Moment | None = None
        """The last moment whose changes the replica has."""
        self._was_usable: bool | None = None

    @property
    def is_usable(self) -> bool:
        """Whether the replica is less than ``MAX_LAG`` behind, and changes of other processes are known."""
        is_complete = self._complete is not None and time.monotonic() - self._complete.time < MAX_LAG
        return is_complete and self._versions.is_informed

    async def read(self, compute: Callable[[], Awaitable[S]]) -> S:
        """Return what ``compute`` makes of rows: of the replica's, unless they may lack a change that it depends on."""
        if self._complete is None or not self.is_usable:
            return await compute()
        clock = self._complete.clock
        with contextlib.suppress(NotFound, NotReusable):  # something may have just been added
            with reading_from(self._replica), reading_rows_of(clock):
                answer = await compute()
            if not self._versions.changed_since(clock, answer.scopes):
                return answer
        return await compute()

    async def watch(self) -> None:
        """Compare the logs of both servers until cancelled."""
        while True:
            with contextlib.suppress(DatabaseUnavailable, TimeoutError):
                async with asyncio.timeout(MAX_LAG):
                    await self._compare_logs()
            self._log_usability()
            await asyncio.sleep(CHECK_INTERVAL)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._replica.close()
        await self._primary.close()

    async def _compare_logs(self) -> None:
        now, clock = time.monotonic(), self._versions.clock
        [[log_end]] = await fetch_from(self._primary, _LOG_END)
        self._moments.append(_Moment(now, clock, log_end))
        [[replayed]] = await fetch_from(self._replica, _REPLAYED_LOG)  # None if it is no replica
        complete = [moment for moment in self._moments if replayed is not None and moment.log_end <= replayed]
        self._complete = max([*complete, *([self._complete] if self._complete else [])], default=None)

    def _log_usability(self) -> None:
        """Log once that the replica cannot be used, and once that it can."""
        is_starting = self._was_usable is None and len(self._moments) < _REMEMBERED
        if self.is_usable is self._was_usable or (is_starting and not self.is_usable):
            return
        self._was_usable = self.is_usable
        if self._was_usable:
            logger.info("The replica is up to date; it serves public lists and details")
        else:
            logger.warning("The replica is away or more than %s s behind; reading from the primary", MAX_LAG)
