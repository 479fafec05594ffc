"""Ticket types of events, and the places that their tickets hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tortoise.expressions import F, Q
from tortoise.queryset import QuerySet
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.infra.pubsub import TicketChange
from amarevents.models import Event, Ticket, TicketType
from amarevents.models.db.sql import is_in, sql
from amarevents.models.enums import TicketChangeKind, TicketStatus
from amarevents.resolvers.core.constraint_errors import integrity_errors
from amarevents.resolvers.core.ids import TicketTypeId
from amarevents.resolvers.core.inputs import Count, DateTime, DeletedView, Id, Input, Money, NotNull, RecordId, deleted
from amarevents.resolvers.core.locking import lock_in_order
from amarevents.resolvers.core.operation import Shared, operation
from amarevents.resolvers.core.pagination import Page, WholeListPaging, paginate
from amarevents.resolvers.core.permissions import (
    get_visible_event,
    listed_event_ids,
    of_visible_events,
    require_event_manager,
    require_part_manager,
)
from amarevents.resolvers.core.select import Part, Select, by_id
from amarevents.resolvers.core.sources import Source, derived
from amarevents.resolvers.core.text_types import LongText, Name
from amarevents.security.context import Context
from amarevents.security.policy import ORGANIZERS, PUBLIC, Scope, allow

MAX_TICKET_TYPES = 50
"""The maximum per event; ticket types are not paginated."""


@dataclass(slots=True, kw_only=True)
class TicketTypeView:
    """A type of ticket for an event, with its price and its places (decisions 6.3)."""

    id: RecordId
    """The ID of the ticket type."""
    event_id: RecordId
    """The ID of the event."""
    name: str
    """The name of the ticket type."""
    price: Decimal
    """The ticket price in taka; 0 is free."""
    capacity: int
    """The maximum number of places; 0 means unlimited."""
    description: str | None
    """The description of the ticket type, at most 20,000 characters."""
    sold: int
    """The number of places that are taken, by tickets that are pending or approved."""
    available: int | None
    """The number of places that are left; null means unlimited."""
    is_available: bool
    """Whether any places are left."""
    created_at: DateTime
    """When the ticket type was created, in UTC."""


def _places_left(view: TicketTypeView) -> int | None:
    return None if view.capacity == 0 else max(view.capacity - view.sold, 0)


_TICKET_TYPES = Select(
    Source(
        TicketTypeView,
        "ticket_types",
        available=derived(_places_left, "capacity", "sold"),
        is_available=derived(lambda view: _places_left(view) != 0, "capacity", "sold"),
    )
)
TICKET_TYPES_OF_EVENT = Part(_TICKET_TYPES.order_by("ticket_types.id", descending=True), "event_id")
"""The ticket types of an event, newest first."""


class ListTicketTypes(WholeListPaging):
    """The page of an event's ticket types to return."""

    event_id: Id
    """The ID of the event."""


@operation(PUBLIC, raises=(errors.NotFound,), shared=Shared(models=(Event, TicketType), event_argument="event_id"))
async def list_ticket_types(ctx: Context, data: ListTicketTypes) -> Page[TicketTypeView]:
    """List the ticket types of an event, newest first."""
    await get_visible_event(ctx, data.event_id)
    found = await TICKET_TYPES_OF_EVENT.rows.grouped_by("event_id", [data.event_id], ctx.fields)
    return paginate(found[data.event_id], data)


async def load_ticket_types(ctx: Context, ids: Sequence[int]) -> dict[int, TicketTypeView]:
    """Return the ticket types of events that the caller may see, by ID, in one statement."""
    visible = of_visible_events(ctx, "ticket_types.event_id")
    return by_id(await _TICKET_TYPES.where(is_in("ticket_types.id", ids), visible).fetch(ctx.fields))


async def load_ticket_types_of_events(ctx: Context, event_ids: Sequence[int]) -> dict[int, list[TicketTypeView]]:
    """Return the ticket types of events that the caller may see, newest first, by event ID, in one statement."""
    return await TICKET_TYPES_OF_EVENT.rows.grouped_by("event_id", await listed_event_ids(ctx, event_ids), ctx.fields)


async def _get_ticket_type(ticket_type_id: int) -> TicketTypeView:
    """Return a ticket type. Raises NotFound if it has been deleted."""
    found = await _TICKET_TYPES.where(sql("ticket_types.id = ?", ticket_type_id)).first()
    if found is None:
        raise errors.NotFound("Ticket type")
    return found


class TicketTypeInput(Input):
    """Fields of a ticket type to create with its event."""

    name: Name
    """The name of the ticket type."""
    price: Money = Decimal(0)
    """The ticket price in taka, with at most two decimal places; 0 is free."""
    capacity: Count = 0
    """The maximum number of places; 0 means unlimited."""
    description: LongText | None = None
    """The description of the ticket type, at most 20,000 characters."""


