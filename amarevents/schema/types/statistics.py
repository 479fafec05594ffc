"""Statistics of events and of the platform."""

import strawberry

from amarevents.resolvers.events import statistics as operations
from amarevents.resolvers.tickets.check_in import load_attendance
from amarevents.resolvers.tickets.subscriptions import LiveEventStatsView
from amarevents.schema.core.edges import Batch, detail, not_found
from amarevents.schema.core.fields import query
from amarevents.schema.core.object_types import object_type
from amarevents.schema.core.scalars import JSON


@object_type
class TicketTypeStats(operations.TicketTypeStatsView):
    pass


@object_type
class EventStats(operations.IdentifiedEventStatsView):
    """The ticket statistics of an event. In a client's cache they are identified by the ID of the event."""

    checked_in = detail(
        Batch(load=load_attendance, field="checked_in", missing=not_found("Event")),
        LiveEventStatsView,
        "checked_in",
        int,
    )
    by_ticket_type: list[operations.TicketTypeStatsView] = strawberry.field(graphql_type=list[TicketTypeStats])


@object_type
class PlatformStats(operations.PlatformStatsView):
    tickets_by_status: dict[str, int] = strawberry.field(graphql_type=JSON)
    donations_by_status: dict[str, int] = strawberry.field(graphql_type=JSON)


@strawberry.type
class StatisticsQuery:
    admin_stats = query(operations.get_platform_stats, PlatformStats)
