"""Registration for events: price, answers to custom fields and the new ticket (decisions 6.1 to 6.7)."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic.config import JsonDict
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.infra.pubsub import TicketChange
from amarevents.models import CustomField, Event, Ticket, TicketType
from amarevents.models.enums import PaymentMethod, TicketChangeKind, TicketStatus
from amarevents.resolvers.core.constraint_errors import integrity_errors
from amarevents.resolvers.core.inputs import Id, Money
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.permissions import get_event_model, manages
from amarevents.resolvers.core.text_types import Email, LongText, Name, Phone
from amarevents.resolvers.core.transaction_ids import TransactionInput
from amarevents.resolvers.events.custom_fields import MAX_OPTIONS
from amarevents.resolvers.events.ticket_types import claim_place
from amarevents.resolvers.events.views import is_registration_open
from amarevents.resolvers.tickets.codes import new_ticket_code
from amarevents.resolvers.tickets.custom_answers import CheckedAnswer, check_answers, store_answers
from amarevents.resolvers.tickets.holds import end_of_hold, take_overdue_place
from amarevents.resolvers.tickets.notifications import enqueue_ticket_email, reason_to_hold_email
from amarevents.resolvers.tickets.payment_claims import ClaimMove, claim_of_ticket, move_claims
from amarevents.resolvers.tickets.places import choose_ticket_type, is_full, require_place_for_account
from amarevents.resolvers.tickets.queries import TicketDetailView, load_ticket
from amarevents.security.context import Context
from amarevents.security.policy import USERS, Scope, allow

_MAX_ANSWERS = 100


def _require_flat(value: object) -> object:
    """Refuse nested values and long lists: no field accepts them, and idempotency could not compare very deep ones."""
    parts = value if isinstance(value, list) else [value]
    if len(parts) > MAX_OPTIONS:
        raise ValueError(f"must have at most {MAX_OPTIONS} items")
    if any(isinstance(part, list | dict) for part in parts):
        raise ValueError("must be a string, a number, true, false or a list of these")
    return value


_ANSWERS: list[JsonDict] = [{"type": "string"}, {"type": "number"}, {"type": "boolean"}, {"type": "null"}]
# Any: the type of the custom field decides what is valid.
Answer = Annotated[
    Any,
    BeforeValidator(_require_flat),
    WithJsonSchema({"anyOf": [*_ANSWERS, {"type": "array", "items": {"type": "string"}, "maxItems": MAX_OPTIONS}]}),
]


class RegisterForEvent(TransactionInput):
    """The registration of one attendee, by default the caller (decisions 6.7)."""

    event_id: Id
    """The ID of the event."""
    name: Name | None = None
    """The name of the attendee. Defaults to your username."""
    email: Email | None = None
    """The email address of the attendee. Defaults to yours."""
    number: Phone | None = None
    """The phone number of the attendee. Defaults to yours."""
    ticket_type_id: Id | None = None
    """The ID of a ticket type of the event. Defaults to the first one that has a place, in the order of their IDs."""
    amount: Money | None = None
    """The amount that you say you have paid, in taka; it approves nothing. Defaults to the price. From the owner of the
    event and admins, it replaces the price."""
    payment_method: PaymentMethod | None = None
    """The payment method."""
    note: LongText | None = None
    """A note about the registration."""
    custom_fields: Annotated[dict[str, Answer], Field(max_length=_MAX_ANSWERS)] | None = None
    """The answers to the event's custom fields, by the name or the ID of the field."""


@dataclass(frozen=True, slots=True)
class _Price:
    """What a place costs, what is said to have been paid, and the status that a ticket therefore starts with."""

    due: Decimal
    amount: Decimal

    @property
    def status(self) -> TicketStatus:
        """Return Pending if there is a payment to approve: what buyers say approves none (decisions 6.1)."""
        return TicketStatus.PENDING if self.due or self.amount else TicketStatus.SUCCESS


@dataclass(frozen=True, slots=True)
class _Registration:
    """A valid registration, for which a ticket type is still to be found."""

    event: Event
    data: RegisterForEvent
    fields: Sequence[CustomField]
    answers: Mapping[int, CheckedAnswer]
    _: KW_ONLY
    is_manager: bool
    held_because: str | None


