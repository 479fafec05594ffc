"""At the door: scanning tickets, and who is in."""

import strawberry

from amarevents.resolvers.core.descriptions import public_text
from amarevents.resolvers.tickets import check_in as operations
from amarevents.schema.core.fields import mutation
from amarevents.schema.types.tickets import Ticket


@strawberry.type(name="CheckIn", description=public_text(operations.CheckInView.__doc__))
class CheckIn(operations.CheckInView):
    ticket: Ticket


@strawberry.type
class CheckInMutation:
    check_in_ticket = mutation(operations.check_in_ticket, CheckIn, flat=True)
    undo_check_in = mutation(operations.undo_check_in, Ticket, flat=True)
