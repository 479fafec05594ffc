"""Many subscribers of one event: so many of an account, and what they need at the same moment is worked out once."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest
from starlette.applications import Starlette

from amarevents import errors
from amarevents.infra.pubsub import Subscriber, TicketChange
from amarevents.models import ApiKey
from amarevents.models.columns import utc_now
from amarevents.models.enums import KeyType, TicketChangeKind, TicketStatus
from amarevents.resolvers.core import subscription
from amarevents.resolvers.core.subscription import SharedResult, SubscriberAuthorization
from amarevents.resolvers.tickets import subscriptions
from amarevents.resolvers.tickets.subscriptions import merge_changes
from amarevents.schema.execution.cost import MAX_COST, MAX_DELIVERY_COST
from amarevents.security import connection_limits
from amarevents.security.auth.api_keys import ParsedKey
from amarevents.security.auth.credentials import read_credential
from amarevents.security.auth.principals import identify
from amarevents.security.context import Context
from tests.schema.subscriptions.conftest import Scene
from tests.support.local_server import subscriber_count, wait_for_subscribers
from tests.support.rest_answers import data_of
from tests.support.websocket_client import open_socket
from tests.support.world import Caller, World

CREATED, UPDATED, DELETED = TicketChangeKind
STATS = "subscription($id: ID!) { eventStats(eventId: $id) { total } }"
APPROVE = "mutation($ids: [ID!]!) { approvePayments(input: {ticketIds: $ids}) { decided { id } } }"

# Any: JSON, and views of several types.


async def _context(app: Starlette, caller: Caller) -> Context:
    credential = read_credential([caller.headers["Authorization"]], None)
    context = Context(services=app.state.services, request_id="x", address="x", credential=credential)
    context.principal = await identify(credential)
    return context


@contextlib.asynccontextmanager
async def _told(app: Starlette, caller: Caller, event_id: int) -> AsyncIterator[AsyncGenerator[Any, None]]:
    """What a follower of tickets is told; the caller iterates."""
    views = subscriptions.ticket_updated(await _context(app, caller), {"event_id": event_id}, on_started=lambda: None)
    async with contextlib.aclosing(views):
        yield views


async def _pending(scene: Scene, world: World, number: int) -> list[int]:
    tickets = [
        await world.ticket(scene.event, scene.owner, ticket_type=scene.kind, status=TicketStatus.PENDING)
        for _ in range(number)
    ]
    return [ticket.id for ticket in tickets]


class Counted:
    """How often something is done, which is done all the same."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> None:
        self.times = 0
        done: Callable[..., Awaitable[Any]] = getattr(owner, name)

        async def counting(*arguments: Any) -> Any:
            self.times += 1
            return await done(*arguments)

        monkeypatch.setattr(owner, name, counting)


# How many -------------------------------------------------------------------------------------------------------


async def test_an_account_has_so_many_followers_over_all_its_connections_and_keys(
    address: str, scene: Scene, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limits, "MAX_SUBSCRIPTIONS", 2)
    other_key = await world.key(scene.owner, KeyType.ORGANIZER)
    subscribe = {"type": "subscribe", "payload": {"query": STATS, "variables": {"id": scene.event.id}}}
    async with (
        open_socket(address, scene.organizer.headers) as first,
        open_socket(address, other_key.headers) as second,
    ):
        for socket in (first, second):
            await socket.initialize()
            await socket.send({**subscribe, "id": "1"})
            assert (await socket.receive())["type"] == "next"
        await second.send({**subscribe, "id": "2"})
        refused = await second.receive()
        assert (refused["id"], refused["payload"][0]["extensions"]["code"]) == ("2", "TOO_MANY_OPERATIONS")
        await scene.register()
        assert [(await socket.receive())["id"] for socket in (first, second)] == ["1", "1"]


async def test_one_more_is_refused_and_one_that_ends_makes_room(
    app: Starlette, scene: Scene, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limits, "MAX_SUBSCRIPTIONS", 1)
    admin = await world.admin_key()
    async with _told(app, scene.organizer, scene.event.id) as one:
        next_view = asyncio.create_task(anext(one))
        await wait_for_subscribers(app)
        async with _told(app, await world.key(scene.owner, KeyType.ORGANIZER), scene.event.id) as more:
            with pytest.raises(errors.TooManyOperations, match="An account can have at most 1 "):
                await anext(more)
        assert subscriber_count(app) == 1
        async with _told(app, admin, scene.event.id) as of_another:
            others = asyncio.create_task(anext(of_another))
            await wait_for_subscribers(app, 2)
            await scene.register()
            assert (await others).kind == (await next_view).kind == CREATED
    async with _told(app, scene.organizer, scene.event.id) as one:
        next_view = asyncio.create_task(anext(one))
        await wait_for_subscribers(app)
        await scene.register()
        await next_view
    assert not app.state.services.connections._open


# What it may cost -----------------------------------------------------------------------------------------------


