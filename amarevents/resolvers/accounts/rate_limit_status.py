"""What is left of the rate limit that the caller's requests are charged to (decisions 3.8)."""

import datetime
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from amarevents.resolvers.core.inputs import DateTime
from amarevents.resolvers.core.operation import operation
from amarevents.security.context import Context
from amarevents.security.policy import PUBLIC
from amarevents.security.rate_limit import Verdict


class RateLimitType(StrEnum):
    """What a rate limit belongs to."""

    ANONYMOUS = "anonymous"
    """The client's address, for requests without credentials."""
    USER = "user"
    """A user key, or the sessions of a user."""
    ORGANIZER = "organizer"
    """An organizer key, or the sessions of an organizer."""
    ADMIN = "admin"
    """An admin key, or the sessions of an admin."""


@dataclass(slots=True, kw_only=True)
class RateLimitStatusView:
    """What is left of the rate limit that this request is charged to."""

    type: RateLimitType
    """The type of the API key, the role of the session's account, or that the request is anonymous."""
    limit: int | None
    """The number of units per minute that are allowed; null if it is unlimited."""
    remaining: int | None
    """The number of units that are left after this request; null if it is unlimited."""
    reset_at: DateTime
    """When the full limit will be available again if no more requests are sent, in UTC."""
    cost: int
    """The number of units that this request was charged, for all its operations together."""

    @classmethod
    def from_verdict(cls, verdict: Verdict, kind: RateLimitType, cost: int) -> Self:
        """Return the view of the outcome of a charge."""
        return cls(
            type=kind,
            limit=verdict.limit or None,
            remaining=verdict.remaining if verdict.limit else None,
            reset_at=datetime.datetime.fromtimestamp(verdict.reset_at, datetime.UTC),
            cost=cost,
        )


@operation(PUBLIC)
async def get_rate_limit_status(ctx: Context) -> RateLimitStatusView:
    """Get what is left of the rate limit that this request is charged to, which it counts towards."""
    await ctx.charge_minimum()
    assert ctx.verdict is not None  # noqa: S101 - for the type checker; the request has been charged
    return RateLimitStatusView.from_verdict(
        ctx.verdict, RateLimitType(ctx.quota_type or RateLimitType.ANONYMOUS), ctx.units
    )
