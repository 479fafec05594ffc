"""Registration for events: price, answers to custom fields and the new ticket (decisions 6.1 to 6.7)."""

from collections.abc import Awaitable, Mapping
from dataclasses import KW_ONLY, dataclass
from decimal import Decimal
from operator import attrgetter
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic.config import JsonDict
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.infra.pubsub import TicketChange
from amarevents.mail.templates import EmailContent, ticket_confirmed
from amarevents.models import Ticket, TicketType
from amarevents.models.columns import utc_now
from amarevents.models.enums import PaymentMethod, TicketChangeKind, TicketStatus
from amarevents.resolvers.core.inputs import Id, Money, RecordId
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.permissions import manages
from amarevents.resolvers.core.text_types import Email, LongText, Name, Phone
from amarevents.resolvers.core.transaction_ids import TransactionInput
from amarevents.resolvers.events.custom_fields import MAX_OPTIONS
from amarevents.resolvers.events.views import is_registration_open
from amarevents.resolvers.tickets.booking import (
    Values,
    answer_values,
    book,
    claim_values,
    email_values,
    lock_account,
    ticket_values,
)
from amarevents.resolvers.tickets.codes import new_ticket_code
from amarevents.resolvers.tickets.custom_answers import CheckedAnswer, answer_views, check_answers
from amarevents.resolvers.tickets.holds import end_of_hold, take_overdue_place
from amarevents.resolvers.tickets.notifications import reason_to_hold_email
from amarevents.resolvers.tickets.offers import Offer, OfferedType, load_offer
from amarevents.resolvers.tickets.payment_claims import claim_of_ticket
from amarevents.resolvers.tickets.queries import TicketDetailView
from amarevents.security.context import Context
from amarevents.security.policy import USERS, Scope, allow
from amarevents.tasks import finish

_MAX_ANSWERS = 100
_FREE = Decimal("0.00")


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

    offer: Offer
    data: RegisterForEvent
    answers: Mapping[int, CheckedAnswer]
    _: KW_ONLY
    is_manager: bool
    held_because: str | None


@operation(
    allow(*USERS, scope=Scope.TICKETS_WRITE),
    creates=True,
    changes=(Ticket, TicketType),
    turn_key=attrgetter("event_id"),
    raises=(
        errors.NotFound,
        errors.RegistrationClosed,
        errors.SoldOut,
        errors.TooManyPlaces,
        errors.DuplicateTransaction,
        errors.ValidationFailed,
        errors.Overloaded,
    ),
)
async def register_for_event(ctx: Context, data: RegisterForEvent) -> TicketDetailView:
    """Register an attendee for an event.

    A ticket that costs nothing is approved at once. Any other ticket is pending until the organizer approves the
    payment, and holds its place in the meantime; without a transaction ID, only for the time that the event allows.
    """
    offer = await load_offer(ctx, data.event_id)
    is_manager = manages(ctx, offer.owner_id)
    if not is_manager and not is_registration_open(offer, ctx.now, ctx.services.settings.time_zone):
        raise errors.RegistrationClosed
    ticket_type = offer.choose_ticket_type(data.ticket_type_id)
    answers = check_answers(offer.custom_fields, data.custom_fields or {})
    mine = ctx.principal.require_account().email
    held_because = None if is_manager else await reason_to_hold_email(ctx, data.email or mine, registered_by=mine)
    registration = _Registration(offer, data, answers, is_manager=is_manager, held_because=held_because)
    while True:
        try:
            return await _register(ctx, registration, ticket_type)
        except errors.SoldOut:
            # The last place has been taken since the type was chosen. Raises SoldOut unless another place is left.
            ticket_type = (await load_offer(ctx, data.event_id)).choose_ticket_type(data.ticket_type_id)


