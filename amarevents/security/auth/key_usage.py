"""The time of each key's last use, written in batches: ``last_used_at`` may lag by a minute (decisions 8.3)."""

import datetime

from amarevents.models import ApiKey
from amarevents.models.columns import utc_now


class KeyUsage:
    """The latest uses of keys, held in memory until ``flush`` stores them."""

    def __init__(self) -> None:
        self._seen: dict[int, datetime.datetime] = {}

    def record_use(self, key_id: int) -> None:
        """Record that the key is being used now."""
        self._seen[key_id] = utc_now()

    async def flush(self) -> None:
        """Store the uses recorded since the last call; an interrupted call leaves the rest to the next one."""
        while self._seen:
            key_id, used_at = self._seen.popitem()
            await ApiKey.filter(id=key_id).update(last_used_at=used_at)
