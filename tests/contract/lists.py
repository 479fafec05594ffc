"""The paged lists, each filled with rows: what is in it, in which order, and what each filter leaves.

A row of LISTS is a function that fills one list and returns how to request it, with the IDs to expect for each filter.
The order and the filters are typed from decisions 1.6 and 1.7, never from the code.
"""

import itertools

from amarevents.models import Donation, Event, Organization, User
from amarevents.models.enums import AccountType, DonationStatus, KeyType, PaymentMethod, TicketStatus
from tests.contract.event_lists import all_events, events
from tests.contract.paged_list import LENGTH, FillList, PagedList, Query, newest_first
from tests.support.world import Caller, World


async def organizations(world: World) -> PagedList:
    owner = await world.organizer()
    clubs = [(await world.organization(owner, name=f"Club {number}")).id for number in range(LENGTH)]
    school = await world.organization(owner, name="School", description="Plays chess")
    return PagedList(
        caller=world.anonymous,
        path="/organizations",
        expected=[
            ({}, [school.id, *newest_first(clubs)]),
            ({"search": "CLUB "}, newest_first(clubs)),
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
        ({}, newest_first([*pending, approved, failed])),
        ({"status": "Pending"}, newest_first(pending)),
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
            ({}, newest_first([*ours["pending"], *ours["verified"]])),
            ({"status": "pending"}, newest_first(ours["pending"])),
            ({"status": "verified"}, ours["verified"]),
            ({"status": "approved"}, ours["verified"]),
            ({"status": "rejected"}, []),
        ],
    )


async def all_donations(world: World) -> PagedList:
    ours = await _donations(await world.organization(await world.organizer()))
    platforms = await _donations(None)
    both = {status: newest_first([*ours[status], *platforms[status]]) for status in ours}
    return PagedList(
        caller=await world.admin_key(),
        path="/admin/donations",
        expected=[
            ({}, newest_first([*both["pending"], *both["verified"]])),
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
            ({}, [organizer.id, *newest_first(user_ids), caller.user.id]),
            ({"search": "reader"}, newest_first(user_ids)),
            ({"search": "@EXAMPLE.com", "type": "user", "admin": 0}, newest_first(user_ids)),
            ({"search": "0191111"}, [organizer.id]),
            ({"type": str(AccountType.ORGANIZER)}, [organizer.id]),
            ({"type": "user"}, [*newest_first(user_ids), caller.user.id]),
            ({"admin": 1}, [caller.user.id]),
            ({"admin": 0}, [organizer.id, *newest_first(user_ids)]),
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
            ({}, newest_first([caller.key.id, *theirs, *suspended])),
            ({"user_id": user.id}, newest_first([*theirs, *suspended])),
            ({"user_id": user.id, "active": 1}, newest_first(theirs)),
            ({"active": 0}, newest_first(suspended)),
            ({"key_type": "user"}, newest_first(theirs)),
            ({"key_type": "organizer"}, newest_first(suspended)),
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
