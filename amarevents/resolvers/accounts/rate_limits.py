"""The rate limits as they are being used right now (decisions 8.5)."""

import datetime
from dataclasses import dataclass

from amarevents.models import ApiKey
from amarevents.models.enums import KeyType
from amarevents.resolvers.core.inputs import DateTime, RecordId
from amarevents.resolvers.core.operation import operation
from amarevents.security.context import Context
from amarevents.security.policy import ADMINS, Scope, allow
from amarevents.security.rate_limit.quotas import charged_keys, digest_quota

_KEYS_AT_ONCE = 500


@dataclass(slots=True, kw_only=True)
class RateLimitView:
    """What an API key has used within the last minute; ``limit`` is per minute."""

    key_id: RecordId
    """The id of the API key."""
    key_name: str
    """The name of the key."""
    key_prefix: str
    """The first 12 characters of the raw key, to tell it from others."""
    key_type: KeyType
    """What the key may be used for at most."""
    user_id: RecordId
    """The id of the account that it belongs to."""
    limit: int
    """How many requests a minute the key has."""
    used: int
    """How many requests the key has sent within the last 60 seconds."""
    remaining: int
    """How many requests the key may send now."""
    reset_at: DateTime
    """When all requests are there again if nothing more is sent, in UTC."""


@operation(allow(*ADMINS, scope=Scope.ADMIN))
async def list_rate_limits(ctx: Context) -> list[RateLimitView]:
    """The keys that have been used within the last minute, newest first, and what they have left."""
    digests = await charged_keys(ctx.services.limiter)
    found: list[ApiKey] = []
    for start in range(0, len(digests), _KEYS_AT_ONCE):
        found += await ApiKey.filter(digest__in=digests[start : start + _KEYS_AT_ONCE])
    views = [await _usage(ctx, key) for key in sorted(found, key=lambda key: -key.id)]
    return [view for view in views if view.used]  # a log may outlive its last unit for a moment


async def _usage(ctx: Context, key: ApiKey) -> RateLimitView:
    usage = await ctx.services.limiter.usage(digest_quota(key.digest, key.key_type, ctx.services.settings))
    return RateLimitView(
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
