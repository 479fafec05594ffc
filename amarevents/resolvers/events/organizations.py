"""Organizations: who publishes events."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tortoise import connections
from tortoise.exceptions import IntegrityError
from tortoise.functions import Count as CountRows
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.models import Event, Organization, Plan, User
from amarevents.models.db.connection import CONNECTION
from amarevents.models.enums import Privacy
from amarevents.models.organizations import DEFAULT_PLAN
from amarevents.resolvers.core.ids import OrganizationId
from amarevents.resolvers.core.inputs import Count, DateTime, Id, Input, LongText, Name, NotNull, RecordId, ShortText
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.pagination import Page, Paging, load_page
from amarevents.resolvers.core.permissions import is_admin, manages, require_organization_manager
from amarevents.resolvers.core.search import fold, search_text
from amarevents.resolvers.events.views import EventView
from amarevents.security.context import Context
from amarevents.security.policy import ADMINS, ORGANIZERS, PUBLIC, Scope, allow

_RECENT_EVENTS = 10
_FOR_ADMINS = {"plan", "eventcount"}
_NEWEST_PUBLIC_EVENTS = """
    SELECT id FROM (
        SELECT id, ROW_NUMBER() OVER (PARTITION BY organization_id ORDER BY id DESC) AS age_rank
        FROM events WHERE privacy = 'public' AND organization_id IN ({ids})
    ) AS ranked WHERE age_rank <= {limit}
"""


@dataclass(slots=True, kw_only=True)
class OrganizationView:
    """An organization as lists show it; ``plan`` is the plan's name."""

    id: RecordId
    """The integer that names it in paths and in other fields."""
    name: str
    """The name that people read."""
    description: str | None
    """A text about it, of at most 20,000 characters."""
    logo: str | None
    """The http or https address of a small picture."""
    plan: str
    """The name of the organization's plan, which must exist."""
    public_event_count: int
    """How many public events the organization has."""
    created_at: DateTime
    """When it was created, in UTC."""


@dataclass(slots=True, kw_only=True)
class OrganizationDetailView(OrganizationView):
    """One organization, with its newest public events (at most 10)."""

    notice: str | None
    """An announcement that is shown with it."""
    recent_events: list[EventView]
    """The newest public events, at most 10."""


@dataclass(slots=True, kw_only=True)
class ManagedOrganizationView(OrganizationDetailView):
    """What its owner and admins see besides: ``eventcount`` is its allowance of events, null = unlimited."""

    user_id: RecordId
    """The id of the account that it belongs to."""
    eventcount: int | None
    """How many events the organization may have at once; null is unlimited."""
    events_used: int
    """How many events the organization has now, which count against `eventcount`."""


class ListOrganizations(Paging):
    """``search`` matches any part of the name or description."""

    search: ShortText | None = None
    """Any part of the name or the description; upper and lower case mean the same."""


@operation(PUBLIC)
async def list_organizations(ctx: Context, data: ListOrganizations) -> Page[OrganizationView]:
    """All organizations, newest first."""
    found = Organization.all()
    if data.search is not None:
        found = found.filter(search_text__contains=fold(data.search))
    rows = found.select_related("plan").order_by("-id")
    page = await load_page(ctx, rows, data, depends_on=(Organization,), view=lambda row: row)
    return Page(items=await _views(page.items), pagination=page.pagination)


async def _views(rows: Sequence[Organization]) -> list[OrganizationView]:
    counts = await public_event_counts([row.id for row in rows])
    return [OrganizationView(**organization_fields(row, counts.get(row.id, 0))) for row in rows]


async def load_organizations(ctx: Context, ids: Sequence[int]) -> dict[int, OrganizationView]:
    """The organizations by id, as lists show them, in two statements: they are public."""
    return {view.id: view for view in await _views(await Organization.filter(id__in=list(ids)).select_related("plan"))}


async def public_event_counts(organization_ids: list[int]) -> dict[int, int]:
    """How many public events each of the organizations has; those without any are left out."""
    rows = (
        await Event.filter(organization_id__in=organization_ids, privacy=Privacy.PUBLIC)
        .annotate(events=CountRows("id"))
        .group_by("organization_id")
        .values_list("organization_id", "events")
    )
    return dict(rows)


def organization_fields(row: Organization, public_events: int) -> dict[str, Any]:  # Any: each field's own type
    """The fields of OrganizationView; ``row`` with its plan loaded."""
    return {
        "id": RecordId(row.id),
        "name": row.name,
        "description": row.description,
        "logo": row.logo,
        "plan": row.plan.name,
        "public_event_count": public_events,
        "created_at": row.created_at,
    }


def _managed_view(row: Organization, public_events: int, recent: list[EventView]) -> ManagedOrganizationView:
    return ManagedOrganizationView(
        **organization_fields(row, public_events),
        notice=row.notice,
        recent_events=recent,
        user_id=RecordId(row.user_id),
        eventcount=row.eventcount,
        events_used=row.events_used,
    )


@operation(PUBLIC, raises=(errors.NotFound,))
async def get_organization(ctx: Context, id: OrganizationId) -> OrganizationDetailView | ManagedOrganizationView:
    """One organization with its newest public events."""
    found = await load_organization_details(ctx, [id])
    if id not in found:
        raise errors.NotFound("Organization")
    return found[id]


