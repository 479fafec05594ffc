"""What followers of an event are told, and who may follow it."""

import asyncio
import contextlib
from typing import Any

import pytest
from starlette.applications import Starlette
from strawberry.types.graphql import OperationType

from amarevents import errors
from amarevents.models import CustomValue
from amarevents.models.enums import KeyType, TicketChangeKind, TicketStatus
from amarevents.resolvers.core.subscription import SUBSCRIPTIONS, Subscription
from amarevents.resolvers.tickets import subscriptions
from amarevents.schema.transport.operations import GraphQLRequest, ResultStream, execute_stream
from amarevents.security.policy import Scope
from tests.schema.subscriptions.conftest import Scene
from tests.support.listening import followers, until_followed
from tests.support.rest_answers import data_of
from tests.support.subscribers import BOTH, FOLLOWED, Follower, context_for, following
from tests.support.tables import require_rows
from tests.support.world import Caller, World

# Any: JSON, and views of several types.

pytestmark = pytest.mark.usefixtures("checked_often")

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


def test_no_subscription_is_left_out() -> None:
    rows = [one.name for one in FOLLOWED]
    require_rows("FOLLOWED in tests/support/subscribers.py", rows, SUBSCRIPTIONS)


async def _refusal(app: Starlette, subscription: Subscription[Any], caller: Caller, event_id: int) -> str:
    with pytest.raises(errors.AmarEventsError) as refused:
        async with following(app, subscription, caller, event_id) as follower:
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
        async with following(app, subscriptions.event_stats, caller, event_id) as follower:
            assert (await follower.next()).total == 0


# Loaders --------------------------------------------------------------------------------------------------------

WITH_ANSWERS = "subscription($id: ID!) { ticketUpdated(eventId: $id) { kind ticket { customFields { value } } } }"


async def test_each_delivery_loads_anew(app: Starlette, scene: Scene, world: World) -> None:
    field = await world.custom_field(scene.event, "Size")
    ticket = await world.ticket(scene.event, await world.user(), ticket_type=scene.kind)
    answer = await CustomValue.create(ticket=ticket, field=field, value="M")
    context = await context_for(app, scene.organizer)
    asked = GraphQLRequest(query=WITH_ANSWERS, variables={"id": scene.event.id}, operation_name=None)
    results = await execute_stream(asked, context, allowed=list(OperationType))
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
    assert followers(app) == 0


# Slow readers ---------------------------------------------------------------------------------------------------


async def test_who_takes_tickets_too_slowly_is_told_to_begin_anew(
    app: Starlette, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amarevents.infra.pubsub.base.MAX_QUEUED", 3)
    event_id = scene.event.id
    async with (
        following(app, subscriptions.ticket_updated, scene.organizer, event_id) as slow,
        following(app, subscriptions.ticket_updated, scene.organizer, event_id) as quick,
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
    monkeypatch.setattr("amarevents.infra.pubsub.base.MAX_QUEUED", 3)
    await stats.next()
    for _ in range(6):
        await scene.register()
    assert (await stats.next()).total == 6
