"""The rate limit of the current request."""

import strawberry

from amarevents.resolvers.accounts import rate_limit_status as operations
from amarevents.schema.core.fields import query
from amarevents.schema.core.object_types import object_type


@object_type
class RateLimitStatus(operations.RateLimitStatusView):
    pass


@strawberry.type
class RateLimitStatusQuery:
    rate_limit = query(operations.get_rate_limit_status, RateLimitStatus)
