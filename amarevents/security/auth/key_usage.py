"""The time of each key's last use, written in batches: ``last_used_at`` may lag by a minute (decisions 8.3)."""

import datetime
from itertools import islice

from amarevents.models.columns import utc_now
from amarevents.models.db.sql import execute_many

_BATCH = 500


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
            batch = dict(islice(self._seen.items(), _BATCH))
            # In the order of their IDs, so that processes that store the same keys wait for each other.
            uses = [(batch[key_id], key_id) for key_id in sorted(batch)]
            await execute_many("UPDATE api_keys SET last_used_at = ? WHERE id = ?", uses)
            for key_id, used_at in batch.items():
                if self._seen[key_id] == used_at:
                    del self._seen[key_id]
