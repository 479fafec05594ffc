"""Queries of events: the public list and its search, events of organizations, and details of one event."""

import datetime
from collections.abc import Sequence
from typing import ClassVar

from tortoise.models import Model

from amarevents import errors
from amarevents.models import CustomField, Event, Organization, Ticket, TicketType
from amarevents.models.db.sql import Sql, contains, is_in, sql
from amarevents.models.enums import Category, Privacy
from amarevents.resolvers.core.bulk_connections import ConnectionRequest, load_connections
from amarevents.resolvers.core.bulk_pages import PageRequest, load_pages
from amarevents.resolvers.core.connections import Connection, ConnectionArguments, load_connection
from amarevents.resolvers.core.ids import EventId
from amarevents.resolvers.core.inputs import Id, Ids
from amarevents.resolvers.core.operation import Shared, operation
from amarevents.resolvers.core.pagination import Page, Paging, load_page
from amarevents.resolvers.core.permissions import visible_events
from amarevents.resolvers.core.select import Select, by_id
from amarevents.resolvers.core.sorting import SortOrder
from amarevents.resolvers.core.text_types import ShortText
from amarevents.resolvers.events.schedule import EventSchedule, event_order
from amarevents.resolvers.events.views import EVENTS, EventDetailView, EventView, ManagedEventView, load_event_details
from amarevents.security.context import Context
from amarevents.security.policy import ADMINS, PUBLIC, Scope, allow
from amarevents.text import search_key


class EventSearch(EventSchedule):
    """The events to find."""

    search: ShortText | None = None
    """A text to find in the name, location or description, ignoring case."""
    category: Category | None = None
    """The category of the events."""


class ListEventsOf(EventSearch, Paging):
    """The page of an organization's events to return."""


class EventFilters(EventSearch):
    """The events to list."""

    GRAPHQL_ONLY: ClassVar[frozenset[str]] = frozenset({"ids"})

    organization_id: Id | None = None
    """The ID of the organization that publishes the events."""
    ids: Ids | None = None
    """Return only events with these IDs, at most 100."""


class ListEvents(EventFilters, Paging):
    """The page of events to return."""


@operation(PUBLIC, shared=Shared(models=(Event, Organization)))
async def list_events(ctx: Context, data: ListEvents) -> Page[EventView]:
    """List the events visible to the caller, those that are still to come first."""
    rows, order = EVENTS.where(_matching_events(ctx, data, ctx.today)), event_order(data.sort, ctx.today)
    return await load_page(ctx, rows, data, depends_on=_dependencies(ctx), order=order)


class ListEventsOfByCursor(ConnectionArguments, EventSearch):
    """The slice of an organization's events to return."""

    def order(self, ctx: Context) -> SortOrder:
        """Return the order of the list on the day of its first page, which its cursors contain."""
        today = event_order(self.sort, ctx.today)
        position = self.position("after", today) or self.position("before", today)
        return today if position is None or position.day is None else event_order(self.sort, position.day)


class ListEventsByCursor(ListEventsOfByCursor, EventFilters):
    """The slice of the list of events to return."""


@operation(PUBLIC, shared=Shared(models=(Event, Organization)))
async def list_events_by_cursor(ctx: Context, data: ListEventsByCursor) -> Connection[EventView]:
    """List the events visible to the caller by cursor, those that are still to come first."""
    rows = EVENTS.where(_matching_events(ctx, data, data.order(ctx).day or ctx.today))
    return await load_connection(ctx, rows, data, depends_on=_dependencies(ctx))


def _dependencies(ctx: Context) -> tuple[type[Model], ...]:
    """Return the models that the counts of ``_matching_events`` depend on.

    What anonymous callers see does not depend on tickets, which change all the time when a popular event opens.
    """
    return (Event,) if ctx.principal.is_anonymous else (Event, Organization, Ticket)


def _matching_events(ctx: Context, data: EventFilters, today: datetime.date) -> Sql:
    condition = _search(ctx, data, today)
    if data.organization_id is not None:
        condition &= sql("events.organization_id = ?", data.organization_id)
    return condition if data.ids is None else condition & is_in("events.id", data.ids)


def _search(ctx: Context, data: EventSearch, today: datetime.date) -> Sql:
    """Return the condition that the caller may see an event and that it matches."""
    condition = visible_events(ctx)
    if data.search is not None:
        condition &= contains("events.search_text", search_key(data.search))
    if data.category is not None:
        condition &= sql("events.category = ?", data.category)
    return condition & data.condition(today)


def _of_organization(ctx: Context, organization_id: int, data: EventSearch, today: datetime.date) -> Select[EventView]:
    return EVENTS.where(_search(ctx, data, today), sql("events.organization_id = ?", organization_id))


async def load_organization_events(
    ctx: Context, keys: Sequence[tuple[int, ListEventsOf]]
) -> dict[tuple[int, ListEventsOf], Page[EventView]]:
    """Return pages of the events visible to the caller, by organization ID and arguments, in three statements."""
    requests = {
        (organization_id, data): PageRequest(
            rows=_of_organization(ctx, organization_id, data, ctx.today),
            order=event_order(data.sort, ctx.today),
            paging=data,
        )
        for organization_id, data in keys
    }
    return await load_pages(requests)


async def load_organization_event_connections(
    ctx: Context, keys: Sequence[tuple[int, ListEventsOfByCursor]]
) -> dict[tuple[int, ListEventsOfByCursor], Connection[EventView]]:
    """Return slices of the events visible to the caller, by organization ID and arguments, in two statements."""
    requests = {
        (organization_id, data): ConnectionRequest(
            rows=_of_organization(ctx, organization_id, data, data.order(ctx).day or ctx.today), arguments=data
        )
        for organization_id, data in keys
    }
    return await load_connections(ctx, requests)


@operation(
    PUBLIC,
    raises=(errors.NotFound,),
    shared=Shared(models=(Event, Organization, TicketType, CustomField), event_argument="id"),
)
async def get_event(ctx: Context, id: EventId) -> EventDetailView | ManagedEventView:
    """Get an event with its ticket types and custom fields."""
    found = await load_event_details(ctx, [id])
    if id not in found:
        raise errors.NotFound("Event")
    return found[id]


async def load_events(ctx: Context, ids: Sequence[int]) -> dict[int, EventView]:
    """Return the events visible to the caller, by ID, in one statement."""
    return by_id(await EVENTS.where(is_in("events.id", ids), visible_events(ctx)).fetch(ctx.fields))


class ListAllEvents(EventSchedule, Paging):
    """The page of events to return."""

    search: ShortText | None = None
    """A text to find in the name, location or description, ignoring case."""
    privacy: Privacy | None = None
    """The visibility of the events."""


@operation(allow(*ADMINS, scope=Scope.ADMIN))
async def list_all_events(ctx: Context, data: ListAllEvents) -> Page[EventView]:
    """List all events, public and private, those that are still to come first."""
    condition = data.condition(ctx.today)
    if data.search is not None:
        condition &= contains("events.search_text", search_key(data.search))
    if data.privacy is not None:
        condition &= sql("events.privacy = ?", data.privacy)
    order = event_order(data.sort, ctx.today)
    return await load_page(ctx, EVENTS.where(condition), data, depends_on=(Event,), order=order)
