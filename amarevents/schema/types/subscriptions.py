"""An event as it happens: what can be subscribed to."""

import strawberry

from amarevents.resolvers.core.descriptions import public_text
from amarevents.resolvers.tickets import subscriptions
from amarevents.schema.core.fields import subscription
from amarevents.schema.types.statistics import TicketTypeStats
from amarevents.schema.types.tickets import Ticket


@strawberry.type(name="LiveEventStats", description=public_text(subscriptions.LiveEventStatsView.__doc__))
class LiveEventStats(subscriptions.LiveEventStatsView):
    by_ticket_type: list[TicketTypeStats]  # type: ignore[assignment] # the same, as the schema shows it


@strawberry.type(name="TicketUpdate", description=public_text(subscriptions.TicketUpdateView.__doc__))
class TicketUpdate(subscriptions.TicketUpdateView):
    ticket: Ticket | None


@strawberry.type(description="What an event's owner and admins can follow as it happens: by WebSocket or event stream.")
class Subscription:
    event_stats = subscription(subscriptions.event_stats, LiveEventStats)
    ticket_updated = subscription(subscriptions.ticket_updated, TicketUpdate)
