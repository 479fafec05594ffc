"""The paged lists, each filled with rows: what is in it, in which order, and what each filter leaves.

A row of LISTS is a function that fills one list and returns how to request it, with the IDs to expect for each filter.
The order and the filters are typed from decisions 1.6 and 1.7, never from the code.
"""

import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from amarevents.models import Donation, Event, Organization, User
from amarevents.models.enums import AccountType, Category, DonationStatus, KeyType, PaymentMethod, Privacy, TicketStatus
from tests.support.world import Caller, World, in_days

Query = dict[str, Any]  # Any: what httpx takes as query parameters
LENGTH = 7


@dataclass
class PagedList:
    """A list as one caller sees it; ``expected`` pairs filters with the IDs that they leave, in order."""

    caller: Caller
    path: str
    expected: list[tuple[Query, list[int]]]


FillList = Callable[[World], Awaitable[PagedList]]


def _newest_first(ids: Sequence[int]) -> list[int]:
    return sorted(ids, reverse=True)


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
        ({"sort": "newest"}, _newest_first(dated.listed)),
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


async def organizations(world: World) -> PagedList:
    owner = await world.organizer()
    clubs = [(await world.organization(owner, name=f"Club {number}")).id for number in range(LENGTH)]
    school = await world.organization(owner, name="School", description="Plays chess")
    return PagedList(
        caller=world.anonymous,
        path="/organizations",
        expected=[
            ({}, [school.id, *_newest_first(clubs)]),
            ({"search": "CLUB "}, _newest_first(clubs)),
            ({"search": "chess"}, [school.id]),
            ({"search": "nothing"}, []),
        ],
    )


async def _tickets(world: World, event: Event, user: User) -> list[tuple[Query, list[int]]]:
    """Create seven pending tickets, an approved one between them and a failed one; return what each filter leaves."""
    pending = [(await world.ticket(event, user, status=TicketStatus.PENDING)).id for _ in range(3)]
    approved = (await world.ticket(event, user)).id
    pending += [(await world.ticket(event, user, status=TicketStatus.PENDING)).id for _ in range(4)]
    failed = (await world.ticket(event, user, status=TicketStatus.FAILED)).id
    return [
        ({}, _newest_first([*pending, approved, failed])),
        ({"status": "Pending"}, _newest_first(pending)),
        ({"status": "Success"}, [approved]),
        ({"status": "Failed"}, [failed]),
        ({"status": "Refunded"}, []),
    ]


async def own_tickets(world: World) -> PagedList:
    event, user = await world.event(await world.organizer()), await world.user()
    await world.ticket(event, await world.user())
    return PagedList(caller=await world.key(user), path="/tickets", expected=await _tickets(world, event, user))


async def tickets_of_me(world: World) -> PagedList:
    paged_list = await own_tickets(world)
    paged_list.path = "/users/me/tickets"
    return paged_list


async def event_tickets(world: World) -> PagedList:
    owner = await world.organizer()
    event, other = await world.event(owner), await world.event(owner)
    user = await world.user()
    await world.ticket(other, user)
    return PagedList(
        caller=await world.key(owner, KeyType.ORGANIZER),
        path=f"/events/{event.id}/tickets",
        expected=await _tickets(world, event, user),
    )


async def tickets_by_event(world: World) -> PagedList:
    paged_list = await event_tickets(world)
    event_id = int(paged_list.path.split("/")[2])
    paged_list.path = "/tickets"
    paged_list.expected = [({"event_id": event_id, **query}, ids) for query, ids in paged_list.expected]
    return paged_list


_donation_numbers = itertools.count()


async def _donation(organization: Organization | None, status: DonationStatus) -> int:
    made = await Donation.create(
        organization=organization,
        email="giver@example.com",
        number="01700000000",
        amount=50,
        transaction_id=f"GIFT{next(_donation_numbers)}",
        type=PaymentMethod.NAGAD,
        status=status,
    )
    return made.id


