"""What operations announce to the subscribers of events: what they have changed, once it is so, and nothing else."""

import asyncio
import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.applications import Starlette

from amarevents.infra.pubsub import MemoryBroker, TicketChange
from amarevents.models import CustomValue, Ticket
from amarevents.models.db.engines import transactions
from amarevents.models.enums import TicketChangeKind, TicketStatus
from amarevents.resolvers.tickets import registration
from tests.schema.subscriptions.conftest import Scene
from tests.support.rest_answers import data_of, refused
from tests.support.world import World

CREATED, UPDATED, DELETED = TicketChangeKind


class Recording(MemoryBroker):
    """Remembers what it has been told: events, each with its changes."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[int, list[TicketChange]]] = []

    async def publish(self, event_id: int, changes: Sequence[TicketChange]) -> None:
        self.heard.append((event_id, list(changes)))


@pytest.fixture
def broker(app: Starlette) -> Recording:
    recording = Recording()
    app.state.services = dataclasses.replace(app.state.services, broker=recording)
    return recording


def _registration(scene: Scene) -> dict[str, Any]:  # Any: JSON
    return {"event_id": scene.event.id, "ticket_type_id": scene.kind.id}


async def test_a_registration_a_change_and_a_deletion(broker: Recording, scene: Scene) -> None:
    ticket_id = data_of(await scene.buyer.post("/tickets", _registration(scene)), 201)["id"]
    data_of(await scene.organizer.put(f"/tickets/{ticket_id}", {"status": "Failed"}))
    data_of(await scene.organizer.put(f"/tickets/{ticket_id}", {}))  # changes nothing
    data_of(await scene.organizer.delete(f"/tickets/{ticket_id}"))
    changes = [TicketChange(kind, ticket_id) for kind in (CREATED, UPDATED, DELETED)]
    assert broker.heard == [(scene.event.id, [change]) for change in changes]


async def test_ticket_types(broker: Recording, scene: Scene, world: World) -> None:
    pending = await world.ticket(scene.event, scene.owner, ticket_type=scene.kind, status=TicketStatus.PENDING)
    data_of(await scene.organizer.post("/ticket-types", {"event_id": scene.event.id, "name": "Balcony"}), 201)
    data_of(await scene.organizer.put(f"/ticket-types/{scene.kind.id}", {"price": 5}))
    data_of(await scene.organizer.put(f"/ticket-types/{scene.kind.id}", {}))
    data_of(await scene.organizer.delete(f"/ticket-types/{scene.kind.id}"))
    assert broker.heard == [
        (scene.event.id, []),
        (scene.event.id, []),
        (scene.event.id, [TicketChange(UPDATED, pending.id)]),
    ]


async def test_an_event_that_goes(broker: Recording, scene: Scene, world: World) -> None:
    await world.ticket(scene.event, scene.owner, ticket_type=scene.kind)
    data_of(await scene.organizer.delete(f"/events/{scene.event.id}"))
    assert broker.heard == [(scene.event.id, [])]


async def test_an_account_that_goes_with_its_events_and_its_tickets_to_others(
    broker: Recording, scene: Scene, world: World
) -> None:
    other = await world.event(await world.organizer())
    tickets = [await world.ticket(event, scene.owner) for event in (scene.event, other, other)]
    data_of(await (await world.admin_key()).delete(f"/admin/users/{scene.owner.id}"))
    assert sorted(broker.heard) == [
        (scene.event.id, []),
        (other.id, [TicketChange(DELETED, ticket.id) for ticket in tickets[1:]]),
    ]


async def test_what_is_refused_is_not_announced_not_even_by_what_comes_next(
    broker: Recording, scene: Scene, world: World
) -> None:
    await world.ticket(scene.event, scene.owner, ticket_type=scene.kind)
    await world.ticket(scene.event, scene.owner, ticket_type=scene.kind)
    scene.kind.capacity = 2
    await scene.kind.save(update_fields=["capacity"])
    await refused(scene.buyer.post("/tickets", _registration(scene)), 400, "SOLD_OUT")
    await refused(scene.organizer.put(f"/ticket-types/{scene.kind.id}", {"capacity": 1}), 400, "CAPACITY_TOO_LOW")
    assert broker.heard == []
    query = """mutation($id: ID!) {
        refused: updateTicketType(id: $id, input: {capacity: 1}) { id }
        done: updateMe(input: {country: "Bangladesh"}) { id }
    }"""
    answer = await (await world.session(scene.owner)).graphql(query, id=scene.kind.id)
    assert (answer["data"]["refused"], answer["data"]["done"] is None) == (None, False)
    assert broker.heard == []


async def test_each_mutation_of_a_document_announces_its_own(broker: Recording, scene: Scene) -> None:
    query = """mutation($id: ID!, $type: ID!) {
        a: registerForEvent(input: {eventId: $id, ticketTypeId: $type}) { id }
        b: registerForEvent(input: {eventId: $id, ticketTypeId: $type}) { id }
    }"""
    answer = await scene.buyer.graphql(query, id=scene.event.id, type=scene.kind.id)
    made = [int(answer["data"][name]["id"]) for name in "ab"]
    assert broker.heard == [(scene.event.id, [TicketChange(CREATED, ticket_id)]) for ticket_id in made]


APPROVE = "mutation($id: ID!) { approvePayments(input: {ticketIds: [$id], mode: ALL}) { decided { id } } }"
REJECT = "mutation($id: ID!) { rejectPayments(input: {ticketIds: [$id], mode: EACH}) { decided { id } } }"
CHECK_IN = "mutation($code: String!) { checkInTicket(code: $code) { outcome } }"
UNDO = "mutation($id: ID!) { undoCheckIn(ticketId: $id) { id } }"


@dataclasses.dataclass(frozen=True)
class PendingTicket:
    """A ticket that waits for its payment to be approved, and what is done with it."""

    scene: Scene
    ticket: Ticket

    async def do(self, mutation: str) -> None:
        named = {"code": self.ticket.code} if "$code" in mutation else {"id": self.ticket.id}
        answer = await self.scene.organizer.graphql(mutation, **named)
        assert "errors" not in answer


@pytest.fixture
async def pending(scene: Scene, world: World) -> PendingTicket:
    ticket = await world.ticket(scene.event, scene.owner, ticket_type=scene.kind, status=TicketStatus.PENDING)
    return PendingTicket(scene, ticket)


async def test_decisions_and_the_door(broker: Recording, pending: PendingTicket) -> None:
    for mutation in (APPROVE, CHECK_IN, CHECK_IN, UNDO):  # a second scan changes nothing
        await pending.do(mutation)
    await Ticket.filter(id=pending.ticket.id).update(status=TicketStatus.PENDING)
    await pending.do(REJECT)
    assert broker.heard == [(pending.scene.event.id, [TicketChange(UPDATED, pending.ticket.id)])] * 4


@pytest.mark.parametrize("mutation", [APPROVE, REJECT, CHECK_IN, UNDO])
async def test_a_caller_who_leaves_during_the_commit_keeps_nobody_from_being_told(
    broker: Recording, pending: PendingTicket, world: World, monkeypatch: pytest.MonkeyPatch, mutation: str
) -> None:
    if mutation in (CHECK_IN, UNDO):
        await Ticket.filter(id=pending.ticket.id).update(status=TicketStatus.SUCCESS)
    if mutation == UNDO:
        await world.check_in(pending.ticket, pending.scene.owner)
    asking = asyncio.create_task(pending.do(mutation))
    commit = transactions.end_transaction

    async def commit_and_leave(*how: Any) -> None:
        await commit(*how)
        asking.cancel()

    monkeypatch.setattr(transactions, "end_transaction", commit_and_leave)
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert broker.heard == [(pending.scene.event.id, [TicketChange(UPDATED, pending.ticket.id)])]


async def test_a_question_that_goes_with_its_answers(broker: Recording, pending: PendingTicket, world: World) -> None:
    field = await world.custom_field(pending.scene.event, "Size")
    await CustomValue.create(ticket=pending.ticket, field=field, value="M")
    await world.ticket(pending.scene.event, pending.scene.owner)  # has not been asked
    answer = await pending.scene.organizer.graphql(
        "mutation($id: ID!) { deleteCustomField(id: $id) { deleted } }", id=field.id
    )
    assert "errors" not in answer
    assert broker.heard == [(pending.scene.event.id, [TicketChange(UPDATED, pending.ticket.id)])]


async def test_a_replay_announces_nothing(broker: Recording, scene: Scene) -> None:
    answers = [await scene.buyer.post("/tickets", _registration(scene), **{"Idempotency-Key": "one"}) for _ in range(2)]
    assert data_of(answers[0], 201) == data_of(answers[1], 201)
    assert len(broker.heard) == 1


async def test_what_may_have_been_committed_is_announced(
    broker: Recording, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_ticket: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(registration, "load_ticket_detail", broken)
    assert (await scene.buyer.post("/tickets", _registration(scene))).status_code == 500
    [(event_id, [change])] = broker.heard
    assert (event_id, change.kind) == (scene.event.id, CREATED)
