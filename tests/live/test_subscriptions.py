"""What followers of an event are told, when it ends, and that nothing is told after that."""

import asyncio
import contextlib
import datetime
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from strawberry.types.graphql import OperationType

from amarevents import errors
from amarevents.models import ApiKey, CustomValue, Session
from amarevents.models.enums import AccountType, KeyType, TicketChangeKind, TicketStatus
from amarevents.models.fields import utc_now
from amarevents.resolvers import live
from amarevents.resolvers.live import Subscription
from amarevents.schema.running import Asked, Results, stream
from amarevents.security.authentication import read_credential
from amarevents.security.context import Context
from amarevents.security.identification import identify
from amarevents.security.policy import Scope
from amarevents.security.quotas import anonymous_quota
from tests.listening import followers, until_followed
from tests.live.conftest import Scene
from tests.rest.answers import data_of
from tests.world import Caller, World

# Any: JSON, and views of several types.

PROMPTLY = 1.0  # seconds, from the answer of what changes to the delivery


@pytest.fixture(autouse=True)
def checked_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is checked every few seconds, several times a second: the tests wait for it."""
    monkeypatch.setattr(live, "CHECK_SECONDS", 0.1)


async def _context(app: Starlette, caller: Caller) -> Context:
    """What the middleware would make for a request of the caller."""
    header, cookie = caller.headers.get("Authorization"), caller.headers.get("Cookie")
    credential = read_credential([header] if header else [], cookie)
    services = app.state.services
    context = Context(services=services, request_id="x", address="x", credential=credential)
    context.bill(None, anonymous_quota("x", services.settings))
    context.principal = await identify(credential)
    return context


class Follower:
    """Somebody who takes what a subscription tells, one by one."""

    def __init__(self, views: AsyncGenerator[Any, None]) -> None:
        self._views = views

    async def next(self, seconds: float = PROMPTLY) -> Any:
        async with asyncio.timeout(seconds):
            return await anext(self._views)

    async def is_told_nothing(self, seconds: float = 0.4) -> bool:
        """Nothing for so long; can be asked once, last."""
        try:
            await self.next(seconds)
        except TimeoutError:
            return True
        return False


@contextlib.asynccontextmanager
async def _following(
    app: Starlette, subscription: Subscription[Any], caller: Caller, event_id: int
) -> AsyncIterator[Follower]:
    """Ends well, or the test fails: the broker knows nobody any more."""
    before = followers(app)
    context = await _context(app, caller)
    views = subscription(context, {"event_id": event_id}, begun=lambda: None)
    async with contextlib.aclosing(views):
        yield Follower(views)
    assert followers(app) == before


@pytest.fixture
async def stats(app: Starlette, scene: Scene) -> AsyncIterator[Follower]:
    async with _following(app, live.event_stats, scene.organizer, scene.event.id) as follower:
        yield follower


@pytest.fixture
async def tickets(app: Starlette, scene: Scene) -> AsyncIterator[tuple[Follower, "asyncio.Task[Any]"]]:
    """A follower of tickets, and what it is told first."""
    async with _following(app, live.ticket_updated, scene.organizer, scene.event.id) as follower:
        first = asyncio.create_task(follower.next(5))
        await until_followed(app)
        yield follower, first
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)


# The numbers ----------------------------------------------------------------------------------------------------


async def test_the_numbers_are_told_at_once_and_whenever_they_change(stats: Follower, scene: Scene) -> None:
    assert (await stats.next()).total == 0
    ticket_id = await scene.register()
    told = await stats.next()
    assert (told.total, told.approved, told.by_ticket_type[0].total) == (1, 1, 1)
    data_of(await scene.organizer.put(f"/tickets/{ticket_id}", {"status": "Refunded"}))
    told = await stats.next()
    assert (told.total, told.approved, told.refunded) == (1, 0, 1)
    data_of(await scene.organizer.delete(f"/tickets/{ticket_id}"))
    assert (await stats.next()).total == 0


APPROVE = "mutation($id: ID!) { approvePayments(input: {ticketIds: [$id]}) { decided { id } } }"
CHECK_IN = "mutation($code: String!) { checkInTicket(code: $code) { outcome } }"
UNDO = "mutation($id: ID!) { undoCheckIn(ticketId: $id) { id } }"


async def test_approvals_and_check_ins_move_the_numbers(stats: Follower, scene: Scene, world: World) -> None:
    assert scene.buyer.user is not None
    ticket = await world.ticket(scene.event, scene.buyer.user, ticket_type=scene.kind, status=TicketStatus.PENDING)
    assert (await stats.next()).pending == 1
    assert "errors" not in await scene.organizer.graphql(APPROVE, id=ticket.id)
    told = await stats.next()
    assert (told.pending, told.approved, told.checked_in) == (0, 1, 0)
    for _scan in ("first", "again"):  # which changes nothing, and is not told
        assert "errors" not in await scene.organizer.graphql(CHECK_IN, code=ticket.code)
    assert (await stats.next()).checked_in == 1
    assert "errors" not in await scene.organizer.graphql(UNDO, id=ticket.id)
    assert (await stats.next()).checked_in == 0


async def test_approvals_and_check_ins_are_told_as_updates_of_the_ticket(
    tickets: "tuple[Follower, asyncio.Task[Any]]", scene: Scene, world: World
) -> None:
    follower, first = tickets
    assert scene.buyer.user is not None
    ticket = await world.ticket(scene.event, scene.buyer.user, ticket_type=scene.kind, status=TicketStatus.PENDING)
    assert "errors" not in await scene.organizer.graphql(APPROVE, id=ticket.id)
    told = await first
    assert (told.kind, told.ticket_id, told.ticket.status) == (
        TicketChangeKind.UPDATED,
        ticket.id,
        TicketStatus.SUCCESS,
    )
    assert "errors" not in await scene.organizer.graphql(CHECK_IN, code=ticket.code)
    assert (await follower.next()).ticket_id == ticket.id


async def test_changes_of_ticket_types_are_changes_of_the_numbers(stats: Follower, scene: Scene) -> None:
    await stats.next()
    body = {"event_id": scene.event.id, "name": "Balcony", "capacity": 3}
    created = data_of(await scene.organizer.post("/ticket-types", body), 201)["id"]
    assert [one.capacity for one in (await stats.next()).by_ticket_type] == [3, 0]
    data_of(await scene.organizer.put(f"/ticket-types/{created}", {"capacity": 7}))
    assert [one.capacity for one in (await stats.next()).by_ticket_type] == [7, 0]
    data_of(await scene.organizer.delete(f"/ticket-types/{created}"))
    assert len((await stats.next()).by_ticket_type) == 1


async def test_a_deleted_account_takes_its_tickets_out_of_the_numbers(
    stats: Follower, scene: Scene, world: World
) -> None:
    await stats.next()
    await scene.register()
    assert (await stats.next()).total == 1
    admin = await world.admin_key()
    assert scene.buyer.user is not None
    data_of(await admin.delete(f"/admin/users/{scene.buyer.user.id}"))
    assert (await stats.next()).total == 0


async def test_numbers_that_stay_the_same_are_not_told_again(stats: Follower, scene: Scene, app: Starlette) -> None:
    await stats.next()
    for _ in range(5):
        await app.state.services.broker.publish(scene.event.id, [])
    assert await stats.is_told_nothing()


async def test_a_rush_is_told_as_the_sum_of_it(stats: Follower, scene: Scene) -> None:
    await stats.next()
    await asyncio.gather(*(scene.register() for _ in range(20)))
    told = [(await stats.next()).total]
    while told[-1] < 20:
        told.append((await stats.next()).total)
    assert told[-1] == 20
    assert len(told) < 10


async def test_another_event_is_none_of_its_business(stats: Follower, scene: Scene, world: World) -> None:
    await stats.next()
    other = await world.event(scene.owner)
    data_of(await scene.buyer.post("/tickets", {"event_id": other.id}), 201)
    assert await stats.is_told_nothing()


# The tickets ----------------------------------------------------------------------------------------------------


async def test_tickets_are_told_one_by_one_with_what_has_happened_to_them(
    tickets: tuple[Follower, "asyncio.Task[Any]"], scene: Scene
) -> None:
    follower, first = tickets
    ticket_id = await scene.register()
    told = await first
    assert (told.kind, told.ticket_id) == (TicketChangeKind.CREATED, ticket_id)
    assert (told.ticket.id, told.ticket.status, told.ticket.name) == (ticket_id, TicketStatus.SUCCESS, "buyer")
    data_of(await scene.organizer.put(f"/tickets/{ticket_id}", {"status": "Failed", "note": "No money"}))
    told = await follower.next()
    assert (told.kind, told.ticket.status, told.ticket.note) == (
        TicketChangeKind.UPDATED,
        TicketStatus.FAILED,
        "No money",
    )
    data_of(await scene.organizer.delete(f"/tickets/{ticket_id}"))
    told = await follower.next()
    assert (told.kind, told.ticket_id, told.ticket) == (TicketChangeKind.DELETED, ticket_id, None)


async def test_tickets_that_lose_their_type_have_changed(
    tickets: tuple[Follower, "asyncio.Task[Any]"], scene: Scene, world: World
) -> None:
    ticket = await world.ticket(scene.event, await world.user(), ticket_type=scene.kind, status=TicketStatus.PENDING)
    data_of(await scene.organizer.delete(f"/ticket-types/{scene.kind.id}"))
    told = await tickets[1]
    assert (told.kind, told.ticket_id, told.ticket.ticket_type_id) == (TicketChangeKind.UPDATED, ticket.id, None)


async def test_the_tickets_of_a_deleted_account_are_deleted(
    tickets: tuple[Follower, "asyncio.Task[Any]"], scene: Scene, world: World
) -> None:
    assert scene.buyer.user is not None
    ticket = await world.ticket(scene.event, scene.buyer.user, ticket_type=scene.kind)
    admin = await world.admin_key()
    data_of(await admin.delete(f"/admin/users/{scene.buyer.user.id}"))
    told = await tickets[1]
    assert (told.kind, told.ticket_id) == (TicketChangeKind.DELETED, ticket.id)


REFUSED_AND_REPLAYED = """mutation($id: ID!, $missing: ID!) {
    refused: registerForEvent(input: {eventId: $id, ticketTypeId: $missing}) { id }
    first: registerForEvent(input: {eventId: $id}, idempotencyKey: "one") { id }
    again: registerForEvent(input: {eventId: $id}, idempotencyKey: "one") { id }
}"""


async def test_what_is_refused_or_only_repeated_is_not_told(
    tickets: tuple[Follower, "asyncio.Task[Any]"], scene: Scene
) -> None:
    follower, first = tickets
    answer = await scene.buyer.graphql(REFUSED_AND_REPLAYED, id=scene.event.id, missing=999)
    assert answer["data"]["refused"] is None
    assert answer["data"]["first"] == answer["data"]["again"]
    told = await first
    assert (told.kind, str(told.ticket_id)) == (TicketChangeKind.CREATED, answer["data"]["first"]["id"])
    assert await follower.is_told_nothing()


# Who may --------------------------------------------------------------------------------------------------------

BOTH = pytest.mark.parametrize("subscription", [live.event_stats, live.ticket_updated], ids=lambda one: one.name)


async def _refusal(app: Starlette, subscription: Subscription[Any], caller: Caller, event_id: int) -> str:
    with pytest.raises(errors.AmarEventsError) as refused:
        async with _following(app, subscription, caller, event_id) as follower:
            await follower.next(5)
    return refused.value.code


@BOTH
async def test_owner_and_admins_may_and_nobody_else(
    app: Starlette, scene: Scene, world: World, subscription: Subscription[Any]
) -> None:
    event_id = scene.event.id
    assert await _refusal(app, subscription, world.anonymous, event_id) == "UNAUTHENTICATED"
    assert await _refusal(app, subscription, scene.buyer, event_id) == "WRONG_KEY_TYPE"
    assert await _refusal(app, subscription, await world.organizer_key(), event_id) == "FORBIDDEN"
    assert await _refusal(app, subscription, await world.key(scene.owner, KeyType.USER), event_id) == "WRONG_KEY_TYPE"
    unscoped = await world.key(scene.owner, KeyType.ORGANIZER, permissions=[Scope.EVENTS_READ])
    assert await _refusal(app, subscription, unscoped, event_id) == "MISSING_SCOPE"
    assert await _refusal(app, subscription, scene.organizer, 999_999) == "NOT_FOUND"
    assert await _refusal(app, subscription, scene.organizer, 0) == "VALIDATION_ERROR"
    private = await world.event(await world.organizer(), privacy="private")
    assert await _refusal(app, subscription, scene.organizer, private.id) == "NOT_FOUND"
    for caller in (await world.admin_key(), await world.session(scene.owner)):
        async with _following(app, live.event_stats, caller, event_id) as follower:
            assert (await follower.next()).total == 0


# Its end --------------------------------------------------------------------------------------------------------


async def _revoke(scene: Scene, world: World) -> None:
    data_of(await scene.organizer.delete(f"/keys/{scene.key.id}"))


async def _suspend(scene: Scene, world: World) -> None:
    await ApiKey.filter(id=scene.key.id).update(is_active=False)


async def _expire(scene: Scene, world: World) -> None:
    await ApiKey.filter(id=scene.key.id).update(expires_at=utc_now() - datetime.timedelta(seconds=1))


async def _unscope(scene: Scene, world: World) -> None:
    await ApiKey.filter(id=scene.key.id).update(permissions=["events:read"])


async def _demote(scene: Scene, world: World) -> None:
    scene.owner.type = AccountType.USER
    await scene.owner.save(update_fields=["type"])


async def _hand_over(scene: Scene, world: World) -> None:
    organization = await scene.event.organization
    organization.user_id = (await world.organizer()).id
    await organization.save(update_fields=["user_id"])


async def _delete_event(scene: Scene, world: World) -> None:
    data_of(await (await world.key(scene.owner, KeyType.ORGANIZER)).delete(f"/events/{scene.event.id}"))


async def _delete_account(scene: Scene, world: World) -> None:
    data_of(await (await world.admin_key()).delete(f"/admin/users/{scene.owner.id}"))


ENDS = {
    "API_KEY_REVOKED": _revoke,
    "API_KEY_SUSPENDED": _suspend,
    "API_KEY_EXPIRED": _expire,
    "MISSING_SCOPE": _unscope,
    "ROLE_LOST": _demote,
    "FORBIDDEN": _hand_over,
    "NOT_FOUND": _delete_event,
    "INVALID_API_KEY": _delete_account,
}
End = Callable[[Scene, World], Awaitable[None]]


@BOTH
@pytest.mark.parametrize(("code", "end"), ENDS.items(), ids=list(ENDS))
async def test_it_ends_by_itself_when_the_right_to_it_does(
    app: Starlette, scene: Scene, world: World, subscription: Subscription[Any], code: str, end: End
) -> None:
    """Nothing happens in the event meanwhile."""
    async with _following(app, subscription, scene.organizer, scene.event.id) as follower:
        if subscription is live.event_stats:
            await follower.next()
        upcoming = asyncio.create_task(follower.next(5))
        await until_followed(app)
        await end(scene, world)
        with pytest.raises(errors.AmarEventsError) as ended:
            await upcoming
        assert ended.value.code == code


@BOTH
@pytest.mark.parametrize(("code", "end"), list(ENDS.items())[:6], ids=list(ENDS)[:6])
async def test_nothing_is_told_after_its_end_even_if_it_happened_before(
    app: Starlette,
    scene: Scene,
    world: World,
    subscription: Subscription[Any],
    code: str,
    end: End,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without waiting for the next check: what has been told to the broker meets a follower without a right to it."""
    monkeypatch.setattr(live, "CHECK_SECONDS", 60)
    async with _following(app, subscription, scene.organizer, scene.event.id) as follower:
        if subscription is live.event_stats:
            await follower.next()
        else:
            first = asyncio.create_task(follower.next(5))
            await until_followed(app)
            await scene.register()
            await first
        await scene.register()
        await end(scene, world)
        with pytest.raises(errors.AmarEventsError) as ended:
            await follower.next(5)
        assert ended.value.code == code


