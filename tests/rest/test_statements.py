"""The number of SQL statements per request, which does not grow with the event or the page."""

import pytest

from amarevents.models import Event, OutgoingMail, Ticket, TicketType, User
from amarevents.models.db.sql import dialect
from amarevents.models.enums import TicketStatus
from tests.rest.conftest import Stage
from tests.support.rest_answers import data_of, error_in
from tests.support.selection import Backend
from tests.support.statements import counted_statements
from tests.support.world import World

# The key, the event with its ticket types and custom fields, and the ticket with its email and its place or answers.
REGISTRATION = {"postgres": 3, "sqlite": 5}


async def fill(event: Event, ticket_type: TicketType, user: User, count: int) -> None:
    await Ticket.bulk_create(
        Ticket(
            code=f"AEFILL{number}", event=event, user=user, ticket_type=ticket_type, name="x", email="x@example.com",
            status=TicketStatus.SUCCESS,
        )
        for number in range(count)
    )  # fmt: skip
    await TicketType.filter(id=ticket_type.id).update(sold=count)


@pytest.mark.parametrize("tickets", [0, 50, 500])
@pytest.mark.parametrize("types", [1, 10])
async def test_registration_takes_the_same_statements_for_any_event(
    world: World, stage: Stage, backend: Backend, tickets: int, types: int
) -> None:
    ticket_types = [await world.ticket_type(stage.event, capacity=1000) for _ in range(types)]
    await fill(stage.event, ticket_types[0], stage.buyer_account, tickets)
    body = {"event_id": stage.event.id, "ticket_type_id": ticket_types[0].id}
    with counted_statements() as statements:
        data_of(await stage.buyer.post("/tickets", body), 201)
    assert len(statements) == REGISTRATION[backend]


@pytest.mark.backend("postgres")
async def test_registration_reads_and_writes_with_one_statement_each(world: World, stage: Stage) -> None:
    await world.ticket_type(stage.event, capacity=9)
    with counted_statements() as statements:
        data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id}), 201)
    assert [statement.split("(")[0].split()[1] for statement in statements[-2:]] == ["events.id,", "book_ticket"]
    assert len(statements) <= 3  # the first is that of the key


@pytest.mark.backend("postgres")
async def test_idempotency_key_adds_two_statements_to_a_registration(stage: Stage) -> None:
    """One that claims the key, and one that stores the answer."""
    with counted_statements() as statements:
        data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id}, Idempotency_Key="once"), 201)
    assert [statement.split()[0] for statement in statements[-4:]] == ["INSERT", "SELECT", "SELECT", "UPDATE"]
    assert len(statements) == REGISTRATION["postgres"] + 2


async def test_refusal_of_a_sold_out_event_writes_nothing(world: World, stage: Stage) -> None:
    ticket_type = await world.ticket_type(stage.event, capacity=1)
    await fill(stage.event, ticket_type, stage.buyer_account, 1)
    with counted_statements() as statements:
        error_in(await stage.buyer.post("/tickets", {"event_id": stage.event.id}), 400, "SOLD_OUT")
    assert [statement.split()[0] for statement in statements] == ["SELECT"] * 2


async def test_all_answers_are_written_in_one_statement(world: World, stage: Stage, backend: Backend) -> None:
    names = [(await world.custom_field(stage.event, f"Question {number}")).name for number in range(12)]
    with counted_statements() as statements:
        body = {"event_id": stage.event.id, "custom_fields": dict.fromkeys(names, "x")}
        created = data_of(await stage.buyer.post("/tickets", body), 201)
    assert len(created["custom_fields"]) == 12
    # The event has no ticket type, hence no place; the answers are written in one statement.
    assert len(statements) == REGISTRATION[backend]


