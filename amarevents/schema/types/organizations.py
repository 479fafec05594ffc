"""Organizations. What their lists leave out is loaded by edges."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from amarevents.resolvers.accounts.profiles import OwnedOrganizationView, get_profile, load_account_organizations
from amarevents.resolvers.accounts.related import load_organization_owners
from amarevents.resolvers.core.descriptions import description_of
from amarevents.resolvers.core.inputs import RecordId
from amarevents.resolvers.events import organizations as operations
from amarevents.resolvers.events.organizations import (
    ManagedOrganizationView,
    OrganizationDetailView,
    OrganizationView,
)
from amarevents.resolvers.events.plans import list_plans, load_plans
from amarevents.resolvers.events.queries import (
    ListEventsOf,
    ListEventsOfByCursor,
    list_events,
    load_organization_event_connections,
    load_organization_events,
)
from amarevents.schema.core.context import GraphQLContext
from amarevents.schema.core.edges import Batch, Detail, Parent, Steps, detail, edge, not_found, paged_edge
from amarevents.schema.core.fields import mutation, query
from amarevents.schema.core.nodes import Node, node_type
from amarevents.schema.core.object_types import object_type
from amarevents.schema.core.pagination import Connection, Page
from amarevents.schema.types.account_edges import account_edge
from amarevents.schema.types.events import Event

if TYPE_CHECKING:
    from amarevents.schema.types.admin import Plan

_FOR_MANAGERS = "Visible to the organization's owner and to admins."


def _batch(field: str | None = None) -> Batch:
    """Return how the details of organizations are loaded, which those of a list do not have yet."""
    load = operations.load_organization_details
    return Batch(load=load, field=field, view=OrganizationDetailView, missing=not_found("Organization"))


def _managed(name: str) -> Steps:
    """Return how a field is loaded that the owner sees, whichever key it calls with."""

    async def find(organization: Parent, context: GraphQLContext) -> object:
        found, principal = await _batch().find(organization, context), context.request.principal
        if not isinstance(found, ManagedOrganizationView) and get_profile.policy.refusal(principal) is None:
            own = await context.require(load_account_organizations, principal.require_account().id, "User")
            found = next((one for one in own if one.id == organization.id), found)
        return getattr(found, name, None)

    return find


def _for_managers(name: str, returns: object) -> Detail:
    return edge(
        _managed(name), returns, f"{description_of(ManagedOrganizationView, name)} {_FOR_MANAGERS}", attribute=name
    )


async def _find_owner_id(organization: OrganizationView, context: GraphQLContext) -> int:
    if isinstance(organization, ManagedOrganizationView | OwnedOrganizationView):
        return organization.user_id
    return await context.require(load_organization_owners, organization.id, "Organization")


@node_type(operations.load_organizations)
@object_type
class Organization(Node, OrganizationView):
    """An organization, which publishes events."""

    notice = detail(_batch("notice"), OrganizationDetailView, "notice", str | None)
    recent_events = detail(_batch("recent_events"), OrganizationDetailView, "recent_events", list[Event])
    user_id = _for_managers("user_id", RecordId | None)
    eventcount = _for_managers("eventcount", int | None)
    events_used = _for_managers("events_used", int | None)
    events = paged_edge(
        list_events,
        Batch(load=load_organization_events, missing=not_found("Organization")),
        Page[Event],
        "The organization's events that are visible to the caller, those still to come first.",
        input_type=ListEventsOf,
    )
    events_connection = paged_edge(
        list_events,
        Batch(load=load_organization_event_connections, missing=not_found("Organization")),
        Connection[Event],
        "The organization's events that are visible to the caller, those that are still to come first, by cursor.",
        input_type=ListEventsOfByCursor,
    )
    plan_details = edge(
        Batch(load=load_plans, key="plan", missing=not_found("Plan")),
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
