"""Work that subscribers share: authorization and reading happen once for all that wait."""

import asyncio
import contextlib
import time

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers

from amarevents import errors
from amarevents.infra.pubsub import Subscriber
from amarevents.models import ApiKey
from amarevents.models.columns import utc_now
from amarevents.models.enums import KeyType
from amarevents.resolvers.core import subscription
from amarevents.resolvers.core.subscription import SharedResult, SubscriberAuthorization
from amarevents.resolvers.tickets import subscriptions
from amarevents.security.auth.api_keys import ParsedKey
from amarevents.security.auth.credentials import read_credential
from amarevents.security.context import Context
from tests.schema.subscriptions.conftest import Scene
from tests.schema.subscriptions.ticket_views import CallCounter, create_pending_tickets, ticket_views
from tests.support.local_server import wait_for_subscribers
from tests.support.rest_answers import data_of
from tests.support.subscribers import context_for
from tests.support.world import World

APPROVE = "mutation($ids: [ID!]!) { approvePayments(input: {ticketIds: $ids}) { decided { id } } }"


async def test_subscribers_with_the_same_credential_share_checks_and_reads(
    app: Starlette, scene: Scene, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = 20
    ids = await create_pending_tickets(scene, world, 5)
    async with contextlib.AsyncExitStack() as stack:
        all_views = [
            await stack.enter_async_context(ticket_views(app, scene.organizer, scene.event.id)) for _ in range(number)
        ]
        next_view = [asyncio.create_task(anext(views)) for views in all_views]
        await wait_for_subscribers(app, number)
        checks, readings = (
            CallCounter(monkeypatch, SubscriberAuthorization, "identify"),
            CallCounter(monkeypatch, subscriptions, "_read_tickets"),
        )
        assert "errors" not in await scene.organizer.graphql(APPROVE, ids=ids)
        assert [view.ticket_id for view in await asyncio.gather(*next_view)] == [ids[0]] * number
    assert 1 <= checks.calls <= 2
    assert 1 <= readings.calls <= 2


async def test_idle_subscribers_share_periodic_checks(
    app: Starlette, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "CHECK_SECONDS", 0.2)
    context = await context_for(app, scene.organizer)
    authorizations = [
        SubscriberAuthorization(context, scene.event.id, subscriptions.ticket_updated.policy_of) for _ in range(20)
    ]
    await authorizations[0].check()
    checks = CallCounter(monkeypatch, SubscriberAuthorization, "identify")
    waiting = [asyncio.create_task(authorization.wait(Subscriber())) for authorization in authorizations]
    await asyncio.sleep(1)
    assert not any(task.done() for task in waiting)
    assert 1 <= checks.calls <= 6
    data_of(await scene.organizer.delete(f"/keys/{scene.key.id}"))
    async with asyncio.timeout(2):
        ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(error) for error in ended} == {errors.ApiKeyRevoked}


async def test_checks_are_not_shared_between_credentials_or_events(app: Starlette, scene: Scene, world: World) -> None:
    other_key = await world.key(scene.owner, KeyType.ORGANIZER)
    credential = read_credential(Headers(other_key.headers))
    assert isinstance(credential, ParsedKey)
    other = await world.event(await world.organizer())
    context, policy = await context_for(app, scene.organizer), subscriptions.ticket_updated.policy_of
    await SubscriberAuthorization(context, scene.event.id, policy).check(within=60)
    with pytest.raises(errors.Forbidden):
        await SubscriberAuthorization(context, other.id, policy).check(within=60)
    await ApiKey.filter(digest=credential.digest).update(revoked_at=utc_now())
    revoked = Context(services=app.state.services, request_id="x", address="x", credential=credential)
    with pytest.raises(errors.ApiKeyRevoked):
        await SubscriberAuthorization(revoked, scene.event.id, policy).check(within=60)


async def test_result_of_work_started_before_the_request_is_not_shared() -> None:
    shared: SharedResult[int] = SharedResult()
    started, finish = 0, asyncio.Event()

    async def work() -> int:
        nonlocal started
        started += 1
        number = started
        await finish.wait()
        return number

    first = asyncio.create_task(shared.get(work, since=time.monotonic()))
    await asyncio.sleep(0.01)
    late = [asyncio.create_task(shared.get(work, since=time.monotonic())) for _ in range(5)]
    await asyncio.sleep(0.01)
    finish.set()
    assert (await first, await asyncio.gather(*late)) == (1, [2] * 5)
    assert await shared.get(work, since=time.monotonic() - 60) == 2
    assert await shared.get(work, since=time.monotonic()) == 3


async def test_failed_or_cancelled_work_is_repeated_for_the_next_request() -> None:
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
