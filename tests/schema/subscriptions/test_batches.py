"""Batches of ticket changes, which are merged, authorized and read once."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from starlette.applications import Starlette

from amarevents import errors
from amarevents.infra.pubsub import TicketChange
from amarevents.models.enums import TicketChangeKind, TicketStatus
from amarevents.resolvers.core.subscription import SubscriberAuthorization
from amarevents.resolvers.tickets import subscriptions
from amarevents.resolvers.tickets.subscriptions import merge_changes
from tests.schema.subscriptions.conftest import Scene
from tests.schema.subscriptions.ticket_views import CallCounter, create_pending_tickets, ticket_views
from tests.support.local_server import wait_for_subscribers
from tests.support.rest_answers import data_of
from tests.support.world import World

CREATED, UPDATED, DELETED = TicketChangeKind
APPROVE = "mutation($ids: [ID!]!) { approvePayments(input: {ticketIds: $ids}) { decided { id } } }"

# Any: JSON, and views of several types.


@pytest.mark.parametrize(
    ("changes", "merged"),
    [
        ([(UPDATED, 1), (UPDATED, 2), (UPDATED, 1)], [(1, UPDATED), (2, UPDATED)]),
        ([(CREATED, 2), (CREATED, 1), (UPDATED, 2)], [(2, CREATED), (1, CREATED)]),
        ([(UPDATED, 1), (DELETED, 1)], [(1, DELETED)]),
        ([(CREATED, 1), (DELETED, 1), (UPDATED, 1)], [(1, DELETED)]),  # a late duplicate from another process
        ([], []),
    ],
)
def test_changes_of_one_ticket_are_merged(
    changes: Sequence[tuple[TicketChangeKind, int]], merged: list[tuple[int, TicketChangeKind]]
) -> None:
    assert list(merge_changes(TicketChange(*change) for change in changes).items()) == merged


async def test_batch_is_authorized_and_read_once_and_delivered_in_order_within_a_second(
    app: Starlette, scene: Scene, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await create_pending_tickets(scene, world, 45)
    async with ticket_views(app, scene.organizer, scene.event.id) as views:
        first = asyncio.create_task(anext(views))
        await wait_for_subscribers(app)
        checks, readings = (
            CallCounter(monkeypatch, SubscriberAuthorization, "identify"),
            CallCounter(monkeypatch, subscriptions, "_read_tickets"),
        )
        assert "errors" not in await scene.organizer.graphql(APPROVE, ids=ids)
        answered_at = time.monotonic()
        received = [await first, *[await anext(views) for _ in ids[1:]]]
        assert time.monotonic() - answered_at < 1
    assert [view.ticket_id for view in received] == ids
    assert {(view.kind, view.ticket.status) for view in received} == {(UPDATED, TicketStatus.SUCCESS)}
    assert checks.calls == readings.calls == 1


async def test_ticket_that_changes_often_in_a_batch_is_delivered_once_in_its_latest_state(
    app: Starlette, scene: Scene, world: World
) -> None:
    async with ticket_views(app, scene.organizer, scene.event.id) as views:
        first = asyncio.create_task(anext(views))
        await wait_for_subscribers(app)
        await scene.register()
        await first
        kept, deleted = await scene.register(), await scene.register()
        for note in ("a", "b"):
            data_of(await scene.organizer.put(f"/tickets/{kept}", {"note": note}))
        data_of(await scene.organizer.delete(f"/tickets/{deleted}"))
        received = [await anext(views), await anext(views)]
        assert [(view.kind, view.ticket_id) for view in received] == [(CREATED, kept), (DELETED, deleted)]
        assert (received[0].ticket.note, received[1].ticket) == ("b", None)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.4):
                await anext(views)


async def _read_slowly(
    app: Starlette, scene: Scene, world: World, change: Callable[[list[int]], Awaitable[None]]
) -> Any:
    """Return the second view of a batch for a subscriber that pauses after the first, while ``change`` runs."""
    ids = await create_pending_tickets(scene, world, 3)
    async with ticket_views(app, scene.organizer, scene.event.id) as views:
        first = asyncio.create_task(anext(views))
        await wait_for_subscribers(app)
        assert "errors" not in await scene.organizer.graphql(APPROVE, ids=ids)
        assert (await first).ticket_id == ids[0]
        await change(ids)
        await asyncio.sleep(subscriptions.PAUSE_SECONDS)
        return await anext(views)


async def test_slow_reader_receives_nothing_more_of_a_batch_after_losing_access(
    app: Starlette, scene: Scene, world: World
) -> None:
    async def revoke(_ids: list[int]) -> None:
        data_of(await scene.organizer.delete(f"/keys/{scene.key.id}"))

    with pytest.raises(errors.ApiKeyRevoked):
        await _read_slowly(app, scene, world, revoke)


async def test_slow_reader_receives_the_batch_without_the_second_check(
    app: Starlette, scene: Scene, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control."""

    async def revoke(ids: list[int]) -> None:
        data_of(await scene.organizer.delete(f"/keys/{scene.key.id}"))

        async def skip_check(_authorization: SubscriberAuthorization) -> None:
            return

        monkeypatch.setattr(SubscriberAuthorization, "identify", skip_check)

    assert (await _read_slowly(app, scene, world, revoke)).ticket is not None


async def test_slow_reader_receives_the_latest_state(app: Starlette, scene: Scene, world: World) -> None:
    async def change(ids: list[int]) -> None:
        data_of(await scene.organizer.delete(f"/tickets/{ids[1]}"))
        data_of(await scene.organizer.put(f"/tickets/{ids[2]}", {"note": "late"}))

    assert (await _read_slowly(app, scene, world, change)).ticket.note == "late"
