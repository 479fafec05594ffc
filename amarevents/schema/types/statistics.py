"""Statistics of events and of the platform."""

import strawberry

from amarevents.resolvers.events import statistics as operations
from amarevents.schema.core.fields import query
from amarevents.schema.core.object_types import object_type
from amarevents.schema.core.scalars import JSON


@object_type
class TicketTypeStats(operations.TicketTypeStatsView):
    pass


@object_type
class EventStats(operations.EventStatsView):
    by_ticket_type: list[operations.TicketTypeStatsView] = strawberry.field(graphql_type=list[TicketTypeStats])


@object_type
class PlatformStats(operations.PlatformStatsView):
    tickets_by_status: dict[str, int] = strawberry.field(graphql_type=JSON)
    donations_by_status: dict[str, int] = strawberry.field(graphql_type=JSON)


@strawberry.type
class StatisticsQuery:
    admin_stats = query(operations.get_platform_stats, PlatformStats)
