"""Organizations: who publishes events."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tortoise import connections
from tortoise.functions import Count as CountRows

from amarevents import errors
from amarevents.models import Event, Organization, Plan, User
from amarevents.models.enums import Privacy
from amarevents.models.storage import CONNECTION
from amarevents.resolvers.base import (
    Context,
    Count,
    DateTime,
    Id,
    Input,
    LongText,
    Name,
    Page,
    Paging,
    RecordId,
    ShortText,
    page_of,
)
from amarevents.resolvers.events import EventView, event_view
from amarevents.resolvers.operation import operation
from amarevents.resolvers.ownership import manages
from amarevents.resolvers.search import fold, search_text
from amarevents.security.policy import ADMINS, PUBLIC, Scope, allow

DEFAULT_PLAN = "Free"
_RECENT_EVENTS = 10
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
    name: str
    description: str | None
    logo: str | None
    plan: str
    public_event_count: int
    created_at: DateTime


@dataclass(slots=True, kw_only=True)
class OrganizationDetailView(OrganizationView):
    """One organization, with its newest public events (at most 10)."""

    notice: str | None
    recent_events: list[EventView]


@dataclass(slots=True, kw_only=True)
class ManagedOrganizationView(OrganizationDetailView):
    """What its owner and admins see besides: ``eventcount`` is its allowance of events, null = unlimited."""

    user_id: RecordId
    eventcount: int | None
    events_used: int


class ListOrganizations(Paging):
    """``search`` matches any part of the name or description."""

    search: ShortText | None = None


@operation(PUBLIC)
async def list_organizations(ctx: Context, data: ListOrganizations) -> Page[OrganizationView]:
    """All organizations, newest first."""
    found = Organization.all()
    if data.search is not None:
        found = found.filter(search_text__contains=fold(data.search))
    total = await found.count()
    rows = await found.select_related("plan").order_by("-id").offset(data.offset).limit(data.limit)
    counts = await public_event_counts([row.id for row in rows])
    return page_of([OrganizationView(**_shown(row, counts.get(row.id, 0))) for row in rows], total, data)


async def public_event_counts(organization_ids: list[int]) -> dict[int, int]:
    """How many public events each of the organizations has; those without any are left out."""
    rows = (
        await Event.filter(organization_id__in=organization_ids, privacy=Privacy.PUBLIC)
        .annotate(events=CountRows("id"))
        .group_by("organization_id")
        .values_list("organization_id", "events")
    )
    return dict(rows)


def _shown(row: Organization, public_events: int) -> dict[str, Any]:  # Any: each field's own type
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
        **_shown(row, public_events),
        notice=row.notice,
        recent_events=recent,
        user_id=RecordId(row.user_id),
        eventcount=row.eventcount,
        events_used=row.events_used,
    )


@operation(PUBLIC)
async def get_organization(ctx: Context, id: int) -> OrganizationDetailView | ManagedOrganizationView:
    """One organization with its newest public events. Raises NotFound."""
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
        recent[event.organization_id].append(event_view(event))
    return recent


def _detail_view(
    ctx: Context, row: Organization, public_events: int, recent: list[EventView]
) -> OrganizationDetailView | ManagedOrganizationView:
    if manages(ctx, row.user_id):
        return _managed_view(row, public_events, recent)
    return OrganizationDetailView(**_shown(row, public_events), notice=row.notice, recent_events=recent)


class CreateOrganization(Input):
    """A new organization. ``eventcount`` is its allowance of events at once; without one it has no limit."""

    name: Name
    user_id: Id
    description: LongText | None = None
    eventcount: Count | None = None


@operation(allow(*ADMINS, scope=Scope.ORGANIZATIONS_WRITE), creates=True)
async def create_organization(ctx: Context, data: CreateOrganization) -> ManagedOrganizationView:
    """Create an organization for an account. Raises ValidationFailed if the account does not exist."""
    if not await User.exists(id=data.user_id):
        raise errors.ValidationFailed({"user_id": "there is no such account"})
    plan = await Plan.get(name=DEFAULT_PLAN)
    row = await Organization.create(
        name=data.name,
        user_id=data.user_id,
        plan=plan,
        description=data.description,
        eventcount=data.eventcount,
        search_text=search_text(data.name, data.description),
    )
    return _managed_view(row, 0, [])
