"""Changes that operations publish to the subscribers of events after they have been committed."""

import asyncio
import dataclasses
from collections.abc import Coroutine, Sequence
from typing import Any

import pytest
from starlette.applications import Starlette

from amarevents.infra.pubsub import MemoryBroker, TicketChange
from amarevents.models import CustomValue, Ticket, TicketType
from amarevents.models.columns import utc_now
from amarevents.models.db.engines import transactions
from amarevents.models.enums import TicketChangeKind, TicketStatus
from amarevents.resolvers.tickets import registration
from tests.schema.subscriptions.conftest import Scene
from tests.support.holds import HOUR, end_holds, unpaid_ticket
from tests.support.rest_answers import data_of, refused
from tests.support.world import World

CREATED, UPDATED, DELETED = TicketChangeKind


class RecordingBroker(MemoryBroker):
    """A broker that records what is published: event IDs with their changes."""

    def __init__(self) -> None:
        super().__init__()
        self.published: list[tuple[int, list[TicketChange]]] = []

    async def publish(self, event_id: int, changes: Sequence[TicketChange]) -> None:
        self.published.append((event_id, list(changes)))


@pytest.fixture
def broker(app: Starlette) -> RecordingBroker:
    recording = RecordingBroker()
    app.state.services = dataclasses.replace(app.state.services, broker=recording)
    return recording


def _registration_body(scene: Scene) -> dict[str, Any]:  # Any: JSON
    return {"event_id": scene.event.id, "ticket_type_id": scene.ticket_type.id}


async def test_ticket_changes_are_published(broker: RecordingBroker, scene: Scene) -> None:
    ticket_id = data_of(await scene.buyer.post("/tickets", _registration_body(scene)), 201)["id"]
    data_of(await scene.organizer.put(f"/tickets/{ticket_id}", {"status": "Failed"}))
    data_of(await scene.organizer.put(f"/tickets/{ticket_id}", {}))  # changes nothing
    data_of(await scene.organizer.delete(f"/tickets/{ticket_id}"))
    changes = [TicketChange(kind, ticket_id) for kind in (CREATED, UPDATED, DELETED)]
    assert broker.published == [(scene.event.id, [change]) for change in changes]


async def test_ends_of_holds_are_published(broker: RecordingBroker, scene: Scene, world: World, app: Starlette) -> None:
    """By maintenance, and by a registration that takes over the place."""
    await TicketType.filter(id=scene.ticket_type.id).update(capacity=2, price=5)
    await scene.ticket_type.refresh_from_db()
    for _ in range(2):
        ticket = await unpaid_ticket(world, scene.event, scene.owner, scene.ticket_type, ends_in=-HOUR)
    await Ticket.filter(id=ticket.id).update(hold_expires_at=utc_now() + HOUR)
    await end_holds(app)
    first = await Ticket.get(status=TicketStatus.FAILED)
    await Ticket.filter(id=ticket.id).update(hold_expires_at=utc_now() - HOUR)
    await scene.register()
    created = data_of(await scene.buyer.post("/tickets", _registration_body(scene)), 201)["id"]
    assert broker.published[0] == (scene.event.id, [TicketChange(UPDATED, first.id)])
    assert broker.published[2] == (
        scene.event.id,
        [TicketChange(UPDATED, ticket.id), TicketChange(CREATED, created)],
    )


async def test_ticket_type_changes_are_published(broker: RecordingBroker, scene: Scene, world: World) -> None:
    pending = await world.ticket(scene.event, scene.owner, ticket_type=scene.ticket_type, status=TicketStatus.PENDING)
    data_of(await scene.organizer.post("/ticket-types", {"event_id": scene.event.id, "name": "Balcony"}), 201)
    data_of(await scene.organizer.put(f"/ticket-types/{scene.ticket_type.id}", {"price": 5}))
    data_of(await scene.organizer.put(f"/ticket-types/{scene.ticket_type.id}", {}))
    data_of(await scene.organizer.delete(f"/ticket-types/{scene.ticket_type.id}"))
    assert broker.published == [
        (scene.event.id, []),
        (scene.event.id, []),
        (scene.event.id, [TicketChange(UPDATED, pending.id)]),
    ]


async def test_deletion_of_an_event_is_published(broker: RecordingBroker, scene: Scene, world: World) -> None:
    await world.ticket(scene.event, scene.owner, ticket_type=scene.ticket_type)
    data_of(await scene.organizer.delete(f"/events/{scene.event.id}"))
    assert broker.published == [(scene.event.id, [])]


async def test_deletion_of_an_account_is_published_for_its_events_and_tickets(
    broker: RecordingBroker, scene: Scene, world: World
) -> None:
    other = await world.event(await world.organizer())
    tickets = [await world.ticket(event, scene.owner) for event in (scene.event, other, other)]
    data_of(await (await world.admin_key()).delete(f"/admin/users/{scene.owner.id}"))
    assert sorted(broker.published) == [
        (scene.event.id, []),
        (other.id, [TicketChange(DELETED, ticket.id) for ticket in tickets[1:]]),
    ]


async def test_changes_of_a_failed_operation_are_not_published_by_the_next_one(
    broker: RecordingBroker, scene: Scene, world: World
) -> None:
    await world.ticket(scene.event, scene.owner, ticket_type=scene.ticket_type)
    await world.ticket(scene.event, scene.owner, ticket_type=scene.ticket_type)
    scene.ticket_type.capacity = 2
    await scene.ticket_type.save(update_fields=["capacity"])
    await refused(scene.buyer.post("/tickets", _registration_body(scene)), 400, "SOLD_OUT")
    await refused(
        scene.organizer.put(f"/ticket-types/{scene.ticket_type.id}", {"capacity": 1}), 400, "CAPACITY_TOO_LOW"
    )
    assert broker.published == []
    query = """mutation($id: ID!) {
        refused: updateTicketType(id: $id, input: {capacity: 1}) { id }
        done: updateMe(input: {country: "Bangladesh"}) { id }
    }"""
    answer = await (await world.session(scene.owner)).graphql(query, id=scene.ticket_type.id)
    assert (answer["data"]["refused"], answer["data"]["done"] is None) == (None, False)
    assert broker.published == []


