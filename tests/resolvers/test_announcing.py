"""What operations announce to the followers of events: what they have changed, once it is so, and nothing else."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.applications import Starlette

from amarevents.models import Event, TicketType, User
from amarevents.models.enums import KeyType, TicketChangeKind, TicketStatus
from amarevents.resolvers import registration
from amarevents.security.broker import MemoryBroker, TicketChange
from tests.rest.answers import data_of, refused
from tests.world import Caller, World

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


@dataclasses.dataclass
class Stage:
    event: Event
    kind: TicketType
    owner: User
    organizer: Caller
    buyer: Caller


@pytest.fixture
async def stage(world: World) -> Stage:
    owner = await world.organizer()
    event = await world.event(owner)
    kind = await world.ticket_type(event, capacity=2)
    return Stage(event, kind, owner, await world.key(owner, KeyType.ORGANIZER), await world.user_key())


def _registration(stage: Stage) -> dict[str, Any]:  # Any: JSON
    return {"event_id": stage.event.id, "ticket_type_id": stage.kind.id}


async def test_a_registration_a_change_and_a_deletion(broker: Recording, stage: Stage) -> None:
    ticket_id = data_of(await stage.buyer.post("/tickets", _registration(stage)), 201)["id"]
    data_of(await stage.organizer.put(f"/tickets/{ticket_id}", {"status": "Failed"}))
    data_of(await stage.organizer.put(f"/tickets/{ticket_id}", {}))  # changes nothing
    data_of(await stage.organizer.delete(f"/tickets/{ticket_id}"))
    changes = [TicketChange(kind, ticket_id) for kind in (CREATED, UPDATED, DELETED)]
    assert broker.heard == [(stage.event.id, [change]) for change in changes]


async def test_ticket_types(broker: Recording, stage: Stage, world: World) -> None:
    pending = await world.ticket(stage.event, stage.owner, ticket_type=stage.kind, status=TicketStatus.PENDING)
    data_of(await stage.organizer.post("/ticket-types", {"event_id": stage.event.id, "name": "Balcony"}), 201)
    data_of(await stage.organizer.put(f"/ticket-types/{stage.kind.id}", {"price": 5}))
    data_of(await stage.organizer.put(f"/ticket-types/{stage.kind.id}", {}))
    data_of(await stage.organizer.delete(f"/ticket-types/{stage.kind.id}"))
    assert broker.heard == [
        (stage.event.id, []),
        (stage.event.id, []),
        (stage.event.id, [TicketChange(UPDATED, pending.id)]),
    ]


async def test_an_event_that_goes(broker: Recording, stage: Stage, world: World) -> None:
    await world.ticket(stage.event, stage.owner, ticket_type=stage.kind)
    data_of(await stage.organizer.delete(f"/events/{stage.event.id}"))
    assert broker.heard == [(stage.event.id, [])]


async def test_an_account_that_goes_with_its_events_and_its_tickets_to_others(
    broker: Recording, stage: Stage, world: World
) -> None:
    other = await world.event(await world.organizer())
    tickets = [await world.ticket(event, stage.owner) for event in (stage.event, other, other)]
    data_of(await (await world.admin_key()).delete(f"/admin/users/{stage.owner.id}"))
    assert sorted(broker.heard) == [
        (stage.event.id, []),
        (other.id, [TicketChange(DELETED, ticket.id) for ticket in tickets[1:]]),
    ]


async def test_what_is_refused_is_not_announced_not_even_by_what_comes_next(
    broker: Recording, stage: Stage, world: World
) -> None:
    for _ in range(2):
        await world.ticket(stage.event, stage.owner, ticket_type=stage.kind)
    await refused(stage.buyer.post("/tickets", _registration(stage)), 400, "SOLD_OUT")
    await refused(stage.organizer.put(f"/ticket-types/{stage.kind.id}", {"capacity": 1}), 400, "CAPACITY_TOO_LOW")
    assert broker.heard == []
    query = """mutation($id: ID!) {
        refused: updateTicketType(id: $id, input: {capacity: 1}) { id }
        done: updateMe(input: {country: "Bangladesh"}) { id }
    }"""
    answer = await (await world.session(stage.owner)).graphql(query, id=stage.kind.id)
    assert (answer["data"]["refused"], answer["data"]["done"] is None) == (None, False)
    assert broker.heard == []


async def test_each_mutation_of_a_document_announces_its_own(broker: Recording, stage: Stage) -> None:
    query = """mutation($id: ID!, $type: ID!) {
        a: registerForEvent(input: {eventId: $id, ticketTypeId: $type}) { id }
        b: registerForEvent(input: {eventId: $id, ticketTypeId: $type}) { id }
    }"""
    answer = await stage.buyer.graphql(query, id=stage.event.id, type=stage.kind.id)
    made = [int(answer["data"][name]["id"]) for name in "ab"]
    assert broker.heard == [(stage.event.id, [TicketChange(CREATED, ticket_id)]) for ticket_id in made]


async def test_a_replay_announces_nothing(broker: Recording, stage: Stage) -> None:
    answers = [await stage.buyer.post("/tickets", _registration(stage), **{"Idempotency-Key": "one"}) for _ in range(2)]
    assert data_of(answers[0], 201) == data_of(answers[1], 201)
    assert len(broker.heard) == 1


async def test_what_may_have_been_committed_is_announced(
    broker: Recording, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_ticket: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(registration, "load_ticket_detail", broken)
    assert (await stage.buyer.post("/tickets", _registration(stage))).status_code == 500
    [(event_id, [change])] = broker.heard
    assert (event_id, change.kind) == (stage.event.id, CREATED)
