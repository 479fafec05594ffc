"""Access to connections: which rows, and which traces of hidden rows, a caller sees in the pages."""

from amarevents.models.enums import KeyType, Privacy, TicketStatus
from amarevents.resolvers.events.schedule import event_order
from amarevents.security.policy import Scope
from tests.support.graphql_answers import error_code_and_fields
from tests.support.pagination import EVENTS, TICKETS, ids_of, page_of
from tests.support.world import World, in_days, snapshot


async def test_anonymous_caller_cannot_list_tickets(world: World) -> None:
    owner = await world.organizer()
    event = await world.event(owner)
    await world.ticket(event, owner)
    for of in (None, event.id, 2**30):
        assert error_code_and_fields(await world.anonymous.graphql(TICKETS, of=of)) == ("UNAUTHENTICATED", set())
    # Nor do they learn that an argument is invalid.
    assert error_code_and_fields(await world.anonymous.graphql(TICKETS, first=0)) == ("UNAUTHENTICATED", set())


async def test_another_organizer_cannot_list_the_tickets_of_an_event(world: World) -> None:
    event = await world.event(await world.organizer())
    await world.ticket(event, await world.user())
    foreign = await world.organizer_key()
    before = await snapshot()
    assert error_code_and_fields(await foreign.graphql(TICKETS, of=event.id)) == ("FORBIDDEN", set())
    assert error_code_and_fields(await foreign.graphql(TICKETS, of=2**30)) == ("NOT_FOUND", set())
    assert await snapshot() == before


async def test_ticket_holder_and_user_key_of_the_owner_cannot_list_the_tickets_of_an_event(world: World) -> None:
    owner, holder = await world.organizer(), await world.user_key()
    event = await world.event(owner)
    assert holder.user
    ticket = await world.ticket(event, holder.user)
    for caller in (holder, await world.key(owner, KeyType.USER)):
        assert error_code_and_fields(await caller.graphql(TICKETS, of=event.id)) == ("FORBIDDEN", set())
    assert ids_of(await page_of(holder, TICKETS)) == [ticket.id]


async def test_key_needs_the_scope_of_the_route(world: World) -> None:
    user = await world.user()
    await world.ticket(await world.event(await world.organizer()), user)
    key = await world.key(user, permissions=[Scope.EVENTS_READ, Scope.TICKETS_WRITE])
    assert error_code_and_fields(await key.graphql(TICKETS)) == ("MISSING_SCOPE", set())


async def test_caller_sees_only_their_own_tickets(world: World) -> None:
    event, caller = await world.event(await world.organizer()), await world.user_key()
    assert caller.user
    own = [await world.ticket(event, caller.user) for _ in range(3)]
    await world.ticket(event, await world.user())
    page = await page_of(caller, TICKETS)
    assert ids_of(page) == [ticket.id for ticket in reversed(own)]
    answer = await caller.graphql("{ ticketsConnection { totalCount } }")
    assert answer["data"]["ticketsConnection"] == {"totalCount": 3}


async def test_owner_and_admins_can_list_the_tickets_of_an_event(world: World) -> None:
    owner = await world.organizer()
    event = await world.event(owner)
    pending = await world.ticket(event, await world.user(), status=TicketStatus.PENDING)
    ticket = await world.ticket(event, await world.user())
    await world.ticket(await world.event(await world.organizer()), owner)
    for caller in (await world.key(owner, KeyType.ORGANIZER), await world.session(owner), await world.admin_key()):
        assert ids_of(await page_of(caller, TICKETS, of=event.id)) == [ticket.id, pending.id]
        assert ids_of(await page_of(caller, TICKETS, of=event.id, status="PENDING")) == [pending.id]


async def test_private_events_leave_no_trace_in_pages(world: World) -> None:
    owner = await world.organizer()
    organization = await world.organization(owner)
    public = await world.event(organization, date=in_days(2))
    for date in (in_days(1), in_days(3), None):
        await world.event(organization, date=date, privacy=Privacy.PRIVATE)
    for caller in (world.anonymous, await world.user_key(), await world.organizer_key()):
        page = await page_of(caller, EVENTS, first=1)
        assert ids_of(page) == [public.id]
        assert (page["pageInfo"]["hasNextPage"], page["pageInfo"]["hasPreviousPage"]) == (False, False)
    assert len(ids_of(await page_of(await world.session(owner), EVENTS))) == 4


async def test_cursor_of_a_hidden_event_reveals_nothing(world: World) -> None:
    """A cursor encodes a position, which anyone can make up, so it must not reveal whether a row exists there."""
    organization = await world.organization(await world.organizer())
    hidden = await world.event(organization, date=in_days(1), privacy=Privacy.PRIVATE)
    place = event_order(None, in_days(0)).encode_cursor((hidden.sort_date, hidden.id))
    for arguments in ({"after": place}, {"before": place, "last": 5}, {"after": place, "before": place}):
        page = await page_of(world.anonymous, EVENTS, **arguments)
        nothing = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
        assert page == {"edges": [], "nodes": [], "pageInfo": nothing}
