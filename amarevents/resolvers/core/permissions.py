"""Permissions on rows: which events, tickets and organizations a caller may see and manage.

They are conditions of the queries, so rows that the caller may not see are never loaded. An API key acts with its own
type at most: a user key has none of its account's rights as an organizer, and an organizer key none as an admin.
"""

from collections.abc import Iterable
from typing import TypeVar

from tortoise.expressions import Q, Subquery
from tortoise.models import Model
from tortoise.queryset import QuerySet

from amarevents import errors
from amarevents.models import CustomField, Event, GalleryImage, Organization, Ticket, TicketType
from amarevents.models.enums import HOLDING, KeyType, Privacy
from amarevents.security.context import Context
from amarevents.security.policy import Account, Scope
from amarevents.text import email_key

P = TypeVar("P", TicketType, CustomField, GalleryImage)

NOT_THE_MANAGER = "Only the owner of the event and admins can do this"
_NO_ROWS = Q(id__in=[])
PART_NOUNS: dict[type[Model], str] = {
    TicketType: "Ticket type",
    CustomField: "Custom field",
    GalleryImage: "Gallery image",
}


def is_admin(ctx: Context) -> bool:
    return ctx.principal.may_act_as(KeyType.ADMIN)


def visible_events(ctx: Context) -> QuerySet[Event]:
    """Return the events that the caller may see (decisions 4.1).

    These are the public events. With ``events:read``, organizers also see their own private events, ticket holders the
    private events of their tickets, and admins all events.
    """
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
    """Return the IDs of the given events that the caller may see."""
    rows = await visible_events(ctx).filter(id__in=list(ids)).values_list("id")
    return [event_id for (event_id,) in rows]


def managed_by_caller(ctx: Context, owner: str) -> Q:
    """Return the condition that the caller manages a row; ``owner`` is the lookup of the owner's ID.

    Owners manage the rows of their organizations, with a session or an organizer key. Admins manage all rows.
    """
    if is_admin(ctx):
        return Q()
    if ctx.principal.account is None or not ctx.principal.may_act_as(KeyType.ORGANIZER):
        return _NO_ROWS
    return Q(join_type=Q.AND, **{owner: ctx.principal.account.id})


def own_tickets(ctx: Context) -> Q:
    """Return the condition that a ticket belongs to the caller."""
    return tickets_of(ctx, ctx.principal.require_account())


def tickets_of(ctx: Context, account: Account) -> Q:
    """Return the condition that a ticket belongs to the account (decisions 6.7).

    These are the tickets that the account registered, and those with its email address once that is confirmed.
    """
    registered = Q(user_id=account.id)
    if ctx.services.settings.confirm_email and not account.email_confirmed:
        return registered
    return registered | Q(email_key=email_key(account.email))


def visible_tickets(ctx: Context) -> QuerySet[Ticket]:
    """Return the caller's own tickets and those of the events that the caller manages (decisions 6.9)."""
    if is_admin(ctx):
        return Ticket.all()
    return Ticket.filter(own_tickets(ctx) | managed_by_caller(ctx, "event__organization__user_id"))


async def managed_event_ids(ctx: Context, ids: Iterable[int]) -> list[int]:
    """Return the IDs of the given events that the caller manages."""
    rows = await Event.filter(managed_by_caller(ctx, "organization__user_id"), id__in=list(ids)).values_list("id")
    return [event_id for (event_id,) in rows]


def manages(ctx: Context, owner_id: int) -> bool:
    """Return whether the caller manages the organizations that this account owns."""
    account = ctx.principal.account
    owns = account is not None and account.id == owner_id and ctx.principal.may_act_as(KeyType.ORGANIZER)
    return owns or is_admin(ctx)


async def get_visible_event(ctx: Context, event_id: int) -> Event:
    """Return the event with its organization. Raises NotFound if the caller may not see it."""
    event = await visible_events(ctx).select_related("organization").get_or_none(id=event_id)
    if event is None:
        raise errors.NotFound("Event")
    return event


async def require_event_manager(ctx: Context, event_id: int) -> Event:
    """Return the event with its organization. Raises Forbidden if the caller may only see it, otherwise NotFound."""
    managed_events = Event.filter(managed_by_caller(ctx, "organization__user_id"))
    event = await managed_events.select_related("organization").get_or_none(id=event_id)
    if event is not None:
        return event
    await get_visible_event(ctx, event_id)
    raise errors.Forbidden(NOT_THE_MANAGER)


async def require_part_manager(ctx: Context, model: type[P], part_id: int) -> P:
    """Return a ticket type, custom field or gallery image of an event that the caller manages.

    Raises NotFound if it does not exist or the caller may not see its event, Forbidden if the caller may only see it.
    """
    part = await model.get_or_none(id=part_id)
    if part is None:
        raise errors.NotFound(PART_NOUNS[model])
    try:
        await require_event_manager(ctx, part.event_id)
    except errors.NotFound as hidden:
        raise errors.NotFound(PART_NOUNS[model]) from hidden
    return part


async def require_organization_manager(ctx: Context, organization_id: int) -> Organization:
    """Return the organization. Raises NotFound, or Forbidden if the caller does not manage it."""
    organization = await Organization.get_or_none(id=organization_id)
    if organization is None:
        raise errors.NotFound("Organization")
    if not manages(ctx, organization.user_id):
        raise errors.Forbidden("Only the owner of the organization and admins can do this")
    return organization