async def _register(ctx: Context, registration: _Registration, ticket_type: OfferedType | None) -> TicketDetailView:
    """Create the ticket. Raises SoldOut if the type has no place left."""
    ticket = _new_ticket(ctx, registration, ticket_type)
    values = _values(ctx, registration, ticket)
    is_full = ticket_type is not None and ticket_type.is_full
    # To the end, because the change has to be published even if a cancellation comes during the commit.
    await finish(_book(ctx, ticket, _book_overdue_place(ctx, values) if is_full else book(values)))
    return ticket


async def _book(ctx: Context, ticket: TicketDetailView, written: Awaitable[RecordId]) -> None:
    ticket.id = await written
    ctx.record_change(ticket.event_id, TicketChange(TicketChangeKind.CREATED, ticket.id))


async def _book_overdue_place(ctx: Context, values: Values) -> RecordId:
    """Book a place of the ticket type that an overdue hold still takes, or one that has become free since."""
    async with in_transaction():
        await lock_account(values)
        has_place = await take_overdue_place(ctx, values["event_id"], values["ticket_type_id"])
        return await book({**values, "places_limit": None, "takes_place": not has_place})


def _price(ticket_type: OfferedType | None, amount: Decimal | None, *, is_manager: bool) -> _Price:
    """Return the price that the server determines, which only managers can replace (decisions 6.1)."""
    due = ticket_type.price if ticket_type else _FREE
    if amount is None:
        return _Price(due=due, amount=due)
    amount = amount.quantize(_FREE)
    return _Price(due=amount if is_manager else due, amount=amount)


def _new_ticket(ctx: Context, registration: _Registration, ticket_type: OfferedType | None) -> TicketDetailView:
    """Return the view of the ticket, without its ID."""
    offer, data, account = registration.offer, registration.data, ctx.principal.require_account()
    price = _price(ticket_type, data.amount, is_manager=registration.is_manager)
    now = utc_now()
    ticket = TicketDetailView(
        id=RecordId(0),
        code=new_ticket_code(),
        event_id=offer.id,
        event_name=offer.name,
        event_date=offer.date,
        user_id=RecordId(account.id),
        ticket_type_id=ticket_type.id if ticket_type else None,
        ticket_type_name=ticket_type.name if ticket_type else None,
        name=data.name or account.username,
        email=data.email or account.email,
        number=data.number or account.number,
        amount=price.amount,
        due=price.due,
        status=price.status,
        transaction_id=data.transaction,
        transid=data.transaction,
        payment_method=data.payment_method,
        note=data.note,
        expires_at=None,
        created_at=now,
        updated_at=now,
        custom_fields=answer_views(offer.custom_fields, registration.answers),
    )
    ticket.expires_at = end_of_hold(ctx, ticket, offer)
    return ticket


def _values(ctx: Context, registration: _Registration, ticket: TicketDetailView) -> Values:
    """Return everything that is written with a ticket."""
    offer = registration.offer
    return {
        **ticket_values(ticket),
        **answer_values(registration.answers),
        **email_values(ctx, _confirmation(registration, ticket), held_because=registration.held_because),
        **claim_values(claim_of_ticket(ticket, offer.organization_id)),
        "places_limit": _places_limit(ctx, offer),
        "now": ctx.now,
    }


def _confirmation(registration: _Registration, ticket: TicketDetailView) -> EmailContent | None:
    """Return the email that confirms a ticket, None for one whose payment is still to be approved."""
    if ticket.status is not TicketStatus.SUCCESS:
        return None
    given = registration.answers
    fields = registration.offer.custom_fields
    answers = {field.name: given[field.id].value if field.id in given else "" for field in fields}
    return ticket_confirmed(ticket, registration.offer, answers)


def _places_limit(ctx: Context, offer: Offer) -> int | None:
    """Return how many places of the event the caller can hold, None if as many as there are (decisions 6.2a)."""
    account = ctx.principal.require_account()
    limit = ctx.services.settings.places_per_account if offer.places_per_account is None else offer.places_per_account
    return None if not limit or account.admin or account.id == offer.owner_id else limit
