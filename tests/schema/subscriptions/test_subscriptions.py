"""Subscriptions to an event: what they deliver, and who can subscribe."""

import asyncio
import contextlib
from typing import Any

import pytest
from graphql import OperationType
from starlette.applications import Starlette

from amarevents import errors
from amarevents.models import CustomValue
from amarevents.models.enums import KeyType, TicketChangeKind, TicketStatus
from amarevents.resolvers.core.subscription import SUBSCRIPTIONS, Subscription
from amarevents.resolvers.tickets import subscriptions
from amarevents.schema.transport.operations import GraphQLRequest, ResultStream, execute_stream
from amarevents.security.policy import Scope
from tests.schema.subscriptions.conftest import Scene
from tests.support.local_server import subscriber_count, wait_for_subscribers
from tests.support.rest_answers import data_of
from tests.support.subscribers import EACH_SUBSCRIPTION, EVENT_SUBSCRIPTIONS, ViewStream, context_for, open_subscription
from tests.support.world import Caller, World

# Any: JSON, and views of several types.

pytestmark = pytest.mark.usefixtures("checked_often")

# eventStats -----------------------------------------------------------------------------------------------------


async def test_statistics_are_delivered_on_subscribing_and_after_each_change(stats: ViewStream, scene: Scene) -> None:
    assert (await stats.next()).total == 0
    ticket_id = await scene.register()
    view = await stats.next()
    assert (view.total, view.approved, view.by_ticket_type[0].total) == (1, 1, 1)
    data_of(await scene.organizer.put(f"/tickets/{ticket_id}", {"status": "Refunded"}))
    view = await stats.next()
    assert (view.total, view.approved, view.refunded) == (1, 0, 1)
    data_of(await scene.organizer.delete(f"/tickets/{ticket_id}"))
    assert (await stats.next()).total == 0


APPROVE = "mutation($id: ID!) { approvePayments(input: {ticketIds: [$id]}) { decided { id } } }"
CHECK_IN = "mutation($code: String!) { checkInTicket(code: $code) { outcome } }"
UNDO = "mutation($id: ID!) { undoCheckIn(ticketId: $id) { id } }"


async def test_approvals_and_check_ins_change_the_statistics(stats: ViewStream, scene: Scene, world: World) -> None:
    assert scene.buyer.user is not None
    ticket = await world.ticket(
        scene.event, scene.buyer.user, ticket_type=scene.ticket_type, status=TicketStatus.PENDING
    )
    assert (await stats.next()).pending == 1
    assert "errors" not in await scene.organizer.graphql(APPROVE, id=ticket.id)
    view = await stats.next()
    assert (view.pending, view.approved, view.checked_in) == (0, 1, 0)
    for _scan in ("first", "again"):  # the second scan changes nothing and is not delivered
        assert "errors" not in await scene.organizer.graphql(CHECK_IN, code=ticket.code)
    assert (await stats.next()).checked_in == 1
    assert "errors" not in await scene.organizer.graphql(UNDO, id=ticket.id)
    assert (await stats.next()).checked_in == 0


async def test_approvals_and_check_ins_are_delivered_as_ticket_updates(
    tickets: "tuple[ViewStream, asyncio.Task[Any]]", scene: Scene, world: World
) -> None:
    views, first = tickets
    assert scene.buyer.user is not None
    ticket = await world.ticket(
        scene.event, scene.buyer.user, ticket_type=scene.ticket_type, status=TicketStatus.PENDING
    )
    assert "errors" not in await scene.organizer.graphql(APPROVE, id=ticket.id)
    view = await first
    assert (view.kind, view.ticket_id, view.ticket.status) == (
        TicketChangeKind.UPDATED,
        ticket.id,
        TicketStatus.SUCCESS,
    )
    assert "errors" not in await scene.organizer.graphql(CHECK_IN, code=ticket.code)
    assert (await views.next()).ticket_id == ticket.id


async def test_changes_of_ticket_types_change_the_statistics(stats: ViewStream, scene: Scene) -> None:
    await stats.next()
    body = {"event_id": scene.event.id, "name": "Balcony", "capacity": 3}
    created = data_of(await scene.organizer.post("/ticket-types", body), 201)["id"]
    assert [one.capacity for one in (await stats.next()).by_ticket_type] == [3, 0]
    data_of(await scene.organizer.put(f"/ticket-types/{created}", {"capacity": 7}))
    assert [one.capacity for one in (await stats.next()).by_ticket_type] == [7, 0]
    data_of(await scene.organizer.delete(f"/ticket-types/{created}"))
    assert len((await stats.next()).by_ticket_type) == 1


