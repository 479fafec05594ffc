"""Subscriptions to the changes of an event."""

from amarevents.resolvers.tickets import subscriptions
from amarevents.schema.core.fields import subscription
from amarevents.schema.core.object_types import object_type
from amarevents.schema.types.statistics import EventStats
from amarevents.schema.types.tickets import Ticket


@object_type
class TicketUpdate(subscriptions.TicketUpdateView):
    ticket: Ticket | None


@object_type
class Subscription:
    """Subscriptions for an event's owner and admins, over WebSocket or as an event stream."""

    event_stats = subscription(subscriptions.event_stats, EventStats)
    ticket_updated = subscription(subscriptions.ticket_updated, TicketUpdate)