class CreateTicketType(TicketTypeInput):
    """Fields of the ticket type to create."""

    event_id: Id
    """The ID of the event."""


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE),
    creates=True,
    changes=(TicketType,),
    raises=(errors.NotFound, errors.Forbidden, errors.TooManyTicketTypes),
)
async def create_ticket_type(ctx: Context, data: CreateTicketType) -> TicketTypeView:
    """Add a ticket type to an event."""
    event = await require_event_manager(ctx, data.event_id)
    if await TicketType.filter(event_id=event.id).count() >= MAX_TICKET_TYPES:
        raise errors.TooManyTicketTypes(MAX_TICKET_TYPES)
    ctx.record_change(event.id)
    return await _get_ticket_type((await new_ticket_type(event.id, data)).id)


async def new_ticket_type(event_id: int, data: TicketTypeInput) -> TicketType:
    """Create a ticket type. Raises NotFound if the event has been deleted."""
    with integrity_errors({}, otherwise=errors.NotFound("Event")):
        return await TicketType.create(
            event_id=event_id, name=data.name, price=data.price, capacity=data.capacity, description=data.description
        )


class UpdateTicketType(Input):
    """Fields of the ticket type to update; omitted fields stay unchanged."""

    name: NotNull[Name] = None
    """The name of the ticket type."""
    price: NotNull[Money] = None
    """The ticket price in taka, with at most two decimal places; 0 is free."""
    capacity: NotNull[Count] = None
    """The maximum number of places; 0 means unlimited."""
    description: LongText | None = None
    """The description of the ticket type, at most 20,000 characters."""


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE),
    changes=(TicketType,),
    raises=(errors.NotFound, errors.Forbidden, errors.CapacityTooLow),
)
async def update_ticket_type(ctx: Context, id: TicketTypeId, data: UpdateTicketType) -> TicketTypeView:
    """Update a ticket type; existing tickets keep their amount (decisions 6.3)."""
    event_id = (await require_part_manager(ctx, TicketType, id)).event_id
    if changes := data.changed_fields():
        ctx.record_change(event_id)
        await _update(id, changes)
    return await _get_ticket_type(id)


async def _update(ticket_type_id: int, changes: dict[str, object]) -> None:
    """Update the row and check its capacity in one statement: no place is taken in between (decisions 6.2)."""
    rows = TicketType.filter(id=ticket_type_id)
    large_enough = rows.filter(sold__lte=changes["capacity"]) if changes.get("capacity") else rows
    if not await large_enough.update(**changes) and (current := await rows.first()):
        raise errors.CapacityTooLow(current.sold)


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE),
    changes=(TicketType,),
    raises=(errors.NotFound, errors.Forbidden, errors.HasApprovedTickets, errors.LastTicketType),
)
async def delete_ticket_type(ctx: Context, id: TicketTypeId) -> DeletedView:
    """Delete a ticket type that has no approved tickets; its other tickets remain, without a ticket type.

    The last ticket type of an event with tickets cannot be deleted: the event would become free and unlimited.
    """
    event_id = (await require_part_manager(ctx, TicketType, id)).event_id
    if await _approved(id).exists():
        raise errors.HasApprovedTickets  # avoids the locks; checked again once they are held
    async with in_transaction():
        # All tickets of the event, because a ticket of another type may be moved to this one. Registrations, moves and
        # approvals then happen either before or after the deletion.
        await lock_in_order(Event.filter(id=event_id))
        await lock_in_order(Ticket.filter(event_id=event_id))
        await _require_none_approved(id)
        await _require_another(event_id, id)
        await _record_deletion(ctx, event_id, id)
        if not await TicketType.filter(id=id).delete():
            raise errors.NotFound("Ticket type")
    return deleted(id)


async def _record_deletion(ctx: Context, event_id: int, ticket_type_id: int) -> None:
    """Record the change of the event and of the tickets that lose their type."""
    affected = await Ticket.filter(ticket_type_id=ticket_type_id).values_list("id")
    ctx.record_change(event_id, *(TicketChange(TicketChangeKind.UPDATED, ticket_id) for (ticket_id,) in affected))


def _approved(ticket_type_id: int) -> QuerySet[Ticket]:
    return Ticket.filter(ticket_type_id=ticket_type_id, status=TicketStatus.SUCCESS)


async def _require_none_approved(ticket_type_id: int) -> None:
    if await _approved(ticket_type_id).exists():
        raise errors.HasApprovedTickets


async def _require_another(event_id: int, ticket_type_id: int) -> None:
    """Require another ticket type if the event, which is locked, has tickets. Raises LastTicketType."""
    others = TicketType.filter(event_id=event_id).exclude(id=ticket_type_id)
    if await Ticket.exists(event_id=event_id) and not await others.exists():
        raise errors.LastTicketType


async def claim_place(ticket_type_id: int) -> None:
    """Take one place in the caller's transaction (decisions 6.2). Raises SoldOut.

    This is one conditional update: a count before it could be outdated by a concurrent registration.
    """
    free = Q(capacity=0) | Q(sold__lt=F("capacity"))
    if not await TicketType.filter(free, id=ticket_type_id).update(sold=F("sold") + 1):
        raise errors.SoldOut


async def release_place(ticket_type_id: int, number: int = 1) -> None:
    """Release one place or several, in the transaction in which their tickets stop holding them."""
    await TicketType.filter(id=ticket_type_id).update(sold=F("sold") - number)
