"""Taking places, moving them and giving them back: no place is sold twice (decisions 6.1, 6.2)."""

import base64
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic.config import JsonDict
from tortoise.exceptions import IntegrityError
from tortoise.expressions import Q
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.infra.pubsub import TicketChange
from amarevents.models import CustomField, CustomValue, Event, Ticket, TicketType
from amarevents.models.db.connection import violates
from amarevents.models.enums import PaymentMethod, TicketChangeKind, TicketStatus
from amarevents.resolvers.core.ids import TicketId
from amarevents.resolvers.core.inputs import DeletedView, Email, Id, LongText, Money, Name, NotNull, Phone, deleted
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.permissions import get_visible_event, manages
from amarevents.resolvers.core.transaction_ids import TransactionInput
from amarevents.resolvers.events.queries import is_registration_open
from amarevents.resolvers.events.ticket_types import claim_place, give_back_place
from amarevents.resolvers.tickets.custom_answers import check_answers
from amarevents.resolvers.tickets.notifications import reason_to_hold, tell_attendee, tell_attendee_anew
from amarevents.resolvers.tickets.queries import (
    TicketDetailView,
    load_ticket,
    load_ticket_detail,
    require_ticket_manager,
)
from amarevents.security.context import Context
from amarevents.security.policy import ORGANIZERS, USERS, Account, Scope, allow

Move = tuple[int | None, int | None]
"""The ticket types of which a ticket held a place before and holds one after it was changed; None for no place."""

# 125 bits in the alphabet of base 32: unguessable, and compact in a QR code.
_CODE_BYTES = 16
_CODE_LENGTH = 25
_MAX_ANSWERS = 100


def new_ticket_code() -> str:
    """Opaque and unguessable; begins with letters, so that it is never mistaken for an id."""
    return "AE" + base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode()[:_CODE_LENGTH]


def _flat(value: object) -> object:
    """No field takes more than a list; what is nested deeper could not even be compared with an earlier request."""
    parts = value if isinstance(value, list) else [value]
    if any(isinstance(part, list | dict) for part in parts):
        raise ValueError("must be a text, a number, true, false or a list of these")
    return value


_ANSWERS: list[JsonDict] = [{"type": "string"}, {"type": "number"}, {"type": "boolean"}, {"type": "null"}]
# Any: an answer is judged by its field's type.
Answer = Annotated[
    Any,
    BeforeValidator(_flat),
    WithJsonSchema({"anyOf": [*_ANSWERS, {"type": "array", "items": {"type": "string"}}]}),
]


class RegisterForEvent(TransactionInput):
    """A place for one attendee; name, email and number default to the account's (decisions 6.7).

    ``amount`` is what the buyer says to have paid; from the event's owner and admins it replaces the price. Answers in
    ``custom_fields`` are keyed by a field's name or id.
    """

    event_id: Id
    """The id of the event."""
    name: Name | None = None
    """The attendee's name; without one, the account's."""
    email: Email | None = None
    """The attendee's email address; without one, the account's."""
    number: Phone | None = None
    """The attendee's phone number; without one, the account's."""
    ticket_type_id: Id | None = None
    """The id of a ticket type of the event; needed where it has several."""
    amount: Money | None = None
    """What the buyer says to have paid, in taka, not less than the price; from the event's owner and admins it replaces
    the price."""
    payment_method: PaymentMethod | None = None
    """How the place was paid for."""
    note: LongText | None = None
    """A free text that goes with it."""
    custom_fields: Annotated[dict[str, Answer], Field(max_length=_MAX_ANSWERS)] | None = None
    """The answers to the event's custom fields, by the name or id of the field."""


@dataclass(frozen=True, slots=True)
class _Price:
    """What is recorded as paid, and whether that makes the place good at once."""

    amount: Decimal
    status: TicketStatus


