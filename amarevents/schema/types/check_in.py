"""Check-in of tickets at the door."""

import strawberry

from amarevents.resolvers.tickets import check_in as operations
from amarevents.schema.core.fields import mutation
from amarevents.schema.core.object_types import object_type
from amarevents.schema.types.tickets import Ticket


@object_type
class CheckIn(operations.CheckInView):
    ticket: Ticket


@strawberry.type
class CheckInMutation:
    check_in_ticket = mutation(operations.check_in_ticket, CheckIn, flat=True)
    undo_check_in = mutation(operations.undo_check_in, Ticket, flat=True)
