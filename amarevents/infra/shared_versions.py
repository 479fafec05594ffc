"""Versions of tables for deployments with several processes, which send each other what they have changed."""

import asyncio
import logging
from collections.abc import Collection

from amarevents.infra.pubsub.channel import RedisChannel
from amarevents.infra.versions import Versions
from amarevents.settings import Settings

SEND_INTERVAL = 0.05
"""The seconds between two messages of a process: changes in between are sent together."""

logger = logging.getLogger(__name__)


def versions_for(settings: Settings) -> Versions:
    """Return the versions for the settings: shared through Redis if its URL is set."""
    return Versions() if settings.redis_url is None else SharedVersions(settings.redis_url)


class SharedVersions(RedisChannel, Versions):
    """Records changes here at once, and in other processes within moments while Redis is available.

    After a loss, everything counts as changed in the processes that may have missed changes.
    """

    def __init__(self, url: str) -> None:
        RedisChannel.__init__(self, url, "versions")
        Versions.__init__(self)
        self._unsent: set[str] = set()
        self._is_sending = False
        self._start_reading()

    @property
    def is_informed(self) -> bool:
        return self._is_reading.is_set()

    def _inform_others(self, scopes: Collection[str]) -> None:
        self._unsent.update(scopes)
        if not self._is_sending:
            self._is_sending = True
            self._start(self._send_changes())

    async def _send_changes(self) -> None:
        """Send what has changed, the first at once and the following ones together."""
        try:
            while self._unsent:
                scopes, self._unsent = self._unsent, set()
                await self._send(sorted(scopes))
                await asyncio.sleep(SEND_INTERVAL)
        finally:
            self._is_sending = False

    def _on_message(self, scopes: list[str]) -> None:
        if not all(isinstance(scope, str) for scope in scopes):
            raise TypeError("scopes are strings")
        self._apply(scopes)

    def _on_loss(self) -> None:
        self._apply_all()

    def _on_availability(self, error: Exception | None) -> None:
        if error is None:
            logger.info("Changes of other processes are known as soon as they happen")
        else:
            logger.info("Changes of other processes are seen after a second at the latest: no connection to Redis")
