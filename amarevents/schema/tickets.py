"""Tickets: registering, approving, and checking at the door."""

from typing import NamedTuple

import strawberry

from amarevents.resolvers import registration
from amarevents.resolvers import tickets as operations
from amarevents.resolvers.base import public_text
from amarevents.resolvers.check_in import AdmissionView
from amarevents.resolvers.payments import DecisionView
from amarevents.resolvers.tickets import TicketDetailView, TicketView
from amarevents.schema.connections import Connection
from amarevents.schema.context import Info
from amarevents.schema.deletions import Deleted
from amarevents.schema.fields import edge, mutation, query
from amarevents.schema.paging import Pagination


class _Answers(NamedTuple):
    custom_fields: list[operations.CustomAnswerView]


@strawberry.type(name="CustomAnswer", description=public_text(operations.CustomAnswerView.__doc__))
class CustomAnswer(operations.CustomAnswerView):
    pass


async def _detail(ticket: TicketView, info: Info) -> _Answers:
    if isinstance(ticket, TicketDetailView):
        return _Answers(ticket.custom_fields)
    return _Answers(await info.context.answers.load(ticket.id) or [])


class _CheckIn(NamedTuple):
    check_in: AdmissionView | None


async def _check_in(ticket: TicketView, info: Info) -> _CheckIn:
    return _CheckIn(await info.context.admissions.load(ticket.id))


class _Decision(NamedTuple):
    decision: DecisionView | None


async def _decision(ticket: TicketView, info: Info) -> _Decision:
    return _Decision(await info.context.decisions.load(ticket.id))


@strawberry.type(name="Admission", description=public_text(AdmissionView.__doc__))
class Admission(AdmissionView):
    pass


@strawberry.type(name="Decision", description=public_text(DecisionView.__doc__))
class Decision(DecisionView):
    pass


@strawberry.type(name="Ticket", description=public_text(TicketView.__doc__))
class Ticket(TicketView):
    custom_fields = edge(_detail, "custom_fields", list[CustomAnswer], "The answers to the event's custom fields.")
    check_in = edge(_check_in, "check_in", Admission | None, "That it has let somebody in; null if it has not.")
    decision = edge(
        _decision, "decision", Decision | None, "What the organizer last decided; null while it is as it was issued."
    )


@strawberry.type(description="A part of a list of tickets.")
class TicketPage:
    items: list[Ticket]
    pagination: Pagination


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
