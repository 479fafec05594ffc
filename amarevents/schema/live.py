"""An event as it happens: what can be subscribed to."""

import strawberry

from amarevents.resolvers import live
from amarevents.resolvers.base import public_text
from amarevents.schema.fields import subscription
from amarevents.schema.statistics import TicketTypeStats
from amarevents.schema.tickets import Ticket


@strawberry.type(name="LiveEventStats", description=public_text(live.LiveEventStatsView.__doc__))
class LiveEventStats(live.LiveEventStatsView):
    by_ticket_type: list[TicketTypeStats]  # type: ignore[assignment] # the same, as the schema shows it


@strawberry.type(name="TicketUpdate", description=public_text(live.TicketUpdateView.__doc__))
class TicketUpdate(live.TicketUpdateView):
    ticket: Ticket | None


@strawberry.type(description="What an event's owner and admins can follow as it happens: by WebSocket or event stream.")
class Subscription:
    event_stats = subscription(live.event_stats, LiveEventStats)
    ticket_updated = subscription(live.ticket_updated, TicketUpdate)
