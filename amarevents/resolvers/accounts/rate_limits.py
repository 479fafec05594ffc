"""The current use of the rate limits of API keys, for admins (decisions 8.5)."""

import datetime
from dataclasses import dataclass
from typing import Self

from amarevents.models import ApiKey
from amarevents.models.enums import KeyType
from amarevents.resolvers.core.inputs import DateTime, RecordId
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.pagination import Page, WholeListPaging, paginate
from amarevents.security.context import Context
from amarevents.security.policy import ADMINS, Scope, allow
from amarevents.security.rate_limit import Verdict
from amarevents.security.rate_limit.quotas import charged_keys, key_quota

_MAX_KEYS_PER_QUERY = 500


@dataclass(slots=True, kw_only=True)
class RateLimitView:
    """The use of an API key's rate limit within the last 60 seconds."""

    key_id: RecordId
    """The ID of the API key."""
    key_name: str
    """The name of the API key."""
    key_prefix: str
    """The first 12 characters of the key, which identify it without revealing it."""
    key_type: KeyType
    """The type of the API key."""
    user_id: RecordId
    """The ID of the account that the key belongs to."""
    limit: int
    """The number of requests per minute that the key is allowed."""
    used: int
    """The number of requests sent with the key within the last 60 seconds."""
    remaining: int
    """The number of requests that the key can send now."""
    reset_at: DateTime
    """When the full limit will be available again if no more requests are sent, in UTC."""

    @classmethod
    def from_model(cls, key: ApiKey, usage: Verdict) -> Self:
        """Return the view of an API key and the use of its quota."""
        return cls(
            key_id=RecordId(key.id),
            key_name=key.name,
            key_prefix=key.key_prefix,
            key_type=key.key_type,
            user_id=RecordId(key.user_id),
            limit=usage.limit,
            used=usage.used,
            remaining=usage.remaining,
            reset_at=datetime.datetime.fromtimestamp(usage.reset_at, datetime.UTC),
        )


@operation(allow(*ADMINS, scope=Scope.ADMIN))
async def list_rate_limits(ctx: Context, data: WholeListPaging) -> Page[RateLimitView]:
    """List the API keys that were used within the last 60 seconds and the state of their rate limits, newest first."""
    digests = await charged_keys(ctx.services.limiter)
    found: list[ApiKey] = []
    for start in range(0, len(digests), _MAX_KEYS_PER_QUERY):
        found += await ApiKey.filter(digest__in=digests[start : start + _MAX_KEYS_PER_QUERY])
    views = [await _rate_limit_of(ctx, key) for key in sorted(found, key=lambda key: -key.id)]
    # The limiter may name a key shortly after its last request expired.
    return paginate([view for view in views if view.used], data)


async def _rate_limit_of(ctx: Context, key: ApiKey) -> RateLimitView:
    usage = await ctx.services.limiter.usage(key_quota(key.digest, key.key_type, key.user_id, ctx.services.settings))
    return RateLimitView.from_model(key, usage)
