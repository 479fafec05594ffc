"""Check-in of tickets at the door."""

import strawberry

from amarevents.resolvers.tickets import check_in as operations
from amarevents.resolvers.tickets.check_in import CheckInOutcome, CheckInView
from amarevents.resolvers.tickets.queries import get_ticket, load_tickets
from amarevents.schema.core.edges import Batch, detail, edge, not_found
from amarevents.schema.core.fields import mutation
from amarevents.schema.core.nodes import Node, node_type, one_of
from amarevents.schema.core.object_types import object_type
from amarevents.schema.types.tickets import Ticket


@node_type(operations.load_check_ins, require_access=one_of(get_ticket.policy))
@object_type
class CheckIn(Node, operations.AdmissionView):
    """The check-in of a ticket. If the ticket had been checked in before a scan, it is the first check-in."""

    outcome = detail(
        None, CheckInView, "outcome", CheckInOutcome | None, note="Null unless this is the result of a scan."
    )
    ticket = edge(
        Batch(
            load=load_tickets,
            key="ticket_id",
            missing=not_found("Ticket"),
            require_access=one_of(get_ticket.policy),
        ),
        Ticket | None,
        "The ticket that was checked in.",
        attribute="ticket",
    )


@strawberry.type
class CheckInMutation:
    check_in_ticket = mutation(operations.check_in_ticket, CheckIn, flat=True)
    undo_check_in = mutation(operations.undo_check_in, Ticket, flat=True)