async def test_pending_registration_sends_no_email(world: World, stage: Stage, backend: Backend) -> None:
    await world.ticket_type(stage.event, price="100")
    with counted_statements() as statements:
        data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id}), 201)
    writes_emails_alone = backend == "sqlite"
    assert len(statements) == REGISTRATION[backend] - writes_emails_alone
    assert not await OutgoingMail.exists()


@pytest.mark.parametrize("events", [20, 100])
async def test_list_of_events_takes_a_count_and_a_select(world: World, stage: Stage, events: int) -> None:
    organization = await world.organization(await world.organizer())
    for _ in range(events):
        await world.event(organization)
    for caller, cost in ((world.anonymous, 2), (stage.buyer, 3), (stage.organizer, 3), (stage.admin, 3)):
        with counted_statements() as statements:
            listed = data_of(await caller.get("/events", limit=100))
        assert len(listed) == min(events + 1, 100)
        looks_for_past_events = events + 1 < 100
        assert len(statements) == cost + looks_for_past_events


@pytest.mark.parametrize("tickets", [1, 100])
async def test_list_of_tickets_takes_the_same_statements_at_any_length(
    world: World, stage: Stage, tickets: int
) -> None:
    await fill(stage.event, await world.ticket_type(stage.event), stage.buyer_account, tickets)
    with counted_statements() as own:
        assert len(data_of(await stage.buyer.get("/tickets", limit=100))) == tickets
    with counted_statements() as of_event:
        assert len(data_of(await stage.organizer.get("/tickets", event_id=stage.event.id, limit=100))) == tickets
    assert (len(own), len(of_event)) == (3, 4)


@pytest.mark.parametrize("count", [1, 30])
async def test_details_take_the_same_statements_at_any_size(world: World, stage: Stage, count: int) -> None:
    for number in range(count):
        await world.ticket_type(stage.event)
        await world.custom_field(stage.event, f"Question {number}")
        await world.event(stage.organization)
        await world.organization(stage.buyer_account)
    costs = {}
    for path in (f"/events/{stage.event.id}", "/organizations", f"/organizations/{stage.organization.id}"):
        with counted_statements() as statements:
            data_of(await world.anonymous.get(path))
        costs[path.split("/")[1] + str(path.count("/"))] = len(statements)
    # PostgreSQL returns the parts of an event with it.
    assert costs == {"events2": 1 if dialect() == "postgres" else 3, "organizations1": 2, "organizations2": 3}


# The key (if any), the event and the rows; lists are counted first.
READS = {"tickets": 4, "stats": 4, "gallery": 2, "fields": 2}


@pytest.mark.parametrize("count", [0, 1, 100])
async def test_parts_of_an_event_take_the_same_statements_at_any_size(world: World, stage: Stage, count: int) -> None:
    for number in range(count):
        await world.ticket_type(stage.event)
        await world.custom_field(stage.event, f"Question {number}")
        await world.gallery_image(stage.event)
    await fill(stage.event, await world.ticket_type(stage.event), stage.buyer_account, count)
    costs = {}
    for what in READS:
        caller = stage.organizer if what in {"tickets", "stats"} else world.anonymous
        with counted_statements() as statements:
            data_of(await caller.get(f"/events/{stage.event.id}/{what}", limit=100))
        costs[what] = len(statements)
    assert costs == READS
    with counted_statements() as statements:
        assert len(data_of(await stage.buyer.get("/users/me/tickets", limit=100))) == count
    assert len(statements) == 3


@pytest.mark.parametrize("tickets", [0, 200])
async def test_deletion_of_an_event_takes_the_same_statements_for_any_number_of_tickets(
    world: World, stage: Stage, tickets: int
) -> None:
    await fill(stage.event, await world.ticket_type(stage.event), stage.buyer_account, tickets)
    with counted_statements() as statements:
        data_of(await stage.organizer.delete(f"/events/{stage.event.id}"))
    # Key, event; locks and counts of event, tickets and places; deletions of tickets, places and event; the slot.
    assert len(statements) == 8 + (1 if tickets else 0)