async def test_without_the_check_before_each_delivery_it_would_be_told(
    stats: Follower, scene: Scene, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the above."""

    async def trusting(_standing: live.Standing) -> None:
        return

    await stats.next()
    await _revoke(scene, world)
    monkeypatch.setattr(live.Standing, "identify", trusting)
    await scene.register()
    assert (await stats.next()).total == 1


async def test_it_ends_with_its_session(app: Starlette, scene: Scene, world: World) -> None:
    session = await world.session(scene.owner)
    async with _following(app, live.event_stats, session, scene.event.id) as follower:
        await follower.next()
        await Session.all().delete()
        with pytest.raises(errors.Unauthenticated):
            await follower.next(5)


# Loaders --------------------------------------------------------------------------------------------------------

WITH_ANSWERS = "subscription($id: ID!) { ticketUpdated(eventId: $id) { kind ticket { customFields { value } } } }"


async def test_each_delivery_loads_anew(app: Starlette, scene: Scene, world: World) -> None:
    field = await world.custom_field(scene.event, "Size")
    ticket = await world.ticket(scene.event, await world.user(), ticket_type=scene.kind)
    answer = await CustomValue.create(ticket=ticket, field=field, value="M")
    context = await _context(app, scene.organizer)
    asked = Asked(query=WITH_ANSWERS, variables={"id": scene.event.id}, operation_name=None)
    results = await stream(asked, context, allowed=list(OperationType))
    assert isinstance(results, Results)
    async with contextlib.aclosing(results):
        values = []
        for value in ("M", "XL"):
            await CustomValue.filter(id=answer.id).update(value=value)
            data_of(await scene.organizer.put(f"/tickets/{ticket.id}", {"note": value}))
            result = await anext(results)
            assert result.data is not None, result.errors
            values.append(result.data["ticketUpdated"]["ticket"]["customFields"][0]["value"])
    assert values == ["M", "XL"]
    assert followers(app) == 0


# Slow readers ---------------------------------------------------------------------------------------------------


async def test_who_takes_tickets_too_slowly_is_told_to_begin_anew(
    app: Starlette, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amarevents.security.broker.base.MAX_WAITING", 3)
    event_id = scene.event.id
    async with (
        _following(app, live.ticket_updated, scene.organizer, event_id) as slow,
        _following(app, live.ticket_updated, scene.organizer, event_id) as quick,
    ):
        upcoming = [asyncio.create_task(follower.next(5)) for follower in (slow, quick)]
        await until_followed(app, 2)
        made = [await scene.register()]
        await asyncio.gather(*upcoming)
        for _ in range(4):
            made.append(await scene.register())
            assert (await quick.next()).ticket_id == made[-1]
        with pytest.raises(errors.UpdatesMissed, match="subscribe again"):
            await slow.next()


async def test_a_slow_follower_of_numbers_gets_the_latest(
    app: Starlette, stats: Follower, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amarevents.security.broker.base.MAX_WAITING", 3)
    await stats.next()
    for _ in range(6):
        await scene.register()
    assert (await stats.next()).total == 6
