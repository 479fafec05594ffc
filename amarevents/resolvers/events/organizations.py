"""Organizations, which publish events (decisions 5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.models import Event, Organization, Plan, User
from amarevents.models.db.sql import FALSE, contains, is_in, sql
from amarevents.models.enums import AccountType
from amarevents.models.organizations import DEFAULT_PLAN
from amarevents.resolvers.core.constraint_errors import integrity_errors
from amarevents.resolvers.core.ids import OrganizationId
from amarevents.resolvers.core.inputs import Count, DateTime, Id, Input, NotNull, RecordId
from amarevents.resolvers.core.operation import Shared, operation
from amarevents.resolvers.core.pagination import Page, Paging, load_page
from amarevents.resolvers.core.permissions import is_admin, managed_by_caller, require_organization_manager
from amarevents.resolvers.core.select import Select, by_id, fetch_column
from amarevents.resolvers.core.sorting import NEWEST_FIRST
from amarevents.resolvers.core.sources import Source
from amarevents.resolvers.core.text_types import LongText, Name, ShortText
from amarevents.resolvers.events.views import EVENTS, EventView
from amarevents.security.context import Context
from amarevents.security.policy import ADMINS, ORGANIZERS, PUBLIC, Scope, allow
from amarevents.text import fold, search_key, search_text

OrganizationT = TypeVar("OrganizationT", bound="OrganizationView")
DetailT = TypeVar("DetailT", bound="OrganizationDetailView")

_RECENT_EVENTS = 10
_ADMIN_FIELDS = {"plan", "eventcount"}
_PUBLIC_EVENTS = """(
    SELECT COUNT(*) FROM events WHERE events.organization_id = organizations.id AND events.privacy = 'public'
)"""
_NEWEST_PUBLIC_EVENTS = """
    SELECT id FROM (
        SELECT id, ROW_NUMBER() OVER (PARTITION BY organization_id ORDER BY id DESC) AS age_rank
        FROM events WHERE privacy = 'public' AND organization_id IN ?
    ) AS ranked WHERE age_rank <= ?
"""


@dataclass(slots=True, kw_only=True)
class OrganizationView:
    """An organization that publishes events."""

    id: RecordId
    """The ID of the organization."""
    name: str
    """The name of the organization."""
    description: str | None
    """The description of the organization, at most 20,000 characters."""
    logo: str | None
    """The URL of the logo, or its path on the site."""
    plan: str
    """The name of the organization's plan."""
    public_event_count: int
    """The number of public events."""
    created_at: DateTime
    """When the organization was created, in UTC."""


@dataclass(slots=True, kw_only=True)
class OrganizationDetailView(OrganizationView):
    """An organization with its newest public events."""

    notice: str | None
    """A notice that is shown with the organization, at most 20,000 characters."""
    recent_events: list[EventView]
    """The newest public events, at most 10."""


@dataclass(slots=True, kw_only=True)
class ManagedOrganizationView(OrganizationDetailView):
    """An organization as its owner and admins see it."""

    user_id: RecordId
    """The ID of the account that owns the organization."""
    eventcount: int | None
    """The maximum number of events; null means unlimited."""
    events_used: int
    """The number of events, which count towards the maximum."""


def select_organizations(view: type[OrganizationT], *later: str) -> Select[OrganizationT]:
    """Return the query for organizations as one of their views, whose fields in ``later`` are loaded separately."""
    plan = {"plans": "JOIN plans ON plans.id = organizations.plan_id"}
    return Select(
        Source(view, "organizations", joins=plan, later=later, plan="plans.name", public_event_count=_PUBLIC_EVENTS)
    )


_ORGANIZATIONS = select_organizations(OrganizationView)
_DETAILS = select_organizations(OrganizationDetailView, "recent_events")
_MANAGED = select_organizations(ManagedOrganizationView, "recent_events")


class ListOrganizations(Paging):
    """The page of organizations to return."""

    search: ShortText | None = None
    """A text to find in the name or description, ignoring case."""


@operation(PUBLIC, shared=Shared(models=(Organization, Plan, Event)))
async def list_organizations(ctx: Context, data: ListOrganizations) -> Page[OrganizationView]:
    """List all organizations, newest first."""
    rows = _ORGANIZATIONS
    if data.search is not None:
        rows = rows.where(contains("organizations.search_text", search_key(data.search)))
    return await load_page(ctx, rows, data, depends_on=(Organization,), order=NEWEST_FIRST)


async def load_organizations(ctx: Context, ids: Sequence[int]) -> dict[int, OrganizationView]:
    """Return the organizations by ID, in one statement; they are visible to every caller."""
    return by_id(await _ORGANIZATIONS.where(is_in("organizations.id", ids)).fetch(ctx.fields))


@operation(PUBLIC, raises=(errors.NotFound,), shared=Shared(models=(Organization, Plan, Event)))
async def get_organization(ctx: Context, id: OrganizationId) -> OrganizationDetailView | ManagedOrganizationView:
    """Get an organization with its newest public events."""
    found = await load_organization_details(ctx, [id])
    if id not in found:
        raise errors.NotFound("Organization")
    return found[id]


async def load_organization_details(ctx: Context, ids: Sequence[int]) -> dict[int, OrganizationDetailView]:
    """Return the details of the organizations by ID, in three statements, and for organizers four."""
    managed = managed_by_caller(ctx, "organizations.id")
    if managed is FALSE:
        return await _load_details(_DETAILS.where(is_in("organizations.id", ids)))
    details: dict[int, OrganizationDetailView] = {}
    details |= await _load_details(_MANAGED.where(is_in("organizations.id", ids), managed))
    if others := [one for one in ids if one not in details]:
        details |= await _load_details(_DETAILS.where(is_in("organizations.id", others)))
    return details