async def test_each_mutation_of_a_document_publishes_its_own_changes(broker: RecordingBroker, scene: Scene) -> None:
    query = """mutation($id: ID!, $type: ID!) {
        a: registerForEvent(input: {eventId: $id, ticketTypeId: $type}) { id }
        b: registerForEvent(input: {eventId: $id, ticketTypeId: $type}) { id }
    }"""
    answer = await scene.buyer.graphql(query, id=scene.event.id, type=scene.ticket_type.id)
    ticket_ids = [int(answer["data"][name]["id"]) for name in "ab"]
    assert broker.published == [(scene.event.id, [TicketChange(CREATED, ticket_id)]) for ticket_id in ticket_ids]


APPROVE = "mutation($id: ID!) { approvePayments(input: {ticketIds: [$id], mode: ALL}) { decided { id } } }"
REJECT = "mutation($id: ID!) { rejectPayments(input: {ticketIds: [$id], mode: EACH}) { decided { id } } }"
ADD = 'mutation($id: ID!) { addPayment(input: {ticketId: $id, transactionId: "9HG7"}) { id } }'
CHECK_IN = "mutation($code: String!) { checkInTicket(code: $code) { outcome } }"
UNDO = "mutation($id: ID!) { undoCheckIn(ticketId: $id) { id } }"


@dataclasses.dataclass(frozen=True)
class PendingTicket:
    """A pending ticket, and the mutations that change it."""

    scene: Scene
    ticket: Ticket

    async def run(self, mutation: str) -> None:
        named = {"code": self.ticket.code} if "$code" in mutation else {"id": self.ticket.id}
        answer = await self.scene.organizer.graphql(mutation, **named)
        assert "errors" not in answer


@pytest.fixture
async def pending(scene: Scene, world: World) -> PendingTicket:
    ticket = await world.ticket(scene.event, scene.owner, ticket_type=scene.ticket_type, status=TicketStatus.PENDING)
    return PendingTicket(scene, ticket)


async def test_decisions_and_check_ins_are_published(broker: RecordingBroker, pending: PendingTicket) -> None:
    for mutation in (APPROVE, CHECK_IN, CHECK_IN, UNDO):  # a second scan changes nothing
        await pending.run(mutation)
    await Ticket.filter(id=pending.ticket.id).update(status=TicketStatus.PENDING)
    await pending.run(REJECT)
    assert broker.published == [(pending.scene.event.id, [TicketChange(UPDATED, pending.ticket.id)])] * 4


async def test_added_payment_is_published_and_its_repetition_is_not(
    broker: RecordingBroker, pending: PendingTicket
) -> None:
    for _ in range(2):
        await pending.run(ADD)
    assert broker.published == [(pending.scene.event.id, [TicketChange(UPDATED, pending.ticket.id)])]


@pytest.mark.parametrize("mutation", [ADD, APPROVE, REJECT, CHECK_IN, UNDO])
async def test_change_is_published_although_the_caller_leaves_during_the_commit(
    broker: RecordingBroker, pending: PendingTicket, world: World, monkeypatch: pytest.MonkeyPatch, mutation: str
) -> None:
    if mutation in (CHECK_IN, UNDO):
        await Ticket.filter(id=pending.ticket.id).update(status=TicketStatus.SUCCESS)
    if mutation == UNDO:
        await world.check_in(pending.ticket, pending.scene.owner)
    request = asyncio.create_task(pending.run(mutation))
    commit = transactions.end_transaction

    async def commit_and_leave(*how: Any) -> None:
        await commit(*how)
        request.cancel()

    monkeypatch.setattr(transactions, "end_transaction", commit_and_leave)
    with pytest.raises(asyncio.CancelledError):
        await request
    assert broker.published == [(pending.scene.event.id, [TicketChange(UPDATED, pending.ticket.id)])]


async def test_deletion_of_a_custom_field_is_published_for_tickets_with_answers(
    broker: RecordingBroker, pending: PendingTicket, world: World
) -> None:
    field = await world.custom_field(pending.scene.event, "Size")
    await CustomValue.create(ticket=pending.ticket, field=field, value="M")
    await world.ticket(pending.scene.event, pending.scene.owner)  # has no answer
    answer = await pending.scene.organizer.graphql(
        "mutation($id: ID!) { deleteCustomField(id: $id) { deleted } }", id=field.id
    )
    assert "errors" not in answer
    assert broker.published == [(pending.scene.event.id, [TicketChange(UPDATED, pending.ticket.id)])]


async def test_replayed_request_publishes_nothing(broker: RecordingBroker, scene: Scene) -> None:
    answers = [
        await scene.buyer.post("/tickets", _registration_body(scene), **{"Idempotency-Key": "one"}) for _ in range(2)
    ]
    assert data_of(answers[0], 201) == data_of(answers[1], 201)
    assert len(broker.published) == 1


async def test_change_is_published_although_the_response_fails(
    broker: RecordingBroker, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def finish_and_fail(work: Coroutine[Any, Any, object]) -> None:
        await work
        raise RuntimeError

    monkeypatch.setattr(registration, "finish", finish_and_fail)
    assert (await scene.buyer.post("/tickets", _registration_body(scene))).status_code == 500
    [(event_id, [change])] = broker.published
    assert (event_id, change.kind) == (scene.event.id, CREATED)
