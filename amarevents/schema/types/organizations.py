"""Organizations, with what their lists leave out as edges of their own."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from amarevents.resolvers.core.inputs import RecordId
from amarevents.resolvers.core.pagination import Page
from amarevents.resolvers.events import organizations as operations
from amarevents.resolvers.events.organizations import OrganizationDetailView, OrganizationView
from amarevents.resolvers.events.plans import PlanView, list_plans
from amarevents.resolvers.events.queries import EventView, ListEventsOf, list_events
from amarevents.schema.core.context import Info
from amarevents.schema.core.dataloaders import require
from amarevents.schema.core.fields import edge, link, mutation, paged_edge, query
from amarevents.schema.core.pagination import Pagination
from amarevents.schema.types.accounts import account_edge
from amarevents.schema.types.events import Event, EventPage

if TYPE_CHECKING:
    from amarevents.schema.types.admin import Plan


async def _detail(organization: OrganizationView, info: Info) -> OrganizationDetailView:
    if isinstance(organization, OrganizationDetailView):
        return organization
    return await require(info.context.organization_details, organization.id, "Organization")


async def _owner_id(organization: OrganizationView, info: Info) -> int:
    return await require(info.context.organization_owners, organization.id, "Organization")


async def _events(organization: OrganizationView, info: Info, data: ListEventsOf) -> Page[EventView]:
    return await require(info.context.organization_events, (organization.id, data), "Organization")


async def _plan(organization: OrganizationView, info: Info) -> PlanView:
    return await require(info.context.plans, organization.plan, "Plan")


@strawberry.type
class OrganizationEdges:
    """Where every view of an organization leads to."""

    events = paged_edge(
        list_events,
        _events,
        EventPage,
        "Its events that the caller may see, by date, the undated last.",
        arguments=ListEventsOf,
    )
    plan_details = link(
        _plan,
        Annotated["Plan", strawberry.lazy("amarevents.schema.types.admin")] | None,
        "What it subscribes to; for admins.",
        as_in=list_plans,
    )
    owner = account_edge(_owner_id, "The account that owns it; for that account and for admins.")


@strawberry.type(name="Organization", description="Who publishes events. Its allowance is shown to owner and admins.")
class Organization(OrganizationEdges, OrganizationView):
    notice = edge(_detail, "notice", str | None, "What the organization has to announce.")
    recent_events = edge(_detail, "recent_events", list[Event], "Its newest public events, at most 10.")
    user_id = edge(_detail, "user_id", RecordId | None, "The account that owns it; for owner and admins.")
    eventcount = edge(
        _detail,
        "eventcount",
        int | None,
        "How many events it may have at once, null = unlimited; for owner and admins.",
    )
    events_used = edge(_detail, "events_used", int | None, "How many events it has; for owner and admins.")


@strawberry.type(description="A part of a list of organizations.")
class OrganizationPage:
    items: list[Organization]
    """The objects on this page."""
    pagination: Pagination
    """The position of this page in the list."""


@strawberry.type
class OrganizationQuery:
    organizations = query(operations.list_organizations, OrganizationPage)
    organization = query(operations.get_organization, Organization)


@strawberry.type
class OrganizationMutation:
    create_organization = mutation(operations.create_organization, Organization)
    update_organization = mutation(operations.update_organization, Organization)