async def _get_managed_view(organization_id: int) -> ManagedOrganizationView:
    """Return an organization that the caller manages. Raises NotFound if it has been deleted."""
    found = await _load_details(_MANAGED.where(sql("organizations.id = ?", organization_id)))
    if organization_id not in found:
        raise errors.NotFound("Organization")
    return found[organization_id]


async def _load_details(rows: Select[DetailT]) -> dict[int, DetailT]:
    """Return details by ID with the newest public events, in three statements."""
    details = by_id(await rows.fetch())
    recent = await _recent_events(list(details))
    for organization_id, organization in details.items():
        organization.recent_events = recent[organization_id]
    return details


async def _recent_events(organization_ids: Sequence[int]) -> dict[int, list[EventView]]:
    recent: dict[int, list[EventView]] = {organization_id: [] for organization_id in organization_ids}
    if not organization_ids:
        return recent
    newest = await fetch_column(sql(_NEWEST_PUBLIC_EVENTS, list(organization_ids), _RECENT_EVENTS))
    for event in await EVENTS.where(is_in("events.id", newest)).order_by("events.id", descending=True).fetch():
        recent[event.organization_id].append(event)
    return recent


class CreateOrganization(Input):
    """Fields of the organization to create."""

    name: Name
    """The name of the organization."""
    user_id: Id
    """The ID of the account that will own the organization."""
    description: LongText | None = None
    """The description of the organization, at most 20,000 characters."""
    eventcount: Count | None = None
    """The maximum number of events; null means unlimited."""


@operation(
    allow(*ADMINS, scope=Scope.ORGANIZATIONS_WRITE),
    creates=True,
    changes=(Organization, User),
    raises=(errors.ValidationFailed,),
)
async def create_organization(ctx: Context, data: CreateOrganization) -> ManagedOrganizationView:
    """Create an organization for an account, which becomes an organizer."""
    async with ctx.services.principals.changing(data.user_id), in_transaction():
        # The owner of an organization must be able to act (decisions 5.2a). The update also locks the account.
        if not await User.filter(id=data.user_id).update(type=AccountType.ORGANIZER, updated_at=ctx.now):
            raise errors.ValidationFailed({"user_id": "account does not exist"})
        row = await new_organization(
            name=data.name, user_id=data.user_id, description=data.description, eventcount=data.eventcount
        )
        return await _get_managed_view(row.id)


async def new_organization(
    *, name: str, user_id: int, description: str | None = None, eventcount: int | None = None
) -> Organization:
    """Create an organization on the default plan."""
    return await Organization.create(
        name=name,
        user_id=user_id,
        plan=await Plan.get(name=DEFAULT_PLAN),
        description=description,
        eventcount=eventcount,
        search_text=search_text(name, description),
    )


class UpdateOrganization(Input):
    """Fields of the organization to update; omitted fields stay unchanged, and null clears optional fields."""

    name: NotNull[Name] = None
    """The name of the organization."""
    description: LongText | None = None
    """The description of the organization, at most 20,000 characters."""
    notice: LongText | None = None
    """A notice that is shown with the organization, at most 20,000 characters."""
    plan: NotNull[Name] = None
    """The name of the plan; only admins can change it."""
    eventcount: Count | None = None
    """The maximum number of events; null means unlimited. Only admins can change it."""


@operation(
    allow(*ORGANIZERS, scope=Scope.ORGANIZATIONS_WRITE),
    changes=(Organization,),
    raises=(errors.NotFound, errors.Forbidden, errors.ValidationFailed),
)
async def update_organization(ctx: Context, id: OrganizationId, data: UpdateOrganization) -> ManagedOrganizationView:
    """Update an organization."""
    organization = await require_organization_manager(ctx, id)
    changes = data.changed_fields()
    if not is_admin(ctx):
        await _drop_unchanged_limits(organization, changes)
    elif data.plan is not None:
        del changes["plan"]
        changes["plan_id"] = (await _get_plan(data.plan)).id
    if changes:
        await _change(id, {**changes, "updated_at": ctx.now})
    return await _get_managed_view(id)


async def _drop_unchanged_limits(organization: Organization, changes: dict[str, object]) -> None:
    """Drop the plan and the event limit, which owners may send back as they were shown. Raises Forbidden for others."""
    sent = {name: changes.pop(name) for name in _ADMIN_FIELDS & changes.keys()}
    if sent:
        current = {"plan": (await organization.plan).name, "eventcount": organization.eventcount}
        if sent != {name: current[name] for name in sent}:
            raise errors.Forbidden("Only admins can change the plan and eventcount of an organization")


async def _change(organization_id: int, changes: dict[str, object]) -> None:
    async with in_transaction():
        organization = await Organization.filter(id=organization_id).select_for_update().get_or_none()
        if organization is None:
            raise errors.NotFound("Organization")
        organization.update_from_dict(changes)
        organization.search_text = search_text(organization.name, organization.description)
        with integrity_errors({}, otherwise=_unknown_plan()):  # deleted since it was found
            await organization.save(update_fields=[*changes, "search_text"])


async def _get_plan(name: str) -> Plan:
    plan = await Plan.get_or_none(name_key=fold(name))
    if plan is None:
        raise _unknown_plan()
    return plan


def _unknown_plan() -> errors.ValidationFailed:
    return errors.ValidationFailed({"plan": "plan does not exist"})
