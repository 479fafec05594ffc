"""Tickets, from registration to check-in."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from amarevents.resolvers.events.ticket_types import load_ticket_types
from amarevents.resolvers.tickets import queries as operations
from amarevents.resolvers.tickets import registration, updates, verification
from amarevents.resolvers.tickets.check_in import load_admissions
from amarevents.resolvers.tickets.custom_answers import CustomAnswerView, load_answers
from amarevents.resolvers.tickets.payments import DecisionView, load_decisions
from amarevents.resolvers.tickets.queries import TicketView
from amarevents.schema.core.deletions import Deleted
from amarevents.schema.core.edges import Batch, edge, not_found
from amarevents.schema.core.fields import mutation, query
from amarevents.schema.core.nodes import Node, node_type, one_of
from amarevents.schema.core.object_types import object_type
from amarevents.schema.core.pagination import Connection, Page
from amarevents.schema.types.account_edges import account_edge
from amarevents.schema.types.event_parts import event_edge
from amarevents.schema.types.ticket_types import TicketType

if TYPE_CHECKING:
    from amarevents.schema.types.check_in import CheckIn


@object_type
class CustomAnswer(CustomAnswerView):
    pass


@object_type
class Decision(DecisionView):
    pass


@node_type(operations.load_tickets, require_access=one_of(operations.get_ticket.policy))
@object_type
class Ticket(Node, TicketView):
    custom_fields = edge(
        Batch(load=load_answers, missing=not_found("Ticket")),
        list[CustomAnswer],
        "The answers to the event's custom fields.",
        attribute="custom_fields",
    )
    event = event_edge("The event that the ticket is for, if it is visible to the caller.")
    ticket_type = edge(
        Batch(load=load_ticket_types, key="ticket_type_id", missing=not_found("Ticket type")),
        TicketType | None,
        "The ticket type; null for a ticket without one.",
    )
    owner = account_edge("user_id", "The account that the ticket belongs to.")
    check_in = edge(
        Batch(load=load_admissions),
        Annotated["CheckIn", strawberry.lazy("amarevents.schema.types.check_in")] | None,
        "The check-in of the ticket; null until it is checked in.",
    )
    decision = edge(
        Batch(load=load_decisions),
        Decision | None,
        "The organizer's latest decision on the ticket; null if there has been none.",
    )


@object_type
class Verification(verification.VerificationView):
    pass


@strawberry.type
class TicketQuery:
    tickets = query(operations.list_tickets, Page[Ticket])
    tickets_connection = query(operations.list_tickets_by_cursor, Connection[Ticket])
    my_tickets = query(operations.list_own_tickets, Page[Ticket])
    ticket = query(operations.get_ticket, Ticket)
    verify_ticket = query(verification.verify_ticket, Verification)


@strawberry.type
class TicketMutation:
    register_for_event = mutation(registration.register_for_event, Ticket)
    update_ticket = mutation(updates.update_ticket, Ticket)
    delete_ticket = mutation(updates.delete_ticket, Deleted)
