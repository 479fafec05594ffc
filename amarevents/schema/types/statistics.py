"""Events and the platform in numbers."""

import strawberry

from amarevents.resolvers.core.descriptions import public_text
from amarevents.resolvers.events import statistics as operations
from amarevents.schema.core.fields import query
from amarevents.schema.core.scalars import JSON


@strawberry.type(name="TicketTypeStats", description=public_text(operations.TicketTypeStatsView.__doc__))
class TicketTypeStats(operations.TicketTypeStatsView):
    pass


@strawberry.type(name="EventStats", description=public_text(operations.EventStatsView.__doc__))
class EventStats(operations.EventStatsView):
    by_ticket_type: list[TicketTypeStats]  # type: ignore[assignment] # the same, as the schema shows it


@strawberry.type(name="PlatformStats", description=public_text(operations.PlatformStatsView.__doc__))
class PlatformStats(operations.PlatformStatsView):
    tickets_by_status: JSON  # type: ignore[assignment] # the same, as the schema shows it
    donations_by_status: JSON  # type: ignore[assignment] # the same, as the schema shows it


@strawberry.type
class StatisticsQuery:
    admin_stats = query(operations.get_platform_stats, PlatformStats)
