"""Places for registrations: a ticket type with a free one, and how many an account can hold (decisions 6.2a, 6.4)."""

from tortoise.expressions import Q

from amarevents import errors
from amarevents.models import Event, Ticket, TicketType, User
from amarevents.resolvers.tickets.holds import holds_place, overdue
from amarevents.security.context import Context


async def get_ticket_type_of(event: Event, ticket_type_id: int) -> TicketType:
    """Return a ticket type of an event. Raises ValidationFailed."""
    ticket_type = await TicketType.get_or_none(id=ticket_type_id, event_id=event.id)
    if ticket_type is None:
        raise errors.ValidationFailed({"ticket_type_id": "is not a ticket type of this event"})
    return ticket_type


async def choose_ticket_type(ctx: Context, event: Event, ticket_type_id: int | None) -> TicketType | None:
    """Return the requested type, or the first one that has a place, or None for an event without types (6.4).

    A place of an overdue hold is free. Raises SoldOut only if there was a moment at which no place was left.
    """
    ticket_types = await _candidates(event, ticket_type_id)
    if not ticket_types or not is_full(ticket_types[0]):
        return ticket_types[0] if ticket_types else None
    # In this order: the place of a hold that has been ended in between is free when the types are read again.
    with_overdue_holds = await _types_with_overdue_holds(ctx, event)
    for ticket_type in await _candidates(event, ticket_type_id):
        if not is_full(ticket_type) or ticket_type.id in with_overdue_holds:
            return ticket_type
    raise errors.SoldOut


async def _candidates(event: Event, ticket_type_id: int | None) -> list[TicketType]:
    """Return the requested type, or all types of the event, as they are at one moment. Raises ValidationFailed."""
    if ticket_type_id is not None:
        return [await get_ticket_type_of(event, ticket_type_id)]
    return await TicketType.filter(event_id=event.id).order_by("id")


async def _types_with_overdue_holds(ctx: Context, event: Event) -> set[int]:
    holds = Ticket.filter(overdue(ctx.now), event_id=event.id)
    return {ticket_type_id for (ticket_type_id,) in await holds.distinct().values_list("ticket_type_id")}


def is_full(ticket_type: TicketType) -> bool:
    """Return whether all places were taken when the type was read; only claim_place prevents overselling."""
    return 0 < ticket_type.capacity <= ticket_type.sold


async def require_place_for_account(ctx: Context, event: Event) -> None:
    """Lock the caller's account, and check that it may hold another place of the event. Raises TooManyPlaces.

    The lock makes simultaneous registrations of one account wait for each other, and no others: rows that refer to the
    account can still be written.
    """
    account = ctx.principal.require_account()
    limit = ctx.services.settings.places_per_account if event.places_per_account is None else event.places_per_account
    if not limit or account.admin or account.id == event.organization.user_id:
        return
    if await User.filter(id=account.id).select_for_update(no_key=True).only("id").get_or_none() is None:
        raise errors.Unauthenticated  # deleted since the request was authenticated
    if await _places_held(ctx, account.id, event.id) >= limit:
        raise errors.TooManyPlaces(limit)


async def _places_held(ctx: Context, user_id: int, event_id: int) -> int:
    return await Ticket.filter(Q(user_id=user_id, event_id=event_id) & holds_place(ctx.now)).count()