async def load_organization_details(ctx: Context, ids: Sequence[int]) -> dict[int, OrganizationDetailView]:
    """The details of the organizations by id, in four statements however many there are."""
    rows = await Organization.filter(id__in=list(ids)).select_related("plan")
    counts = await public_event_counts([row.id for row in rows])
    recent = await _recent_events([row.id for row in rows])
    return {row.id: _detail_view(ctx, row, counts.get(row.id, 0), recent[row.id]) for row in rows}


async def _recent_events(organization_ids: list[int]) -> dict[int, list[EventView]]:
    recent: dict[int, list[EventView]] = {organization_id: [] for organization_id in organization_ids}
    if not organization_ids:
        return recent
    # Only integers go into the text of this statement: both databases rank alike, but mark parameters differently.
    ranked = await connections.get(CONNECTION).execute_query_dict(
        _NEWEST_PUBLIC_EVENTS.format(ids=", ".join(str(int(one)) for one in organization_ids), limit=_RECENT_EVENTS)
    )
    events = Event.filter(id__in=[row["id"] for row in ranked]).select_related("organization")
    for event in await events.order_by("-id"):
        recent[event.organization_id].append(EventView.from_model(event))
    return recent


def _detail_view(
    ctx: Context, row: Organization, public_events: int, recent: list[EventView]
) -> OrganizationDetailView | ManagedOrganizationView:
    if manages(ctx, row.user_id):
        return _managed_view(row, public_events, recent)
    return OrganizationDetailView(**organization_fields(row, public_events), notice=row.notice, recent_events=recent)


class CreateOrganization(Input):
    """A new organization. ``eventcount`` is its allowance of events at once; without one it has no limit."""

    name: Name
    """The name that people read."""
    user_id: Id
    """The id of the account that is to own the organization."""
    description: LongText | None = None
    """A text about it, of at most 20,000 characters."""
    eventcount: Count | None = None
    """How many events the organization may have at once; null is unlimited."""


@operation(
    allow(*ADMINS, scope=Scope.ORGANIZATIONS_WRITE),
    creates=True,
    changes=(Organization,),
    raises=(errors.ValidationFailed,),
)
async def create_organization(ctx: Context, data: CreateOrganization) -> ManagedOrganizationView:
    """Create an organization for an account, which can publish with it once it is an organizer."""
    if not await User.exists(id=data.user_id):
        raise _no_such_account()
    try:
        row = await new_organization(
            name=data.name, user_id=data.user_id, description=data.description, eventcount=data.eventcount
        )
    except IntegrityError as error:
        raise _no_such_account() from error  # it has been deleted meanwhile
    return _managed_view(row, 0, [])


def _no_such_account() -> errors.ValidationFailed:
    return errors.ValidationFailed({"user_id": "there is no such account"})


async def new_organization(
    *, name: str, user_id: int, description: str | None = None, eventcount: int | None = None
) -> Organization:
    """On the default plan."""
    return await Organization.create(
        name=name,
        user_id=user_id,
        plan=await Plan.get(name=DEFAULT_PLAN),
        description=description,
        eventcount=eventcount,
        search_text=search_text(name, description),
    )


class UpdateOrganization(Input):
    """What of an organization can change; null clears what is optional.

    ``plan`` (the name of one) and ``eventcount`` (the allowance of events, null = unlimited) are for admins alone.
    """

    name: NotNull[Name] = None
    """The name that people read."""
    description: LongText | None = None
    """A text about it, of at most 20,000 characters."""
    notice: LongText | None = None
    """An announcement that is shown with it."""
    plan: NotNull[Name] = None
    """The name of the organization's plan, which must exist."""
    eventcount: Count | None = None
    """How many events the organization may have at once; null is unlimited."""


@operation(
    allow(*ORGANIZERS, scope=Scope.ORGANIZATIONS_WRITE),
    changes=(Organization,),
    raises=(errors.NotFound, errors.Forbidden, errors.ValidationFailed),
)
async def update_organization(ctx: Context, id: OrganizationId, data: UpdateOrganization) -> ManagedOrganizationView:
    """Change what is sent of an organization."""
    await require_organization_manager(ctx, id)
    changes = data.changed_fields()
    if _FOR_ADMINS & changes.keys() and not is_admin(ctx):
        raise errors.Forbidden("Only admins may change an organization's plan and eventcount")
    if data.plan is not None:
        changes["plan_id"] = (await _get_plan(changes.pop("plan"))).id
    if changes:
        await _change(id, {**changes, "updated_at": ctx.now})
    return await _load_managed(id)


async def _change(organization_id: int, changes: dict[str, Any]) -> None:  # Any: each column's own type
    async with in_transaction():
        organization = await Organization.filter(id=organization_id).select_for_update().get_or_none()
        if organization is None:
            raise errors.NotFound("Organization")
        organization.update_from_dict(changes)
        organization.search_text = search_text(organization.name, organization.description)
        try:
            await organization.save(update_fields=[*changes, "search_text"])
        except IntegrityError as error:
            raise _no_such_plan() from error  # it has been deleted meanwhile


async def _get_plan(name: str) -> Plan:
    plan = await Plan.get_or_none(name=name)
    if plan is None:
        raise _no_such_plan()
    return plan


def _no_such_plan() -> errors.ValidationFailed:
    return errors.ValidationFailed({"plan": "there is no such plan"})


async def _load_managed(organization_id: int) -> ManagedOrganizationView:
    row = await Organization.get_or_none(id=organization_id).select_related("plan")
    if row is None:
        raise errors.NotFound("Organization")
    counts = await public_event_counts([row.id])
    recent = await _recent_events([row.id])
    return _managed_view(row, counts.get(row.id, 0), recent[row.id])
