"""Organizations. What their lists leave out is loaded by edges."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from amarevents.resolvers.accounts.profiles import OwnedOrganizationView, get_profile, load_account_organizations
from amarevents.resolvers.accounts.related import load_organization_owners
from amarevents.resolvers.core import connections, pagination
from amarevents.resolvers.core.inputs import RecordId
from amarevents.resolvers.events import organizations as operations
from amarevents.resolvers.events.organizations import (
    ManagedOrganizationView,
    OrganizationDetailView,
    OrganizationView,
)
from amarevents.resolvers.events.plans import PlanView, list_plans, load_plans
from amarevents.resolvers.events.queries import (
    ListEventsOf,
    ListEventsOfByCursor,
    list_events,
    load_organization_event_connections,
    load_organization_events,
)
from amarevents.resolvers.events.views import EventView
from amarevents.schema.core.context import Info
from amarevents.schema.core.edges import detail, edge, paged_edge
from amarevents.schema.core.fields import mutation, query
from amarevents.schema.core.nodes import Node, node_type
from amarevents.schema.core.object_types import object_type
from amarevents.schema.core.pagination import Connection, Page
from amarevents.schema.types.account_edges import account_edge
from amarevents.schema.types.events import Event

if TYPE_CHECKING:
    from amarevents.schema.types.admin import Plan

_FOR_MANAGERS = "Visible to the organization's owner and to admins."


async def _detail(organization: OrganizationView, info: Info) -> OrganizationDetailView:
    """Return the details of an organization. Organizations of a list do not have them yet; they are loaded together."""
    if isinstance(organization, OrganizationDetailView):
        return organization
    return await info.context.require(operations.load_organization_details, organization.id, "Organization")


async def _managed(organization: OrganizationView, info: Info) -> OrganizationDetailView | OwnedOrganizationView:
    """Return the organization with what its owner sees of it, if the caller owns it, whichever key it calls with."""
    found, principal = await _detail(organization, info), info.context.request.principal
    if isinstance(found, ManagedOrganizationView) or get_profile.policy.refusal(principal):
        return found
    own = await info.context.require(load_account_organizations, principal.require_account().id, "User")
    return next((one for one in own if one.id == organization.id), found)


async def _find_owner_id(organization: OrganizationView, info: Info) -> int:
    if isinstance(organization, ManagedOrganizationView | OwnedOrganizationView):
        return organization.user_id
    return await info.context.require(load_organization_owners, organization.id, "Organization")


async def _events(organization: OrganizationView, info: Info, data: ListEventsOf) -> pagination.Page[EventView]:
    return await info.context.require(load_organization_events, (organization.id, data), "Organization")


async def _events_connection(
    organization: OrganizationView, info: Info, data: ListEventsOfByCursor
) -> connections.Connection[EventView]:
    data.check_cursors(info.context.request)
    return await info.context.require(load_organization_event_connections, (organization.id, data), "Organization")


async def _plan(organization: OrganizationView, info: Info) -> PlanView:
    return await info.context.require(load_plans, organization.plan, "Plan")


@node_type(operations.load_organizations)
@object_type
class Organization(Node, OrganizationView):
    """An organization, which publishes events."""

    notice = detail(_detail, OrganizationDetailView, "notice", str | None)
    recent_events = detail(_detail, OrganizationDetailView, "recent_events", list[Event])
    user_id = detail(_managed, ManagedOrganizationView, "user_id", RecordId | None, note=_FOR_MANAGERS)
    eventcount = detail(_managed, ManagedOrganizationView, "eventcount", int | None, note=_FOR_MANAGERS)
    events_used = detail(_managed, ManagedOrganizationView, "events_used", int | None, note=_FOR_MANAGERS)
    events = paged_edge(
        list_events,
        _events,
        Page[Event],
        "The organization's events that are visible to the caller, those still to come first.",
        input_type=ListEventsOf,
    )
    events_connection = paged_edge(
        list_events,
        _events_connection,
        Connection[Event],
        "The organization's events that are visible to the caller, those that are still to come first, by cursor.",
        input_type=ListEventsOfByCursor,
    )
    plan_details = edge(
        _plan,
        Annotated["Plan", strawberry.lazy("amarevents.schema.types.admin")] | None,
        "The plan that the organization subscribes to. Visible to admins.",
        policy_of=list_plans,
    )
    owner = account_edge(_find_owner_id, "The account that owns the organization.")


@strawberry.type
class OrganizationQuery:
    organizations = query(operations.list_organizations, Page[Organization])
    organization = query(operations.get_organization, Organization)


@strawberry.type
class OrganizationMutation:
    create_organization = mutation(operations.create_organization, Organization)
    update_organization = mutation(operations.update_organization, Organization)