async def _donations(organization: Organization | None) -> dict[str, list[int]]:
    """Create seven pending donations with a verified one between them; return their IDs by status."""
    pending = [await _donation(organization, DonationStatus.PENDING) for _ in range(3)]
    verified = await _donation(organization, DonationStatus.VERIFIED)
    pending += [await _donation(organization, DonationStatus.PENDING) for _ in range(4)]
    return {"pending": pending, "verified": [verified]}


async def donations(world: World) -> PagedList:
    owner = await world.organizer()
    ours = await _donations(await world.organization(owner))
    await _donations(await world.organization(await world.organizer()))
    await _donations(None)
    return PagedList(
        caller=await world.key(owner, KeyType.ORGANIZER),
        path="/donations",
        expected=[
            ({}, _newest_first([*ours["pending"], *ours["verified"]])),
            ({"status": "pending"}, _newest_first(ours["pending"])),
            ({"status": "verified"}, ours["verified"]),
            ({"status": "approved"}, ours["verified"]),
            ({"status": "rejected"}, []),
        ],
    )


async def all_donations(world: World) -> PagedList:
    ours = await _donations(await world.organization(await world.organizer()))
    platforms = await _donations(None)
    both = {status: _newest_first([*ours[status], *platforms[status]]) for status in ours}
    return PagedList(
        caller=await world.admin_key(),
        path="/admin/donations",
        expected=[
            ({}, _newest_first([*both["pending"], *both["verified"]])),
            ({"status": "pending"}, both["pending"]),
            ({"status": "approved"}, both["verified"]),
        ],
    )


async def donations_as_an_admin(world: World) -> PagedList:
    """Fill the list of donations for an admin, who sees those of all organizations."""
    paged_list = await all_donations(world)
    paged_list.path = "/donations"
    return paged_list


async def users(world: World) -> PagedList:
    caller = await world.admin_key(username="boss")
    assert caller.user
    user_ids = [(await world.user(username=f"Reader{number}")).id for number in range(LENGTH)]
    organizer = await world.organizer(username="publisher", number="01911111111")
    return PagedList(
        caller=caller,
        path="/admin/users",
        expected=[
            ({}, [organizer.id, *_newest_first(user_ids), caller.user.id]),
            ({"search": "reader"}, _newest_first(user_ids)),
            ({"search": "@EXAMPLE.com", "type": "user", "admin": 0}, _newest_first(user_ids)),
            ({"search": "0191111"}, [organizer.id]),
            ({"type": str(AccountType.ORGANIZER)}, [organizer.id]),
            ({"type": "user"}, [*_newest_first(user_ids), caller.user.id]),
            ({"admin": 1}, [caller.user.id]),
            ({"admin": 0}, [organizer.id, *_newest_first(user_ids)]),
            ({"search": "reader", "admin": 1}, []),
        ],
    )


async def all_keys(world: World) -> PagedList:
    caller = await world.admin_key()
    assert caller.key
    assert caller.user
    user = await world.organizer()
    theirs = [_key(await world.key(user)) for _ in range(LENGTH)]
    suspended = [_key(await world.key(user, KeyType.ORGANIZER, is_active=False)) for _ in range(2)]
    return PagedList(
        caller=caller,
        path="/admin/api-keys",
        expected=[
            ({}, _newest_first([caller.key.id, *theirs, *suspended])),
            ({"user_id": user.id}, _newest_first([*theirs, *suspended])),
            ({"user_id": user.id, "active": 1}, _newest_first(theirs)),
            ({"active": 0}, _newest_first(suspended)),
            ({"key_type": "user"}, _newest_first(theirs)),
            ({"key_type": "organizer"}, _newest_first(suspended)),
            ({"key_type": "admin"}, [caller.key.id]),
            ({"key_type": "admin", "user_id": user.id}, []),
        ],
    )


def _key(caller: Caller) -> int:
    assert caller.key
    return caller.key.id


LISTS: tuple[FillList, ...] = (
    events,
    all_events,
    organizations,
    own_tickets,
    tickets_of_me,
    event_tickets,
    tickets_by_event,
    donations,
    all_donations,
    donations_as_an_admin,
    users,
    all_keys,
)
