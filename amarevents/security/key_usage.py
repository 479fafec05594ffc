"""When each key was last used, written in batches: ``last_used_at`` may lag by a minute (decisions 8.3)."""

import datetime

from amarevents.models import ApiKey
from amarevents.models.fields import utc_now


class KeyUsage:
    """Remembers uses in memory until ``flush`` writes them."""

    def __init__(self) -> None:
        self._seen: dict[int, datetime.datetime] = {}

    def note(self, key_id: int) -> None:
        self._seen[key_id] = utc_now()

    async def flush(self) -> None:
        """Store the uses noted since the last time."""
        seen, self._seen = self._seen, {}
        for key_id, used_at in seen.items():
            await ApiKey.filter(id=key_id).update(last_used_at=used_at)
