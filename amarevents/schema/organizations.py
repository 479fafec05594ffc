"""Organizations, with what their lists leave out as edges of their own."""

import strawberry

from amarevents import errors
from amarevents.resolvers import organizations as operations
from amarevents.resolvers.base import RecordId
from amarevents.resolvers.organizations import OrganizationDetailView, OrganizationView
from amarevents.schema.context import Info
from amarevents.schema.events import Event
from amarevents.schema.fields import edge, mutation, query
from amarevents.schema.paging import Pagination


async def _detail(organization: OrganizationView, info: Info) -> OrganizationDetailView:
    if isinstance(organization, OrganizationDetailView):
        return organization
    detail = await info.context.organization_details.load(organization.id)
    if detail is None:
        raise errors.NotFound("Organization")
    return detail


@strawberry.type(name="Organization", description="Who publishes events. Its allowance is shown to owner and admins.")
class Organization(OrganizationView):
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
    pagination: Pagination


@strawberry.type
class OrganizationQuery:
    organizations = query(operations.list_organizations, OrganizationPage)
    organization = query(operations.get_organization, Organization)


@strawberry.type
class OrganizationMutation:
    create_organization = mutation(operations.create_organization, Organization)
    update_organization = mutation(operations.update_organization, Organization)