@operation(
    allow(*USERS, scope=Scope.TICKETS_WRITE),
    creates=True,
    changes=(Ticket,),
    raises=(
        errors.NotFound,
        errors.RegistrationClosed,
        errors.SoldOut,
        errors.AmountTooLow,
        errors.DuplicateTransaction,
        errors.ValidationFailed,
    ),
)
async def register_for_event(ctx: Context, data: RegisterForEvent) -> TicketDetailView:
    """Register the caller, or a guest of the organizer, for an event."""
    event = await get_visible_event(ctx, data.event_id)
    is_manager = manages(ctx, event.organization.user_id)
    if not is_manager and not is_registration_open(event, ctx.now, ctx.services.settings.time_zone):
        raise errors.RegistrationClosed
    ticket_type = await _choose_type(event, data.ticket_type_id)
    if ticket_type is not None and 0 < ticket_type.capacity <= ticket_type.sold:
        raise errors.SoldOut  # spares the transaction; claim_place decides between those that get past here
    fields = await CustomField.filter(event_id=event.id).order_by("position", "id")
    answers = check_answers(fields, data.custom_fields or {})
    price = _price(ticket_type, data.amount, is_manager=is_manager)
    account = ctx.principal.require_account()
    held_because = None if is_manager else await reason_to_hold(ctx, data.email or account.email)
    async with in_transaction():
        ticket = await _issue(account, event, ticket_type, data, price)
        await _store_answers(ticket, answers)
        named = {field.name: answers.get(field.id, "") for field in fields}
        await tell_attendee(ctx, ticket, event, named, held_because=held_because)
        if ticket_type is not None:
            # Last, so that the row that everybody wants is locked for the shortest time.
            await claim_place(ticket_type.id)
        ctx.record_change(event.id, TicketChange(TicketChangeKind.CREATED, ticket.id))
    return await load_ticket_detail(ticket)


async def _choose_type(event: Event, ticket_type_id: int | None) -> TicketType | None:
    """The type asked for, or the only one there is, or None where the event has none (decisions 6.4)."""
    types = TicketType.filter(event_id=event.id)
    if ticket_type_id is not None:
        chosen = await types.get_or_none(id=ticket_type_id)
        if chosen is None:
            raise errors.ValidationFailed({"ticket_type_id": "is not a ticket type of this event"})
        return chosen
    first_two = await types.order_by("id").limit(2)
    if len(first_two) > 1:
        raise errors.ValidationFailed({"ticket_type_id": "is required: the event has several ticket types"})
    return first_two[0] if first_two else None


def _price(ticket_type: TicketType | None, offered: Decimal | None, *, is_manager: bool) -> _Price:
    """The server decides what a place costs (decisions 6.1). Raises AmountTooLow."""
    due = ticket_type.price if ticket_type else Decimal(0)
    if is_manager and offered is not None:
        due = offered
    amount = due if offered is None else offered
    if amount < due:
        raise errors.AmountTooLow(due)
    return _Price(amount, TicketStatus.PENDING if due else TicketStatus.SUCCESS)


async def _issue(
    account: Account, event: Event, ticket_type: TicketType | None, data: RegisterForEvent, price: _Price
) -> Ticket:
    try:
        ticket = await Ticket.create(
            code=new_ticket_code(),
            event_id=event.id,
            user_id=account.id,
            ticket_type_id=ticket_type.id if ticket_type else None,
            name=data.name or account.username,
            email=data.email or account.email,
            number=data.number or account.number,
            amount=price.amount,
            status=price.status,
            transaction_id=data.transaction,
            payment_method=data.payment_method,
            note=data.note,
        )
    except IntegrityError as error:
        raise _explained(error, missing="Event") from error
    ticket.event = event
    ticket.ticket_type = ticket_type
    return ticket


def _explained(error: IntegrityError, *, missing: str) -> errors.AmarEventsError:
    """A transaction id in use, or what the ticket belongs to has been deleted meanwhile."""
    return errors.DuplicateTransaction() if violates(error, "transaction_id") else errors.NotFound(missing)


async def _store_answers(ticket: Ticket, answers: dict[int, str]) -> None:
    if not answers:
        return
    rows = [CustomValue(ticket_id=ticket.id, field_id=field, value=value) for field, value in answers.items()]
    try:
        await CustomValue.bulk_create(rows)
    except IntegrityError as error:  # a field has been deleted meanwhile
        raise errors.ValidationFailed({"custom_fields": "the event's fields have changed; read them again"}) from error