async def test_deletion_of_an_account_removes_its_tickets_from_the_statistics(
    stats: ViewStream, scene: Scene, world: World
) -> None:
    await stats.next()
    await scene.register()
    assert (await stats.next()).total == 1
    admin = await world.admin_key()
    assert scene.buyer.user is not None
    data_of(await admin.delete(f"/admin/users/{scene.buyer.user.id}"))
    assert (await stats.next()).total == 0


async def test_unchanged_statistics_are_not_delivered_again(stats: ViewStream, scene: Scene, app: Starlette) -> None:
    await stats.next()
    for _ in range(5):
        await app.state.services.broker.publish(scene.event.id, [])
    assert await stats.stays_silent()


async def test_many_concurrent_changes_are_combined(stats: ViewStream, scene: Scene) -> None:
    await stats.next()
    await asyncio.gather(*(scene.register() for _ in range(20)))
    totals = [(await stats.next()).total]
    while totals[-1] < 20:
        totals.append((await stats.next()).total)
    assert totals[-1] == 20
    assert len(totals) < 10


async def test_changes_of_other_events_are_not_delivered(stats: ViewStream, scene: Scene, world: World) -> None:
    await stats.next()
    other = await world.event(scene.owner)
    data_of(await scene.buyer.post("/tickets", {"event_id": other.id}), 201)
    assert await stats.stays_silent()


# ticketUpdated --------------------------------------------------------------------------------------------------


async def test_tickets_are_delivered_one_by_one_with_the_kind_of_change(
    tickets: tuple[ViewStream, "asyncio.Task[Any]"], scene: Scene
) -> None:
    views, first = tickets
    ticket_id = await scene.register()
    view = await first
    assert (view.kind, view.ticket_id) == (TicketChangeKind.CREATED, ticket_id)
    assert (view.ticket.id, view.ticket.status, view.ticket.name) == (ticket_id, TicketStatus.SUCCESS, "buyer")
    data_of(await scene.organizer.put(f"/tickets/{ticket_id}", {"status": "Failed", "note": "No money"}))
    view = await views.next()
    assert (view.kind, view.ticket.status, view.ticket.note) == (
        TicketChangeKind.UPDATED,
        TicketStatus.FAILED,
        "No money",
    )
    data_of(await scene.organizer.delete(f"/tickets/{ticket_id}"))
    view = await views.next()
    assert (view.kind, view.ticket_id, view.ticket) == (TicketChangeKind.DELETED, ticket_id, None)


async def test_deletion_of_a_ticket_type_updates_its_tickets(
    tickets: tuple[ViewStream, "asyncio.Task[Any]"], scene: Scene, world: World
) -> None:
    await world.ticket_type(scene.event)
    ticket = await world.ticket(
        scene.event, await world.user(), ticket_type=scene.ticket_type, status=TicketStatus.PENDING
    )
    data_of(await scene.organizer.delete(f"/ticket-types/{scene.ticket_type.id}"))
    view = await tickets[1]
    assert (view.kind, view.ticket_id, view.ticket.ticket_type_id) == (TicketChangeKind.UPDATED, ticket.id, None)


async def test_deletion_of_an_account_deletes_its_tickets(
    tickets: tuple[ViewStream, "asyncio.Task[Any]"], scene: Scene, world: World
) -> None:
    assert scene.buyer.user is not None
    ticket = await world.ticket(scene.event, scene.buyer.user, ticket_type=scene.ticket_type)
    admin = await world.admin_key()
    data_of(await admin.delete(f"/admin/users/{scene.buyer.user.id}"))
    view = await tickets[1]
    assert (view.kind, view.ticket_id) == (TicketChangeKind.DELETED, ticket.id)


REFUSED_AND_REPLAYED = """mutation($id: ID!, $missing: ID!) {
    refused: registerForEvent(input: {eventId: $id, ticketTypeId: $missing}) { id }
    first: registerForEvent(input: {eventId: $id}, idempotencyKey: "one") { id }
    again: registerForEvent(input: {eventId: $id}, idempotencyKey: "one") { id }
}"""


async def test_failed_and_replayed_registrations_are_not_delivered(
    tickets: tuple[ViewStream, "asyncio.Task[Any]"], scene: Scene
) -> None:
    views, first = tickets
    answer = await scene.buyer.graphql(REFUSED_AND_REPLAYED, id=scene.event.id, missing=999)
    assert answer["data"]["refused"] is None
    assert answer["data"]["first"] == answer["data"]["again"]
    view = await first
    assert (view.kind, str(view.ticket_id)) == (TicketChangeKind.CREATED, answer["data"]["first"]["id"])
    assert await views.stays_silent()


