"""Whose row is it: conditions that go into the query itself, so that what is not visible is never loaded.

Keys act with their type at most: a user key has none of its account's powers as an organizer, an organizer key none of
its account's as an admin.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

from tortoise.expressions import Q, Subquery
from tortoise.models import Model
from tortoise.queryset import QuerySet

from amarevents import errors
from amarevents.models import CustomField, Event, GalleryImage, Organization, Ticket, TicketType
from amarevents.models.enums import HOLDING, KeyType, Privacy
from amarevents.security.context import Context
from amarevents.security.policy import Account, Scope

P = TypeVar("P", TicketType, CustomField, GalleryImage)

NOT_THE_MANAGER = "Only the event's owner and admins may do this"
_NOTHING = Q(id__in=[])
_PARTS: dict[type[Model], str] = {TicketType: "Ticket type", CustomField: "Custom field", GalleryImage: "Picture"}


def is_admin(ctx: Context) -> bool:
    return ctx.principal.may_act_as(KeyType.ADMIN)


def visible_events(ctx: Context) -> QuerySet[Event]:
    """Public events and, with events:read, the private ones of owners, admins and ticket holders (decisions 4.1)."""
    account = ctx.principal.account
    if account is None or not ctx.principal.holds(Scope.EVENTS_READ):
        return Event.filter(privacy=Privacy.PUBLIC)
    if is_admin(ctx):
        return Event.all()
    held = Ticket.filter(own_tickets(ctx), status__in=HOLDING)
    return Event.filter(
        Q(privacy=Privacy.PUBLIC) | Q(organization__user_id=account.id) | Q(id__in=Subquery(held.values("event_id")))
    )


async def visible_event_ids(ctx: Context, ids: Iterable[int]) -> list[int]:
    """Those of the events that the caller may see, by the same rule."""
    rows = await visible_events(ctx).filter(id__in=list(ids)).values_list("id")
    return [event_id for (event_id,) in rows]


def managed(ctx: Context, owner: str) -> Q:
    """Condition on rows of organizations that the caller manages; ``owner`` leads to the owner's id.

    Owners by session or by an organizer key, admins everything.
    """
    if is_admin(ctx):
        return Q()
    if ctx.principal.account is None or not ctx.principal.may_act_as(KeyType.ORGANIZER):
        return _NOTHING
    mine: dict[str, Any] = {owner: ctx.principal.account.id}  # Any: what Q takes
    return Q(**mine)


def own_tickets(ctx: Context) -> Q:
    """Condition on tickets: the caller's own."""
    return tickets_of(ctx, ctx.principal.require_account())


def tickets_of(ctx: Context, account: Account) -> Q:
    """Condition on tickets: those that the account registered, and those in its (confirmed) email (decisions 6.7)."""
    registered = Q(user_id=account.id)
    if ctx.services.settings.confirm_email and not account.email_confirmed:
        return registered
    return registered | Q(email=account.email)


def visible_tickets(ctx: Context) -> QuerySet[Ticket]:
    """Own tickets, those of managed events, or all for admins (decisions 6.9)."""
    if is_admin(ctx):
        return Ticket.all()
    return Ticket.filter(own_tickets(ctx) | managed(ctx, "event__organization__user_id"))


async def managed_event_ids(ctx: Context, ids: Iterable[int]) -> list[int]:
    """Those of the events that the caller manages."""
    rows = await Event.filter(managed(ctx, "organization__user_id"), id__in=list(ids)).values_list("id")
    return [event_id for (event_id,) in rows]


def manages(ctx: Context, owner_id: int) -> bool:
    """Whether the caller may do what the owner of this account's organizations may."""
    account = ctx.principal.account
    owns = account is not None and account.id == owner_id and ctx.principal.may_act_as(KeyType.ORGANIZER)
    return owns or is_admin(ctx)


async def get_visible_event(ctx: Context, event_id: int) -> Event:
    """The event with its organization. Raises NotFound where the caller may not know of it."""
    event = await visible_events(ctx).select_related("organization").get_or_none(id=event_id)
    if event is None:
        raise errors.NotFound("Event")
    return event


async def require_event_manager(ctx: Context, event_id: int) -> Event:
    """The event with its organization. Raises NotFound as above, Forbidden where it is seen but not managed."""
    managed_events = Event.filter(managed(ctx, "organization__user_id"))
    event = await managed_events.select_related("organization").get_or_none(id=event_id)
    if event is not None:
        return event
    await get_visible_event(ctx, event_id)
    raise errors.Forbidden(NOT_THE_MANAGER)


async def require_part_manager(ctx: Context, model: type[P], part_id: int) -> P:
    """What belongs to an event. Raises NotFound, also where the event may not be known of, or Forbidden."""
    part = await model.get_or_none(id=part_id)
    if part is None:
        raise errors.NotFound(_PARTS[model])
    try:
        await require_event_manager(ctx, part.event_id)
    except errors.NotFound as hidden:
        raise errors.NotFound(_PARTS[model]) from hidden
    return part


async def require_organization_manager(ctx: Context, organization_id: int) -> Organization:
    """Raises NotFound, or Forbidden for an organization of somebody else (organizations are public)."""
    organization = await Organization.get_or_none(id=organization_id)
    if organization is None:
        raise errors.NotFound("Organization")
    if not manages(ctx, organization.user_id):
        raise errors.Forbidden("Only the organization's owner and admins may do this")
    return organization
