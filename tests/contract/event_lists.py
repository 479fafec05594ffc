"""The paged lists of events: those still to come first, with filters by date and other orders (decisions 1.7)."""

from dataclasses import dataclass
from typing import Any

from amarevents.models import Organization
from amarevents.models.enums import Category, Privacy
from tests.contract.paged_list import PagedList, Query, newest_first
from tests.support.world import World, in_days


@dataclass
class DatedEvents:
    """IDs of events on different days, those of each day in the order of their creation."""

    undated: list[int]
    late: list[int]
    early: list[int]
    older: list[int]
    recent: list[int]

    @property
    def upcoming(self) -> list[int]:
        return [*self.early, *self.late, *self.undated]

    @property
    def past(self) -> list[int]:
        return [*reversed(self.recent), *reversed(self.older)]

    @property
    def listed(self) -> list[int]:
        """In the order of lists: what is still to come first, the undated after the dated (decisions 1.7)."""
        return [*self.upcoming, *self.past]


async def _dated_events(world: World, organization: Organization, **fields: Any) -> DatedEvents:
    """Create events in another order than that of lists."""

    async def create(count: int, day: int | None) -> list[int]:
        date = None if day is None else in_days(day)
        return [(await world.event(organization, date=date, **fields)).id for _ in range(count)]

    return DatedEvents(
        undated=await create(2, None),
        late=await create(3, 9),
        early=await create(2, 5),
        older=await create(2, -9),
        recent=await create(2, -5),
    )


def _by_schedule(dated: DatedEvents) -> list[tuple[Query, list[int]]]:
    """Return what the filters by date and the orders leave of events (decisions 1.7)."""
    by_date = [*dated.older, *dated.recent, *dated.early, *dated.late]
    return [
        ({"upcoming": "true"}, dated.upcoming),
        ({"upcoming": "0"}, dated.past),
        ({"from": in_days(-5), "to": in_days(5)}, [*dated.early, *reversed(dated.recent)]),
        ({"from": in_days(9)}, dated.late),
        ({"to": in_days(-9)}, [*reversed(dated.older)]),
        ({"from": in_days(6), "to": in_days(8)}, []),
        ({"from": in_days(1), "upcoming": "true", "sort": "-date"}, [*reversed(dated.late), *reversed(dated.early)]),
        ({"sort": "date"}, [*by_date, *dated.undated]),
        ({"sort": "-date"}, [*reversed(by_date), *dated.undated]),
        ({"sort": "newest"}, newest_first(dated.listed)),
    ]


async def events(world: World) -> PagedList:
    ours = await world.organization(await world.organizer())
    theirs = await world.organization(await world.organizer())
    concerts = await _dated_events(world, ours, category=Category.CONCERT, location="Dhaka")
    sports = await world.event(theirs, date=in_days(7), category=Category.SPORTS, location="Sylhet")
    await _dated_events(world, theirs, category=Category.CONCERT, location="Dhaka", privacy=Privacy.PRIVATE)
    of_ours = {"organization_id": ours.id}
    return PagedList(
        caller=world.anonymous,
        path="/events",
        expected=[
            ({}, [*concerts.early, sports.id, *concerts.late, *concerts.undated, *concerts.past]),
            ({"search": "dhaka"}, concerts.listed),
            ({"category": "Concert"}, concerts.listed),
            (of_ours, concerts.listed),
            ({"search": "DHAKA", "category": "concert", **of_ours}, concerts.listed),
            ({"category": "Sports"}, [sports.id]),
            ({"category": "Games"}, []),
            *(({**of_ours, **query}, ids) for query, ids in _by_schedule(concerts)),
            *(({"category": "Concert", "search": "dhaka", **query}, ids) for query, ids in _by_schedule(concerts)),
        ],
    )


async def all_events(world: World) -> PagedList:
    organization = await world.organization(await world.organizer())
    private = await _dated_events(world, organization, privacy=Privacy.PRIVATE)
    public = await world.event(organization, name="Open day", date=in_days(1))
    return PagedList(
        caller=await world.admin_key(),
        path="/admin/events",
        expected=[
            ({}, [public.id, *private.listed]),
            ({"privacy": "private"}, private.listed),
            ({"privacy": "public"}, [public.id]),
            ({"search": "event"}, private.listed),
            ({"search": "event", "privacy": "public"}, []),
            *(({"search": "event", **query}, ids) for query, ids in _by_schedule(private)),
        ],
    )