# Access ---------------------------------------------------------------------------------------------------------


def test_every_subscription_is_covered() -> None:
    assert {one.name for one in EVENT_SUBSCRIPTIONS} == SUBSCRIPTIONS.keys()


async def _error_code(app: Starlette, subscription: Subscription[Any], caller: Caller, event_id: int) -> str:
    with pytest.raises(errors.AmarEventsError) as refused:
        async with open_subscription(app, subscription, caller, event_id) as views:
            await views.next(5)
    return refused.value.code


@EACH_SUBSCRIPTION
async def test_only_owner_and_admins_can_subscribe(
    app: Starlette, scene: Scene, world: World, subscription: Subscription[Any]
) -> None:
    event_id = scene.event.id
    assert await _error_code(app, subscription, world.anonymous, event_id) == "UNAUTHENTICATED"
    assert await _error_code(app, subscription, scene.buyer, event_id) == "WRONG_KEY_TYPE"
    assert await _error_code(app, subscription, await world.organizer_key(), event_id) == "FORBIDDEN"
    assert (
        await _error_code(app, subscription, await world.key(scene.owner, KeyType.USER), event_id) == "WRONG_KEY_TYPE"
    )
    unscoped = await world.key(scene.owner, KeyType.ORGANIZER, permissions=[Scope.EVENTS_READ])
    assert await _error_code(app, subscription, unscoped, event_id) == "MISSING_SCOPE"
    assert await _error_code(app, subscription, scene.organizer, 999_999) == "NOT_FOUND"
    assert await _error_code(app, subscription, scene.organizer, 0) == "VALIDATION_ERROR"
    private = await world.event(await world.organizer(), privacy="private")
    assert await _error_code(app, subscription, scene.organizer, private.id) == "NOT_FOUND"
    for caller in (await world.admin_key(), await world.session(scene.owner)):
        async with open_subscription(app, subscriptions.event_stats, caller, event_id) as views:
            assert (await views.next()).total == 0


# Loaders --------------------------------------------------------------------------------------------------------

WITH_ANSWERS = "subscription($id: ID!) { ticketUpdated(eventId: $id) { kind ticket { customFields { value } } } }"


async def test_data_is_reloaded_for_each_delivery(app: Starlette, scene: Scene, world: World) -> None:
    field = await world.custom_field(scene.event, "Size")
    ticket = await world.ticket(scene.event, await world.user(), ticket_type=scene.ticket_type)
    answer = await CustomValue.create(ticket=ticket, field=field, value="M")
    context = await context_for(app, scene.organizer)
    request = GraphQLRequest(query=WITH_ANSWERS, variables={"id": scene.event.id}, operation_name=None)
    results = await execute_stream(request, context, allowed=list(OperationType))
    assert isinstance(results, ResultStream)
    async with contextlib.aclosing(results):
        values = []
        for value in ("M", "XL"):
            await CustomValue.filter(id=answer.id).update(value=value)
            data_of(await scene.organizer.put(f"/tickets/{ticket.id}", {"note": value}))
            result = await anext(results)
            assert result.data is not None, result.errors
            values.append(result.data["ticketUpdated"]["ticket"]["customFields"][0]["value"])
    assert values == ["M", "XL"]
    assert subscriber_count(app) == 0


# Slow readers ---------------------------------------------------------------------------------------------------


async def test_slow_subscriber_to_tickets_has_to_subscribe_again(
    app: Starlette, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amarevents.infra.pubsub.base.MAX_QUEUED", 3)
    event_id = scene.event.id
    async with (
        open_subscription(app, subscriptions.ticket_updated, scene.organizer, event_id) as slow,
        open_subscription(app, subscriptions.ticket_updated, scene.organizer, event_id) as quick,
    ):
        upcoming = [asyncio.create_task(views.next(5)) for views in (slow, quick)]
        await wait_for_subscribers(app, 2)
        ticket_ids = [await scene.register()]
        await asyncio.gather(*upcoming)
        for _ in range(4):
            ticket_ids.append(await scene.register())
            assert (await quick.next()).ticket_id == ticket_ids[-1]
        with pytest.raises(errors.UpdatesMissed, match="subscribe again"):
            await slow.next()


async def test_slow_subscriber_to_statistics_gets_the_latest(
    app: Starlette, stats: ViewStream, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amarevents.infra.pubsub.base.MAX_QUEUED", 3)
    await stats.next()
    for _ in range(6):
        await scene.register()
    assert (await stats.next()).total == 6