async def test_a_subscription_may_cost_less_than_what_is_asked_once(address: str, scene: Scene, app: Starlette) -> None:
    """The maximum is for each delivery, and told with it."""
    tickets = "ticket { event { tickets(limit: 100) { items { %s } } } }"
    dear = "subscription($id: ID!) { ticketUpdated(eventId: $id) { %s } }" % (
        tickets % "id owner { id } event { name } code"
    )
    cheap = "subscription($id: ID!) { ticketUpdated(eventId: $id) { %s } }" % (tickets % "id code")
    async with open_socket(address, scene.organizer.headers) as socket:
        await socket.initialize()
        for identifier, query in (("1", dear), ("2", cheap)):
            payload = {"query": query, "variables": {"id": scene.event.id}}
            await socket.send({"type": "subscribe", "id": identifier, "payload": payload})
        refused = await socket.receive()
        assert refused["payload"][0]["extensions"]["code"] == "DOCUMENT_TOO_LARGE"
        assert str(MAX_DELIVERY_COST) in refused["payload"][0]["message"]
        await wait_for_subscribers(app)
        await scene.register()
        assert (await socket.receive())["payload"]["extensions"]["cost"]["maximum"] == MAX_DELIVERY_COST < MAX_COST
    answer = await scene.organizer.graphql(
        """query($id: ID!) {
            event(id: $id) { tickets(limit: 100) { items { id code ticketType { id } event { name } } } }
        }""",
        id=scene.event.id,
    )
    assert "errors" not in answer
    assert answer["extensions"]["cost"]["requested"] > MAX_DELIVERY_COST
    assert answer["extensions"]["cost"]["maximum"] == MAX_COST


# Batches --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ([(UPDATED, 1), (UPDATED, 2), (UPDATED, 1)], [(1, UPDATED), (2, UPDATED)]),
        ([(CREATED, 2), (CREATED, 1), (UPDATED, 2)], [(2, CREATED), (1, CREATED)]),
        ([(UPDATED, 1), (DELETED, 1)], [(1, DELETED)]),
        ([(CREATED, 1), (DELETED, 1), (UPDATED, 1)], [(1, DELETED)]),  # told twice, and late, by another process
        ([], []),
    ],
)
def test_changes_of_one_ticket_are_gathered(
    changes: Sequence[tuple[TicketChangeKind, int]], told: list[tuple[int, TicketChangeKind]]
) -> None:
    assert list(merge_changes(TicketChange(*change) for change in changes).items()) == told


async def test_a_batch_is_checked_and_read_once_and_told_in_order_within_a_second(
    app: Starlette, scene: Scene, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await _pending(scene, world, 45)
    async with _told(app, scene.organizer, scene.event.id) as views:
        first = asyncio.create_task(anext(views))
        await wait_for_subscribers(app)
        checks, readings = (
            Counted(monkeypatch, SubscriberAuthorization, "identify"),
            Counted(monkeypatch, subscriptions, "_read_tickets"),
        )
        assert "errors" not in await scene.organizer.graphql(APPROVE, ids=ids)
        answered_at = time.monotonic()
        told = [await first, *[await anext(views) for _ in ids[1:]]]
        assert time.monotonic() - answered_at < 1
    assert [view.ticket_id for view in told] == ids
    assert {(view.kind, view.ticket.status) for view in told} == {(UPDATED, TicketStatus.SUCCESS)}
    assert checks.times == readings.times == 1


async def test_what_happens_to_a_ticket_in_a_batch_is_told_once_as_it_is_by_then(
    app: Starlette, scene: Scene, world: World
) -> None:
    async with _told(app, scene.organizer, scene.event.id) as views:
        first = asyncio.create_task(anext(views))
        await wait_for_subscribers(app)
        await scene.register()
        await first
        kept, gone = await scene.register(), await scene.register()
        for note in ("a", "b"):
            data_of(await scene.organizer.put(f"/tickets/{kept}", {"note": note}))
        data_of(await scene.organizer.delete(f"/tickets/{gone}"))
        told = [await anext(views), await anext(views)]
        assert [(view.kind, view.ticket_id) for view in told] == [(CREATED, kept), (DELETED, gone)]
        assert (told[0].ticket.note, told[1].ticket) == ("b", None)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.4):
                await anext(views)


async def _slowly(app: Starlette, scene: Scene, world: World, meanwhile: Callable[[list[int]], Awaitable[None]]) -> Any:
    """What a follower is told next of a batch, of whose first it took its time."""
    ids = await _pending(scene, world, 3)
    async with _told(app, scene.organizer, scene.event.id) as views:
        first = asyncio.create_task(anext(views))
        await wait_for_subscribers(app)
        assert "errors" not in await scene.organizer.graphql(APPROVE, ids=ids)
        assert (await first).ticket_id == ids[0]
        await meanwhile(ids)
        await asyncio.sleep(subscriptions.PAUSE_SECONDS)
        return await anext(views)


async def test_a_slow_reader_is_told_nothing_of_its_batch_once_its_right_is_gone(
    app: Starlette, scene: Scene, world: World
) -> None:
    async def revoke(_ids: list[int]) -> None:
        data_of(await scene.organizer.delete(f"/keys/{scene.key.id}"))

    with pytest.raises(errors.ApiKeyRevoked):
        await _slowly(app, scene, world, revoke)