class UpdateTicket(TransactionInput):
    """What the organizer decides or corrects; null clears what is optional."""

    status: NotNull[TicketStatus] = None
    """`Pending` and `Success` hold a place; `Failed` and `Refunded` do not."""
    name: NotNull[Name] = None
    """The name that people read."""
    email: NotNull[Email] = None
    """An email address; upper and lower case mean the same."""
    number: Phone | None = None
    """A phone number, with or without the country code."""
    note: LongText | None = None
    """A free text that goes with it."""
    amount: NotNull[Money] = None
    """What is paid for the place, in taka with at most two decimals."""
    ticket_type_id: Id | None = None
    """The id of the ticket type; null without one."""
    payment_method: PaymentMethod | None = None
    """How the place was paid for."""


@operation(
    allow(*ORGANIZERS, scope=Scope.TICKETS_WRITE),
    changes=(Ticket,),
    raises=(errors.NotFound, errors.Forbidden, errors.SoldOut, errors.DuplicateTransaction, errors.ValidationFailed),
)
async def update_ticket(ctx: Context, id: TicketId, data: UpdateTicket) -> TicketDetailView:
    """Approve, reject, refund or correct a registration, taking and giving back places as its status asks."""
    found = await require_ticket_manager(ctx, Q(id=id))
    changes = data.changed_fields()
    if not changes:
        return await load_ticket_detail(found)
    if changes.get("ticket_type_id") is not None:
        await _choose_type(found.event, changes["ticket_type_id"])
    async with in_transaction():
        ticket = await lock_ticket(id)
        await move_places([await change_ticket(ctx, ticket, found.event, changes)])
        ctx.record_change(ticket.event_id, TicketChange(TicketChangeKind.UPDATED, id))
    return await load_ticket(Ticket.all(), id)


async def change_ticket(
    ctx: Context,
    ticket: Ticket,
    event: Event,
    changes: dict[str, Any],  # Any: each column's own type
) -> Move:
    """Change a ticket that the caller's transaction has locked, and tell its attendee where that has to be known.

    Returns the move of its place, for ``move_places`` at the end of the transaction. A new status is a decision: it is
    dated, and the reason given for an earlier one is none for it.
    """
    held_before, told_before = _held_place(ticket), (ticket.status, ticket.email)
    if changes.get("status", ticket.status) is not ticket.status:
        changes = {"decision_reason": None, "decided_at": ctx.now, **changes}
    ticket.update_from_dict({**changes, "updated_at": ctx.now})
    await _save(ticket, [*changes, "updated_at"])
    if (ticket.status, ticket.email) != told_before:
        await tell_attendee_anew(ctx, ticket, event)
    return held_before, _held_place(ticket)


async def lock_ticket(ticket_id: int) -> Ticket:
    """Keep everybody else from moving this ticket until the transaction ends. Raises NotFound."""
    ticket = await Ticket.filter(id=ticket_id).select_for_update().get_or_none()
    if ticket is None:
        raise errors.NotFound("Ticket")
    return ticket


@operation(
    allow(*ORGANIZERS, scope=Scope.TICKETS_DELETE), changes=(Ticket,), raises=(errors.NotFound, errors.Forbidden)
)
async def delete_ticket(ctx: Context, id: TicketId) -> DeletedView:
    """Delete a registration for good; its place is free at once."""
    await require_ticket_manager(ctx, Q(id=id))
    async with in_transaction():
        ticket = await lock_ticket(id)
        await Ticket.filter(id=id).delete()
        await move_places([(_held_place(ticket), None)])
        ctx.record_change(ticket.event_id, TicketChange(TicketChangeKind.DELETED, id))
    return deleted(id)


def _held_place(ticket: Ticket) -> int | None:
    """The ticket type of which this ticket holds a place."""
    return ticket.ticket_type_id if ticket.status.holds_place else None


async def _save(ticket: Ticket, fields: list[str]) -> None:
    try:
        await ticket.save(update_fields=fields)
    except IntegrityError as error:
        raise _explained(error, missing="Ticket type") from error


async def move_places(moves: Iterable[Move]) -> None:
    """Give back and take, always in the order of the types' ids, so that two moves never wait for each other."""
    changed = [(before, after) for before, after in moves if before != after]
    steps = [step for before, after in changed for step in ((before, give_back_place), (after, claim_place))]
    for ticket_type_id, step in sorted(steps, key=lambda pair: pair[0] or 0):
        if ticket_type_id is not None:
            await step(ticket_type_id)
