"""The limit of places that one account holds of an event, however many requests are simultaneous (decisions 6.2a)."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest

from amarevents.models import Event, Ticket, TicketType, booking
from amarevents.models.db.sql import Sql, fetch
from amarevents.models.enums import KeyType, TicketStatus
from amarevents.resolvers.tickets import registration
from amarevents.resolvers.tickets.offers import Offer, load_offer
from amarevents.security.context import Context
from amarevents.settings import Settings
from tests.rest.conftest import Stage
from tests.support.booking import changed_booking
from tests.support.graphql_answers import answer_of, error_code_and_status
from tests.support.holds import HOUR, unpaid_ticket
from tests.support.rest_answers import Outcomes, data_of, error_in, outcomes
from tests.support.world import Caller, World

REGISTER = "mutation($id: ID!) { registerForEvent(input: {eventId: $id}) { id } }"


@pytest.fixture
async def limited(stage: Stage) -> Stage:
    """Return the stage; one account can hold three places of its event."""
    await Event.filter(id=stage.event.id).update(places_per_account=3)
    return stage


async def fill(world: World, stage: Stage, count: int = 3) -> None:
    for _ in range(count):
        await world.ticket(stage.event, stage.buyer_account)


async def refused_with_limit(stage: Stage, caller: Caller, limit: int) -> None:
    """Require that a registration is refused on both surfaces, with a message that has the limit."""
    response = await caller.post("/tickets", {"event_id": stage.event.id})
    error_in(response, 400, "TOO_MANY_PLACES")
    assert f"at most {limit} places" in response.json()["error"]
    answer = await caller.graphql(REGISTER, id=stage.event.id)
    assert error_code_and_status(answer) == ("TOO_MANY_PLACES", 400)
    assert answer["errors"][0]["message"] == response.json()["error"]


async def test_account_can_hold_as_many_places_as_the_event_allows(world: World, limited: Stage) -> None:
    await fill(world, limited, 2)
    data_of(await limited.buyer.post("/tickets", {"event_id": limited.event.id}), 201)
    await refused_with_limit(limited, limited.buyer, 3)
    data_of(await limited.rival.post("/tickets", {"event_id": limited.event.id}), 201)


async def test_default_of_the_platform_is_twenty(world: World, stage: Stage, configure: Callable[..., None]) -> None:
    configure(places_per_account=Settings().places_per_account)
    await fill(world, stage, 19)
    await answer_of(stage.buyer, REGISTER, id=stage.event.id)
    await refused_with_limit(stage, stage.buyer, 20)


async def test_zero_means_unlimited(world: World, stage: Stage, configure: Callable[..., None]) -> None:
    configure(places_per_account=2)
    await Event.filter(id=stage.event.id).update(places_per_account=0)
    await fill(world, stage)
    data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id}), 201)


@pytest.mark.parametrize("name", ["organizer", "admin"])
async def test_owner_and_admins_are_not_limited(world: World, limited: Stage, name: str) -> None:
    caller: Caller = getattr(limited, name)
    assert caller.user is not None
    as_user = await world.key(caller.user, KeyType.USER)
    for each in (caller, caller, as_user, as_user):
        data_of(await each.post("/tickets", {"event_id": limited.event.id}), 201)


async def test_only_places_that_are_held_count(world: World, limited: Stage) -> None:
    ticket_type = await world.ticket_type(limited.event, price="5")
    for status in (TicketStatus.FAILED, TicketStatus.REFUNDED):
        await world.ticket(limited.event, limited.buyer_account, status=status)
    await unpaid_ticket(world, limited.event, limited.buyer_account, ticket_type, ends_in=-HOUR)
    await world.ticket(await world.event(limited.organization), limited.buyer_account)
    for _ in range(3):
        data_of(await limited.buyer.post("/tickets", {"event_id": limited.event.id}), 201)
    await refused_with_limit(limited, limited.buyer, 3)


async def test_organizer_can_give_an_account_more_places(world: World, limited: Stage) -> None:
    await fill(world, limited)
    failed = await world.ticket(limited.event, limited.buyer_account, status=TicketStatus.FAILED)
    data_of(await limited.organizer.put(f"/tickets/{failed.id}", {"status": "Success"}))
    assert await Ticket.filter(status=TicketStatus.SUCCESS).count() == 4


# Simultaneous registrations ---------------------------------------------------------------------------------------


async def register_fifty_times(world: World, stage: Stage) -> Outcomes:
    """Register one account fifty times at once, with two keys and a session."""
    callers = [stage.buyer, await world.key(stage.buyer_account), await world.session(stage.buyer_account)]
    body = {"event_id": stage.event.id}
    requests = [caller.post("/tickets", body) for caller, _ in zip(itertools.cycle(callers), range(50), strict=False)]
    return outcomes(await asyncio.gather(*requests))


async def test_fifty_simultaneous_registrations_get_the_places_of_one_account(world: World, limited: Stage) -> None:
    assert await register_fifty_times(world, limited) == {(201, None): 3, (400, "TOO_MANY_PLACES"): 47}
    assert await Ticket.all().count() == 3


@pytest.mark.backend("postgres")
async def test_without_the_lock_of_the_account_they_would_get_more(world: World, limited: Stage) -> None:
    """At least four, which count the places of the account before one of them has registered."""
    counted = f"RETURN {booking.TOO_MANY_PLACES}; END IF;"
    async with changed_booking({booking.LOCK: "", counted: f"{counted} PERFORM pg_sleep(0.1);"}):
        assert (await register_fifty_times(world, limited))[201, None] > 3


async def register_twice_with_idempotency_keys(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Outcomes:
    """Register one account twice; the records of both keys refer to the account before one of them locks it."""
    both_refer_to_the_account = asyncio.Barrier(2)

    async def load_together(ctx: Context, event_id: int) -> Offer:
        await both_refer_to_the_account.wait()
        return await load_offer(ctx, event_id)

    monkeypatch.setattr(registration, "load_offer", load_together)
    body = {"event_id": stage.event.id}
    return outcomes(
        await asyncio.gather(*(stage.buyer.post("/tickets", body, Idempotency_Key=key) for key in ("one", "two")))
    )


@pytest.mark.backend("postgres")
async def test_registrations_with_idempotency_keys_do_not_deadlock(
    limited: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await register_twice_with_idempotency_keys(limited, monkeypatch) == {(201, None): 2}


@pytest.mark.backend("postgres")
async def test_with_a_stronger_lock_of_the_account_they_would_deadlock(
    limited: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with changed_booking({booking.LOCK: " FOR UPDATE"}):
        assert (await register_twice_with_idempotency_keys(limited, monkeypatch))[201, None] < 2


@asynccontextmanager
async def transaction_of_another_process(deployment: Settings, organization_id: int) -> AsyncIterator[None]:
    """Use the transaction ID 8N7A6 in a transaction of another process, which fails in the end."""
    connection = await asyncpg.connect(deployment.database_url)
    change = connection.transaction()
    await change.start()
    text = "INSERT INTO payment_claims (scope, transaction_key) VALUES ($1, '8n7a6')"
    await connection.execute(text, organization_id)
    yield
    await change.rollback()
    await connection.close()


async def wait_for_a_lock() -> None:
    """Wait until a statement waits for a lock."""
    waiting = Sql("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
    async with asyncio.timeout(5):
        while not await fetch(waiting):  # noqa: ASYNC110 - of the server
            await asyncio.sleep(0.01)


@pytest.mark.backend("postgres")
async def test_accounts_do_not_wait_for_each_other(limited: Stage, world: World, deployment: Settings) -> None:
    """Register another account while a registration holds the lock of its own."""
    ticket_type = await world.ticket_type(limited.event, price="5", capacity=10)
    body = {"event_id": limited.event.id}
    async with transaction_of_another_process(deployment, limited.organization.id):
        waiting = asyncio.create_task(limited.buyer.post("/tickets", {**body, "transaction_id": "8N7A6"}))
        await wait_for_a_lock()
        data_of(await limited.rival.post("/tickets", body), 201)
        assert not waiting.done()
    data_of(await waiting, 201)
    assert (await TicketType.get(id=ticket_type.id)).sold == 2