async def test_without_the_second_check_it_would_be_told(
    app: Starlette, scene: Scene, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""

    async def revoke(ids: list[int]) -> None:
        data_of(await scene.organizer.delete(f"/keys/{scene.key.id}"))

        async def trusting(_standing: SubscriberAuthorization) -> None:
            return

        monkeypatch.setattr(SubscriberAuthorization, "identify", trusting)

    assert (await _slowly(app, scene, world, revoke)).ticket is not None


async def test_a_slow_reader_is_told_how_things_are_by_then(app: Starlette, scene: Scene, world: World) -> None:
    async def change(ids: list[int]) -> None:
        data_of(await scene.organizer.delete(f"/tickets/{ids[1]}"))
        data_of(await scene.organizer.put(f"/tickets/{ids[2]}", {"note": "late"}))

    assert (await _slowly(app, scene, world, change)).ticket.note == "late"


# Together -------------------------------------------------------------------------------------------------------


async def test_followers_with_one_credential_check_and_read_together(
    app: Starlette, scene: Scene, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = 20
    ids = await _pending(scene, world, 5)
    async with contextlib.AsyncExitStack() as stack:
        all_views = [
            await stack.enter_async_context(_told(app, scene.organizer, scene.event.id)) for _ in range(number)
        ]
        next_view = [asyncio.create_task(anext(views)) for views in all_views]
        await wait_for_subscribers(app, number)
        checks, readings = (
            Counted(monkeypatch, SubscriberAuthorization, "identify"),
            Counted(monkeypatch, subscriptions, "_read_tickets"),
        )
        assert "errors" not in await scene.organizer.graphql(APPROVE, ids=ids)
        assert [view.ticket_id for view in await asyncio.gather(*next_view)] == [ids[0]] * number
    assert 1 <= checks.times <= 2
    assert 1 <= readings.times <= 2


async def test_followers_of_an_idle_event_are_checked_together(
    app: Starlette, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "CHECK_SECONDS", 0.2)
    context = await _context(app, scene.organizer)
    authorizations = [
        SubscriberAuthorization(context, scene.event.id, subscriptions.ticket_updated.policy_of) for _ in range(20)
    ]
    await authorizations[0].check()
    checks = Counted(monkeypatch, SubscriberAuthorization, "identify")
    waiting = [asyncio.create_task(authorization.wait(Subscriber())) for authorization in authorizations]
    await asyncio.sleep(1)
    assert not any(task.done() for task in waiting)
    assert 1 <= checks.times <= 6
    data_of(await scene.organizer.delete(f"/keys/{scene.key.id}"))
    async with asyncio.timeout(2):
        ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(error) for error in ended} == {errors.ApiKeyRevoked}


async def test_another_credential_or_another_event_is_checked_for_itself(
    app: Starlette, scene: Scene, world: World
) -> None:
    other_key = await world.key(scene.owner, KeyType.ORGANIZER)
    credential = read_credential([other_key.headers["Authorization"]], None)
    assert isinstance(credential, ParsedKey)
    other = await world.event(await world.organizer())
    context, shows = await _context(app, scene.organizer), subscriptions.ticket_updated.policy_of
    await SubscriberAuthorization(context, scene.event.id, shows).check(within=60)
    with pytest.raises(errors.Forbidden):
        await SubscriberAuthorization(context, other.id, shows).check(within=60)
    await ApiKey.filter(digest=credential.digest).update(revoked_at=utc_now())
    revoked = Context(services=app.state.services, request_id="x", address="x", credential=credential)
    with pytest.raises(errors.ApiKeyRevoked):
        await SubscriberAuthorization(revoked, scene.event.id, shows).check(within=60)


async def test_nobody_is_given_what_was_begun_before_it_asked() -> None:
    shared: SharedResult[int] = SharedResult()
    begun, finish = 0, asyncio.Event()

    async def work() -> int:
        nonlocal begun
        begun += 1
        mine = begun
        await finish.wait()
        return mine

    first = asyncio.create_task(shared.get(work, since=time.monotonic()))
    await asyncio.sleep(0.01)
    late = [asyncio.create_task(shared.get(work, since=time.monotonic())) for _ in range(5)]
    await asyncio.sleep(0.01)
    finish.set()
    assert (await first, await asyncio.gather(*late)) == (1, [2] * 5)
    assert await shared.get(work, since=time.monotonic() - 60) == 2
    assert await shared.get(work, since=time.monotonic()) == 3


async def test_what_fails_or_is_given_up_is_left_to_the_next() -> None:
    shared: SharedResult[int] = SharedResult()

    async def fail() -> int:
        raise errors.NotFound("Event")

    async def hang() -> int:
        await asyncio.Event().wait()
        raise AssertionError

    async def work() -> int:
        return 1

    with pytest.raises(errors.NotFound):
        await shared.get(fail, since=time.monotonic())
    hanging = asyncio.create_task(shared.get(hang, since=time.monotonic()))
    await asyncio.sleep(0.01)
    waiting = asyncio.create_task(shared.get(work, since=time.monotonic()))
    await asyncio.sleep(0.01)
    hanging.cancel()
    assert await waiting == 1
