"""Transactions that simultaneous requests claim: each pays once, and no requests deadlock (decisions 6.6)."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from tortoise.models import Model
from tortoise.queryset import QuerySet

from amarevents.models import Donation, Event, PaymentClaim, Ticket, TicketType
from amarevents.models.enums import TicketStatus
from amarevents.resolvers.accounts import deletion
from amarevents.resolvers.core.locking import lock_in_order
from amarevents.resolvers.tickets import payment_claims
from amarevents.resolvers.tickets.payment_claims import Claim, Payer
from tests.rest.conftest import Stage
from tests.support.booking import changed_booking
from tests.support.consistency import find_inconsistencies
from tests.support.pauses import Pause
from tests.support.rest_answers import Outcomes, data_of, outcomes
from tests.support.world import World, empty_tables

# Any: JSON.

ONE_OF_TWENTY = {(201, None): 1, (400, "DUPLICATE_TRANSACTION"): 19}
GIFT = {"email": "giver@example.com", "number": "01700000000", "amount": 50, "type": "bkash"}


@pytest.fixture
async def paid_type(world: World, stage: Stage) -> TicketType:
    return await world.ticket_type(stage.event, price="500", capacity=30)


async def pay_twenty_times(stage: Stage, spellings: tuple[str, ...] = ("8N7A6B",)) -> Outcomes:
    bodies = [{"event_id": stage.event.id, "transaction_id": spellings[n % len(spellings)]} for n in range(20)]
    return outcomes(await asyncio.gather(*(stage.buyer.post("/tickets", body) for body in bodies)))


def gift(stage: Stage, transaction_id: str = "8N7A6B") -> dict[str, Any]:
    return {**GIFT, "transaction_id": transaction_id, "organization_id": stage.organization.id}


@pytest.fixture
async def without_guard(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """The negative control: every ticket and donation claims a key of its own, so that nothing is unique."""

    async def take_another(claim: Claim, payer: Payer) -> int:
        row = claim.row(payer)
        row.transaction_key = f"{claim.key} of {type(payer).__name__} {payer.id}"
        await row.save()
        return row.id

    monkeypatch.setattr(payment_claims, "_take", take_another)
    async with changed_booking({":claim_key)": ":claim_key || :code)"}):
        yield
    await empty_tables()


async def test_one_of_twenty_tickets_gets_the_transaction(stage: Stage, paid_type: TicketType) -> None:
    assert await pay_twenty_times(stage, ("8N7A6B", "8n7-a6b", "TXN8N7A6B")) == ONE_OF_TWENTY
    await paid_type.refresh_from_db()
    assert (await Ticket.all().count(), paid_type.sold) == (1, 1)
    assert await find_inconsistencies() == {}


@pytest.mark.usefixtures("without_guard", "paid_type")
async def test_without_the_guard_all_twenty_would_get_it(stage: Stage) -> None:
    assert await pay_twenty_times(stage) == {(201, None): 20}


async def donate_twenty_times(world: World, stage: Stage) -> Outcomes:
    return outcomes(await asyncio.gather(*(world.anonymous.post("/donations", gift(stage)) for _ in range(20))))


async def test_one_of_twenty_donations_gets_the_transaction(world: World, stage: Stage) -> None:
    assert await donate_twenty_times(world, stage) == ONE_OF_TWENTY
    assert await Donation.all().count() == 1


@pytest.mark.usefixtures("without_guard")
async def test_without_the_guard_all_twenty_donations_would_get_it(world: World, stage: Stage) -> None:
    assert await donate_twenty_times(world, stage) == {(201, None): 20}


@pytest.mark.usefixtures("paid_type")
async def test_one_ticket_or_donation_gets_the_transaction(world: World, stage: Stage) -> None:
    ticket = {"event_id": stage.event.id, "transid": "8N7A6B"}
    requests = []
    for _ in range(10):
        requests += [stage.buyer.post("/tickets", ticket), world.anonymous.post("/donations", gift(stage))]
    assert outcomes(await asyncio.gather(*requests)) == ONE_OF_TWENTY
    assert await Ticket.all().count() + await Donation.all().count() == 1
    assert await find_inconsistencies() == {}


async def test_organizations_do_not_wait_for_each_other(
    world: World, stage: Stage, paid_type: TicketType, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await world.event(await world.organizer())
    await world.ticket_type(other, price="5")
    bodies = [{"event_id": event_id, "transaction_id": "8N7A6B"} for event_id in (stage.event.id, other.id)]
    responses = await asyncio.gather(*(stage.buyer.post("/tickets", body) for body in bodies))
    assert outcomes(responses) == {(201, None): 2}


# Changes --------------------------------------------------------------------------------------------------------


async def paid_tickets(world: World, stage: Stage, count: int, **fields: Any) -> list[Ticket]:
    values = {"amount": Decimal(500), **fields}
    return [await world.ticket(stage.event, stage.buyer_account, **values) for _ in range(count)]


async def change(stage: Stage, changes: list[tuple[Ticket, dict[str, Any]]]) -> list[httpx.Response]:
    return await asyncio.gather(*(stage.organizer.put(f"/tickets/{row.id}", body) for row, body in changes))


async def test_one_of_ten_tickets_changes_to_the_transaction(world: World, stage: Stage) -> None:
    tickets = await paid_tickets(world, stage, 10)
    responses = await change(stage, [(row, {"transid": "8N7A6B"}) for row in tickets])
    assert outcomes(responses) == {(200, None): 1, (400, "DUPLICATE_TRANSACTION"): 9}
    assert await find_inconsistencies() == {}


@pytest.mark.usefixtures("without_guard")
async def test_without_the_guard_all_ten_would_change_to_it(world: World, stage: Stage) -> None:
    tickets = await paid_tickets(world, stage, 10)
    assert outcomes(await change(stage, [(row, {"transid": "8N7A6B"}) for row in tickets])) == {(200, None): 10}


async def test_one_of_ten_rejected_tickets_is_restored(world: World, stage: Stage) -> None:
    tickets = await paid_tickets(world, stage, 10, status=TicketStatus.FAILED, transaction_id="8N7A6B")
    responses = await change(stage, [(row, {"status": "Success"}) for row in tickets])
    assert outcomes(responses) == {(200, None): 1, (400, "DUPLICATE_TRANSACTION"): 9}
    assert await find_inconsistencies() == {}


async def test_tickets_that_swap_transactions_do_not_deadlock(world: World, stage: Stage) -> None:
    """Neither can get what the other has: both are refused, or one after the other has been refused as well."""
    for number in range(10):
        names = [f"A{number}", f"B{number}"]
        tickets = [(await paid_tickets(world, stage, 1, transaction_id=name))[0] for name in names]
        swaps = [(row, {"transid": name}) for row, name in zip(tickets, names[::-1], strict=True)]
        assert outcomes(await change(stage, swaps)) == {(400, "DUPLICATE_TRANSACTION"): 2}
    assert await find_inconsistencies() == {}


async def test_payment_waits_for_the_rejection_that_releases_its_transaction(
    world: World, stage: Stage, paid_type: TicketType, monkeypatch: pytest.MonkeyPatch
) -> None:
    [ticket] = await paid_tickets(world, stage, 1, transaction_id="8N7A6B", ticket_type=paid_type)
    for _ in range(5):
        rejection, payment = await asyncio.gather(
            stage.organizer.put(f"/tickets/{ticket.id}", {"status": "Failed"}),
            stage.buyer.post("/tickets", {"event_id": stage.event.id, "transid": "8N7A6B"}),
        )
        data_of(rejection)
        if payment.status_code == 201:
            ticket = await Ticket.get(id=payment.json()["data"]["id"])
        else:
            assert outcomes([payment]) == {(400, "DUPLICATE_TRANSACTION"): 1}
            data_of(await stage.organizer.put(f"/tickets/{ticket.id}", {"status": "Pending"}))
    assert await find_inconsistencies() == {}


# Deletions ------------------------------------------------------------------------------------------------------


async def start(request: Any) -> asyncio.Task[httpx.Response]:
    """Start the request, and wait until it is done or, most likely, blocked by a lock."""
    task = asyncio.create_task(request)
    await asyncio.wait([task], timeout=0.5)
    return task


@pytest.mark.parametrize("deleted", ["ticket", "event", "buyer", "organizer"])
@pytest.mark.parametrize("payer", ["ticket", "donation"])
async def test_deletions_and_payments_with_the_same_transaction_do_not_deadlock(
    world: World, stage: Stage, paid_type: TicketType, monkeypatch: pytest.MonkeyPatch, deleted: str, payer: str
) -> None:
    """The payment has inserted its ticket or donation, and waits for the transaction, when the deletion goes on."""
    other = await world.event(stage.organization)
    [ticket] = await paid_tickets(world, stage, 1, transaction_id="8N7A6B", ticket_type=paid_type)
    paths = {
        "ticket": f"/tickets/{ticket.id}",
        "event": f"/events/{stage.event.id}",
        "buyer": f"/admin/users/{stage.buyer_account.id}",
        "organizer": f"/admin/users/{stage.organization.user_id}",
    }
    await world.ticket_type(other, price="5")
    deletion_of_payer = stage.admin.delete(paths[deleted])
    if payer == "ticket":
        body = {"event_id": other.id, "transid": "8N7A6B"}
        claim = "IF _claim_key IS NOT NULL THEN"
        async with changed_booking({claim: f"{claim} PERFORM pg_sleep(0.5);"}):
            paying = asyncio.create_task(stage.rival.post("/tickets", body))
            await asyncio.sleep(0.2)
            deleting = await start(deletion_of_payer)
            paid = await paying
    else:
        pause = Pause(monkeypatch)
        pause.stop_before(payment_claims, "_take")
        paid, deleting = await pause.during(stage.rival.post("/donations", gift(stage)), start(deletion_of_payer))
    data_of(await deleting)
    assert outcomes([paid]).keys() <= {(201, None), (400, "DUPLICATE_TRANSACTION"), (404, "NOT_FOUND")}
    assert await find_inconsistencies() == {}
    assert await PaymentClaim.all().count() <= 1


@pytest.mark.backend("postgres")
async def test_without_the_lock_of_the_organization_a_donation_to_it_would_deadlock(
    world: World, stage: Stage, paid_type: TicketType, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lock_only_events(rows: QuerySet[Model]) -> list[Model]:
        return await lock_in_order(rows) if rows.model is Event else []

    monkeypatch.setattr(deletion, "lock_in_order", lock_only_events)
    await paid_tickets(world, stage, 1, transaction_id="8N7A6B", ticket_type=paid_type)
    pause = Pause(monkeypatch)
    pause.stop_before(payment_claims, "_take")
    deletion_of_owner = start(stage.admin.delete(f"/admin/users/{stage.organization.user_id}"))
    paid, deleting = await pause.during(stage.rival.post("/donations", gift(stage)), deletion_of_owner)
    assert 500 in {paid.status_code, (await deleting).status_code}
