"""Permissions on rows: which events, tickets and organizations a caller may see and manage.

They are conditions of the queries, so rows that the caller may not see are never loaded. An API key acts with its own
type at most: a user key has none of its account's rights as an organizer, and an organizer key none as an admin.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tortoise.models import Model

from amarevents import errors
from amarevents.models import CustomField, GalleryImage, Organization, TicketType
from amarevents.models.db.sql import FALSE, TRUE, Sql, is_in, sql
from amarevents.models.enums import HOLDING, KeyType, Privacy
from amarevents.resolvers.core.select import Select, fetch_column
from amarevents.resolvers.core.sources import Source
from amarevents.security.context import Context
from amarevents.security.policy import Account, Scope
from amarevents.text import email_key

P = TypeVar("P", TicketType, CustomField, GalleryImage)

NOT_THE_MANAGER = "Only the owner of the event and admins can do this"
PUBLIC_EVENTS = sql("events.privacy = ?", Privacy.PUBLIC)
PART_NOUNS: dict[type[Model], str] = {
    TicketType: "Ticket type",
    CustomField: "Custom field",
    GalleryImage: "Gallery image",
}
# In the text, because SQLite does not know how few statuses a list has, and would sort instead of reading an index.
_HOLDS_A_PLACE = Sql(f"tickets.status IN ({', '.join(repr(str(status)) for status in HOLDING)})")
_OWN_ORGANIZATIONS = "SELECT organizations.id FROM organizations WHERE organizations.user_id = ?"


@dataclass(slots=True, kw_only=True)
class EventOwner:
    """An event and who owns it."""

    id: int
    organization_id: int
    owner_id: int
    """The ID of the account that owns the organization."""


_OWNERS = Select(
    Source(
        EventOwner,
        "events",
        joins={"organizations": "JOIN organizations ON organizations.id = events.organization_id"},
        owner_id="organizations.user_id",
    )
)


def is_admin(ctx: Context) -> bool:
    return ctx.principal.may_act_as(KeyType.ADMIN)


def visible_events(ctx: Context) -> Sql:
    """Return the condition that the caller may see an event (decisions 4.1).

    These are the public events. With ``events:read``, organizers also see their own private events, ticket holders the
    private events of their tickets, and admins all events.
    """
    account = ctx.principal.account
    if account is None or not ctx.principal.holds(Scope.EVENTS_READ):
        return PUBLIC_EVENTS
    if is_admin(ctx):
        return TRUE
    held = own_tickets(ctx) & _HOLDS_A_PLACE
    # Because of the plus, SQLite walks the index of the list's order instead of collecting and sorting all three kinds.
    own = Sql(f"+events.organization_id IN ({_OWN_ORGANIZATIONS})", (account.id,))
    attended = Sql(f"events.id IN (SELECT tickets.event_id FROM tickets WHERE {held.text})", held.values)
    return PUBLIC_EVENTS | own | attended


def of_visible_events(ctx: Context, event: str) -> Sql:
    """Return the condition that the caller may see the event of a row; ``event`` is the column with its ID."""
    events = visible_events(ctx)
    return Sql(f"{event} IN (SELECT events.id FROM events WHERE {events.text})", events.values)


async def listed_event_ids(ctx: Context, ids: Sequence[int]) -> Sequence[int]:
    """Return those of the events in lists whose parts the caller may see.

    A list has only events that the caller may see, unless it is that of all events: admins get it without the scope
    for private ones.
    """
    lists_more = is_admin(ctx) and not ctx.principal.holds(Scope.EVENTS_READ)
    return await visible_event_ids(ctx, ids) if lists_more else ids


async def visible_event_ids(ctx: Context, ids: Iterable[int]) -> list[int]:
    """Return the IDs of the given events that the caller may see."""
    return await _ids_of(visible_events(ctx), ids)


async def _ids_of(events: Sql, ids: Iterable[int]) -> list[int]:
    return await fetch_column(_OWNERS.where(is_in("events.id", ids), events).ids("id"))


def managed_by_caller(ctx: Context, organization: str) -> Sql:
    """Return the condition that the caller manages a row; ``organization`` is the column of its organization.

    Owners manage the rows of their organizations, with a session or an organizer key. Admins manage all rows.
    """
    if is_admin(ctx):
        return TRUE
    if ctx.principal.account is None or not ctx.principal.may_act_as(KeyType.ORGANIZER):
        return FALSE
    return Sql(f"{organization} IN ({_OWN_ORGANIZATIONS})", (ctx.principal.account.id,))


def managed_events(ctx: Context) -> Sql:
    """Return the condition that the caller manages an event."""
    return managed_by_caller(ctx, "events.organization_id")


def managed_tickets(ctx: Context) -> Sql:
    """Return the condition that the caller manages the event of a ticket."""
    managed = managed_events(ctx)
    if managed in (TRUE, FALSE):
        return managed
    return Sql(f"tickets.event_id IN (SELECT events.id FROM events WHERE {managed.text})", managed.values)


def own_tickets(ctx: Context) -> Sql:
    """Return the condition that a ticket belongs to the caller."""
    return tickets_of(ctx, ctx.principal.require_account())


def tickets_of(ctx: Context, account: Account) -> Sql:
    """Return the condition that a ticket belongs to the account (decisions 6.7).

    These are the tickets that the account registered, and those with its email address once that is confirmed.
    """
    registered = sql("tickets.user_id = ?", account.id)
    if ctx.services.settings.confirm_email and not account.email_confirmed:
        return registered
    return registered | sql("tickets.email_key = ?", email_key(account.email))


def visible_tickets(ctx: Context) -> Sql:
    """Return the condition that a ticket is the caller's own or for an event that the caller manages (6.9)."""
    return TRUE if is_admin(ctx) else own_tickets(ctx) | managed_tickets(ctx)


async def managed_event_ids(ctx: Context, ids: Iterable[int]) -> list[int]:
    """Return the IDs of the given events that the caller manages."""
    return await _ids_of(managed_events(ctx), ids)


def manages(ctx: Context, owner_id: int) -> bool:
    """Return whether the caller manages the organizations that this account owns."""
    account = ctx.principal.account
    owns = account is not None and account.id == owner_id and ctx.principal.may_act_as(KeyType.ORGANIZER)
    return owns or is_admin(ctx)


async def get_visible_event(ctx: Context, event_id: int) -> EventOwner:
    """Return the event and its owner. Raises NotFound if the caller may not see it."""
    event = await _OWNERS.where(sql("events.id = ?", event_id), visible_events(ctx)).first()
    if event is None:
        raise errors.NotFound("Event")
    return event


async def require_event_manager(ctx: Context, event_id: int) -> EventOwner:
    """Return the event and its owner. Raises Forbidden if the caller may only see it, otherwise NotFound."""
    event = await _OWNERS.where(sql("events.id = ?", event_id), managed_events(ctx)).first()
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