@operation(
    allow(*USERS, scope=Scope.TICKETS_WRITE),
    creates=True,
    changes=(Ticket,),
    raises=(
        errors.NotFound,
        errors.RegistrationClosed,
        errors.SoldOut,
        errors.TooManyPlaces,
        errors.DuplicateTransaction,
        errors.ValidationFailed,
    ),
)
async def register_for_event(ctx: Context, data: RegisterForEvent) -> TicketDetailView:
    """Register an attendee for an event.

    A ticket that costs nothing is approved at once. Any other ticket is pending until the organizer approves the
    payment, and holds its place in the meantime; without a transaction ID, only for the time that the event allows.
    """
    event = await get_event_model(ctx, data.event_id)
    is_manager = manages(ctx, event.organization.user_id)
    if not is_manager and not is_registration_open(event, ctx.now, ctx.services.settings.time_zone):
        raise errors.RegistrationClosed
    ticket_type = await choose_ticket_type(ctx, event, data.ticket_type_id)
    fields = await CustomField.filter(event_id=event.id).order_by("position", "id")
    answers = check_answers(fields, data.custom_fields or {})
    mine = ctx.principal.require_account().email
    held_because = None if is_manager else await reason_to_hold_email(ctx, data.email or mine, registered_by=mine)
    registration = _Registration(event, data, fields, answers, is_manager=is_manager, held_because=held_because)
    while True:
        try:
            ticket = await _register(ctx, registration, ticket_type)
        except errors.SoldOut:
            # The last place has been taken since the type was chosen. Raises SoldOut unless another place is left.
            ticket_type = await choose_ticket_type(ctx, event, data.ticket_type_id)
        else:
            return await load_ticket(ctx, ticket.id)


async def _register(ctx: Context, registration: _Registration, ticket_type: TicketType | None) -> Ticket:
    """Create the ticket, in a transaction. Raises SoldOut if the type has no place left."""
    event = registration.event
    async with in_transaction():
        await require_place_for_account(ctx, event)
        has_place = ticket_type and is_full(ticket_type) and await take_overdue_place(ctx, ticket_type)
        ticket = await _create_ticket(ctx, registration, ticket_type)
        await store_answers(ticket, registration.answers)
        given = registration.answers
        answers = {field.name: given[field.id].value if field.id in given else "" for field in registration.fields}
        await enqueue_ticket_email(ctx, ticket, event, answers, held_because=registration.held_because)
        await move_claims([ClaimMove(ticket, None, claim_of_ticket(ticket, event.organization_id))])
        if ticket_type is not None and not has_place:
            # Last, so that the row that all registrations for this type need is locked as briefly as possible.
            await claim_place(ticket_type.id)
        ctx.record_change(event.id, TicketChange(TicketChangeKind.CREATED, ticket.id))
    return ticket


def _price(ticket_type: TicketType | None, amount: Decimal | None, *, is_manager: bool) -> _Price:
    """Return the price that the server determines, which only managers can replace (decisions 6.1)."""
    due = ticket_type.price if ticket_type else Decimal(0)
    if amount is None:
        return _Price(due=due, amount=due)
    return _Price(due=amount if is_manager else due, amount=amount)


async def _create_ticket(ctx: Context, registration: _Registration, ticket_type: TicketType | None) -> Ticket:
    event, data, account = registration.event, registration.data, ctx.principal.require_account()
    price = _price(ticket_type, data.amount, is_manager=registration.is_manager)
    ticket = Ticket(
        code=new_ticket_code(),
        event_id=event.id,
        user_id=account.id,
        ticket_type_id=ticket_type.id if ticket_type else None,
        name=data.name or account.username,
        email=data.email or account.email,
        number=data.number or account.number,
        amount=price.amount,
        due=price.due,
        status=price.status,
        transaction_id=data.transaction,
        payment_method=data.payment_method,
        note=data.note,
    )
    ticket.hold_expires_at = end_of_hold(ctx, ticket, event)
    with integrity_errors({}, otherwise=errors.NotFound("Event")):
        await ticket.save()
    ticket.event = event
    ticket.ticket_type = ticket_type
    return ticket
