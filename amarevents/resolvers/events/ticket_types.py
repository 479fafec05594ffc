"""Ticket types: the kinds of place that an event offers, and how many are left."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.expressions import F, Q
from tortoise.queryset import QuerySet
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.infra.pubsub import TicketChange
from amarevents.models import Event, Ticket, TicketType
from amarevents.models.enums import TicketChangeKind, TicketStatus
from amarevents.resolvers.core.ids import TicketTypeId
from amarevents.resolvers.core.inputs import (
    Count,
    DateTime,
    DeletedView,
    Id,
    Input,
    LongText,
    Money,
    Name,
    NotNull,
    RecordId,
    deleted,
)
from amarevents.resolvers.core.locking import lock_in_order
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.permissions import (
    get_visible_event,
    require_event_manager,
    require_part_manager,
    visible_event_ids,
)
from amarevents.security.context import Context
from amarevents.security.policy import ORGANIZERS, PUBLIC, Scope, allow

MAX_TICKET_TYPES = 50
"""How many an event may have; all of them are shown with it."""


@dataclass(slots=True, kw_only=True)
class TicketTypeView:
    """A kind of place. ``price`` in taka; capacity 0 is unlimited, and ``available`` is then null (decisions 6.3)."""

    id: RecordId
    """The integer that names it in paths and in other fields."""
    event_id: RecordId
    """The id of the event."""
    name: str
    """The name that people read."""
    price: Decimal
    """What a place costs, in taka with at most two decimals; 0 is free."""
    capacity: int
    """How many places there are; 0 is unlimited."""
    description: str | None
    """A text about it, of at most 20,000 characters."""
    sold: int
    """How many places are held, by tickets that are `Pending` or `Success`."""
    available: int | None
    """How many places are left; null is unlimited."""
    is_available: bool
    """Whether a place is left."""
    created_at: DateTime
    """When it was created, in UTC."""


def ticket_type_view(row: TicketType) -> TicketTypeView:
    available = None if row.capacity == 0 else max(row.capacity - row.sold, 0)
    return TicketTypeView(
        id=RecordId(row.id),
        event_id=RecordId(row.event_id),
        name=row.name,
        price=row.price,
        capacity=row.capacity,
        description=row.description,
        sold=row.sold,
        available=available,
        is_available=available != 0,
        created_at=row.created_at,
    )


class ListTicketTypes(Input):
    """Of which event."""

    event_id: Id
    """The id of the event."""


@operation(PUBLIC, raises=(errors.NotFound,))
async def list_ticket_types(ctx: Context, data: ListTicketTypes) -> list[TicketTypeView]:
    """The ticket types of an event, with what is left of each."""
    event = await get_visible_event(ctx, data.event_id)
    return [ticket_type_view(row) for row in await TicketType.filter(event_id=event.id).order_by("-id")]


async def load_ticket_types(ctx: Context, ids: Sequence[int]) -> dict[int, TicketTypeView]:
    """The ticket types by id, of events that the caller may see, in two statements."""
    rows = await TicketType.filter(id__in=list(ids))
    visible = set(await visible_event_ids(ctx, {row.event_id for row in rows}))
    return {row.id: ticket_type_view(row) for row in rows if row.event_id in visible}


class TicketTypeInput(Input):
    """A ticket type, to be created with its event. ``capacity`` 0 is unlimited, ``price`` 0 free."""

    name: Name
    """The name that people read."""
    price: Money = Decimal(0)
    """What a place costs, in taka with at most two decimals; 0 is free."""
    capacity: Count = 0
    """How many places there are; 0 is unlimited."""
    description: LongText | None = None
    """A text about it, of at most 20,000 characters."""


class CreateTicketType(TicketTypeInput):
    """A further ticket type of an event."""

    event_id: Id
    """The id of the event."""


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE),
    creates=True,
    raises=(errors.NotFound, errors.Forbidden, errors.TooManyTicketTypes),
)
async def create_ticket_type(ctx: Context, data: CreateTicketType) -> TicketTypeView:
    """Add a ticket type to an event."""
    event = await require_event_manager(ctx, data.event_id)
    if await TicketType.filter(event_id=event.id).count() >= MAX_TICKET_TYPES:
        raise errors.TooManyTicketTypes(MAX_TICKET_TYPES)
    ctx.record_change(event.id)
    return ticket_type_view(await new_ticket_type(event.id, data))


async def new_ticket_type(event_id: int, data: TicketTypeInput) -> TicketType:
    """Raises NotFound if the event has been deleted meanwhile."""
    try:
        return await TicketType.create(
            event_id=event_id, name=data.name, price=data.price, capacity=data.capacity, description=data.description
        )
    except IntegrityError as error:
        raise errors.NotFound("Event") from error


class UpdateTicketType(Input):
    """What of a ticket type can change. Tickets that are issued already keep their amount (decisions 6.3)."""

    name: NotNull[Name] = None
    """The name that people read."""
    price: NotNull[Money] = None
    """What a place costs, in taka with at most two decimals; 0 is free."""
    capacity: NotNull[Count] = None
    """How many places there are; 0 is unlimited."""
    description: LongText | None = None
    """A text about it, of at most 20,000 characters."""


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE), raises=(errors.NotFound, errors.Forbidden, errors.CapacityTooLow)
)
async def update_ticket_type(ctx: Context, id: TicketTypeId, data: UpdateTicketType) -> TicketTypeView:
    """Change what is sent of a ticket type."""
    event_id = (await require_part_manager(ctx, TicketType, id)).event_id
    if changes := data.changed_fields():
        ctx.record_change(event_id)
        await _update(id, changes)
    row = await TicketType.get_or_none(id=id)
    if row is None:
        raise errors.NotFound("Ticket type")
    return ticket_type_view(row)


async def _update(ticket_type_id: int, changes: dict[str, Any]) -> None:
    """One conditional update: no place can be taken between looking and lowering the capacity (decisions 6.2)."""
    rows = TicketType.filter(id=ticket_type_id)
    fitting = rows.filter(sold__lte=changes["capacity"]) if changes.get("capacity") else rows
    if not await fitting.update(**changes) and await rows.exists():
        raise errors.CapacityTooLow


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE), raises=(errors.NotFound, errors.Forbidden, errors.HasApprovedTickets)
)
async def delete_ticket_type(ctx: Context, id: TicketTypeId) -> DeletedView:
    """Delete a ticket type of which no ticket is approved; its other tickets go on without a type."""
    event_id = (await require_part_manager(ctx, TicketType, id)).event_id
    if await _approved(id).exists():
        raise errors.HasApprovedTickets  # spares the locks; what counts is the second look
    async with in_transaction():
        # All tickets of the event, for those of its other types may be on the way to this one: whoever registers,
        # moves or approves comes before or after.
        await lock_in_order(Event.filter(id=event_id))
        await lock_in_order(Ticket.filter(event_id=event_id))
        await _require_none_approved(id)
        await _announce_deletion(ctx, event_id, id)
        if not await TicketType.filter(id=id).delete():
            raise errors.NotFound("Ticket type")
    return deleted(id)


async def _announce_deletion(ctx: Context, event_id: int, ticket_type_id: int) -> None:
    """The event's numbers change, and those of its tickets that lose their type."""
    losing = await Ticket.filter(ticket_type_id=ticket_type_id).values_list("id")
    ctx.record_change(event_id, *(TicketChange(TicketChangeKind.UPDATED, ticket_id) for (ticket_id,) in losing))


def _approved(ticket_type_id: int) -> QuerySet[Ticket]:
    return Ticket.filter(ticket_type_id=ticket_type_id, status=TicketStatus.SUCCESS)


async def _require_none_approved(ticket_type_id: int) -> None:
    if await _approved(ticket_type_id).exists():
        raise errors.HasApprovedTickets


async def claim_place(ticket_type_id: int) -> None:
    """Take one place, in one conditional update inside the caller's transaction (decisions 6.2).

    Raises SoldOut. Nothing is counted first: between a count and an insert others would be let in.
    """
    free = Q(capacity=0) | Q(sold__lt=F("capacity"))
    if not await TicketType.filter(free, id=ticket_type_id).update(sold=F("sold") + 1):
        raise errors.SoldOut


async def give_back_place(ticket_type_id: int) -> None:
    """Return one place, in the transaction in which its ticket stops holding it."""
    await TicketType.filter(id=ticket_type_id).update(sold=F("sold") - 1)
