"""Tickets: registering, approving, and checking at the door."""

import strawberry

from amarevents.resolvers.core.descriptions import public_text
from amarevents.resolvers.events.ticket_types import TicketTypeView
from amarevents.resolvers.tickets import queries as operations
from amarevents.resolvers.tickets import registration
from amarevents.resolvers.tickets.check_in import AdmissionView
from amarevents.resolvers.tickets.payments import DecisionView
from amarevents.resolvers.tickets.queries import TicketDetailView, TicketView
from amarevents.schema.core.context import Info
from amarevents.schema.core.dataloaders import require
from amarevents.schema.core.deletions import Deleted
from amarevents.schema.core.fields import link, mutation, query
from amarevents.schema.core.pagination import Connection, Pagination
from amarevents.schema.types.accounts import account_edge, user_id_of
from amarevents.schema.types.event_parts import event_link
from amarevents.schema.types.ticket_types import TicketType


@strawberry.type(name="CustomAnswer", description=public_text(operations.CustomAnswerView.__doc__))
class CustomAnswer(operations.CustomAnswerView):
    pass


async def _answers(ticket: TicketView, info: Info) -> list[operations.CustomAnswerView]:
    if isinstance(ticket, TicketDetailView):
        return ticket.custom_fields
    return await require(info.context.answers, ticket.id, "Ticket")


async def _ticket_type(ticket: TicketView, info: Info) -> TicketTypeView | None:
    if ticket.ticket_type_id is None:
        return None
    return await require(info.context.ticket_types, ticket.ticket_type_id, "Ticket type")


async def _check_in(ticket: TicketView, info: Info) -> AdmissionView | None:
    return await info.context.admissions.load(ticket.id)


async def _decision(ticket: TicketView, info: Info) -> DecisionView | None:
    return await info.context.decisions.load(ticket.id)


@strawberry.type(name="Admission", description=public_text(AdmissionView.__doc__))
class Admission(AdmissionView):
    pass


@strawberry.type(name="Decision", description=public_text(DecisionView.__doc__))
class Decision(DecisionView):
    pass


@strawberry.type(name="Ticket", description=public_text(TicketView.__doc__))
class Ticket(TicketView):
    custom_fields = link(_answers, list[CustomAnswer], "The answers to the event's custom fields.")
    event = event_link("The event that it is for, where the caller may see that.")
    ticket_type = link(_ticket_type, TicketType | None, "The kind of place that it is for; null without one.")
    owner = account_edge(user_id_of, "The account that has registered; for that account and for admins.")
    check_in = link(_check_in, Admission | None, "That it has let somebody in; null if it has not.")
    decision = link(_decision, Decision | None, "What the organizer last decided; null while it is as it was issued.")


@strawberry.type(description="A part of a list of tickets.")
class TicketPage:
    items: list[Ticket]
    """The objects on this page."""
    pagination: Pagination
    """The position of this page in the list."""


@strawberry.type(name="Verification", description=public_text(operations.VerificationView.__doc__))
class Verification(operations.VerificationView):
    pass


@strawberry.type
class TicketQuery:
    tickets = query(operations.list_tickets, TicketPage)
    tickets_connection = query(operations.list_tickets_by_cursor, Connection[Ticket])
    my_tickets = query(operations.list_own_tickets, TicketPage)
    ticket = query(operations.get_ticket, Ticket)
    verify_ticket = query(operations.verify_ticket, Verification)


@strawberry.type
class TicketMutation:
    register_for_event = mutation(registration.register_for_event, Ticket)
    update_ticket = mutation(registration.update_ticket, Ticket)
    delete_ticket = mutation(registration.delete_ticket, Deleted)
