"""When each key was last used, written in batches: ``last_used_at`` may lag by a minute (decisions 8.3)."""

import datetime

from amarevents.models import ApiKey
from amarevents.models.columns import utc_now


class KeyUsage:
    """Remembers uses in memory until ``flush`` writes them."""

    def __init__(self) -> None:
        self._seen: dict[int, datetime.datetime] = {}

    def record_use(self, key_id: int) -> None:
        self._seen[key_id] = utc_now()

    async def flush(self) -> None:
        """Store the uses noted since the last time; what is interrupted goes on at the next."""
        while self._seen:
            key_id, used_at = self._seen.popitem()
            await ApiKey.filter(id=key_id).update(last_used_at=used_at)
