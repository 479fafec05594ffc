"""Payments that buyers add to their pending tickets, which then keep their places (decisions 6.2a, 6.6)."""

import asyncio
import datetime
from decimal import Decimal
from typing import Any

import pytest

from amarevents.models import Ticket
from amarevents.models.columns import utc_now
from amarevents.models.enums import KeyType, TicketStatus
from tests.support.check_in import CheckInScene, check_in_scene
from tests.support.consistency import find_inconsistencies
from tests.support.graphql_answers import answer_of, refused, run_concurrently
from tests.support.world import Caller, World, snapshot

# Any throughout: JSON, and models' fields as keyword arguments.

ADD = """mutation($input: AddPaymentInput!) {
    addPayment(input: $input) { id status transactionId paymentMethod amount due }
}"""


@pytest.fixture
async def scene(world: World) -> CheckInScene:
    return await check_in_scene(world)


async def unpaid(scene: CheckInScene, **fields: Any) -> Ticket:
    return await scene.ticket(status=TicketStatus.PENDING, amount=Decimal(500), **fields)


def payment(ticket: Ticket, transaction_id: str = "9HG7", **fields: Any) -> dict[str, Any]:
    return {"ticketId": ticket.id, "transactionId": transaction_id, **fields}


async def test_buyer_adds_a_payment(scene: CheckInScene) -> None:
    ticket = await unpaid(scene)
    sent = payment(ticket, " 9hg-7 ", paymentMethod="NAGAD", amount="450.50")
    assert await answer_of(scene.attendee, ADD, input=sent) == {
        "id": str(ticket.id), "status": "PENDING", "transactionId": "9hg-7", "paymentMethod": "NAGAD",
        "amount": "450.50", "due": "500.00",
    }  # fmt: skip
    assert await find_inconsistencies() == {}


async def test_omitted_fields_and_null_stay_unchanged(scene: CheckInScene) -> None:
    ticket = await unpaid(scene, payment_method="bkash")
    answer = await answer_of(scene.attendee, ADD, input=payment(ticket, amount=None))
    assert (answer["paymentMethod"], answer["amount"]) == ("BKASH", "500.00")


async def test_only_the_organizer_changes_a_payment_that_was_entered(scene: CheckInScene) -> None:
    """Otherwise the buyer could exchange it after the organizer has looked it up, and before the approval."""
    ticket = await unpaid(scene)
    await answer_of(scene.attendee, ADD, input=payment(ticket, "TYPO"))
    for changed in (payment(ticket, "9HG7"), payment(ticket, "TYPO", amount="1000")):
        await refused(scene.attendee, ADD, "FORBIDDEN", input=changed)
    assert (await scene.organizer.put(f"/tickets/{ticket.id}", {"transid": "9HG7"})).status_code == 200
    await answer_of(scene.attendee, ADD, input=payment(await unpaid(scene), "TYPO"))
    assert await find_inconsistencies() == {}
    await scene.organizer.put(f"/tickets/{ticket.id}", {"status": "Success"})
    await refused(scene.attendee, ADD, "NOT_PENDING", input=payment(ticket, "LATE"))


@pytest.mark.parametrize("status", [status for status in TicketStatus if status is not TicketStatus.PENDING])
async def test_only_a_pending_payment_can_be_added(scene: CheckInScene, status: TicketStatus) -> None:
    ticket = await scene.ticket(status=status, amount=Decimal(500))
    await refused(scene.attendee, ADD, "NOT_PENDING", input=payment(ticket))


async def test_repeated_payment_changes_nothing(scene: CheckInScene) -> None:
    ticket = await unpaid(scene)
    sent = payment(ticket, paymentMethod="CARD", amount="500")
    first = await answer_of(scene.attendee, ADD, input=sent)
    before = await snapshot()
    assert await answer_of(scene.attendee, ADD, input=sent) == first
    assert await snapshot() == before


async def test_transaction_that_has_paid_is_refused(scene: CheckInScene) -> None:
    await unpaid(scene, transaction_id="9HG7")
    fields = await refused(scene.attendee, ADD, "DUPLICATE_TRANSACTION", input=payment(await unpaid(scene), "TXN9hg7"))
    assert fields.keys() == {"transactionId"}


async def test_one_of_two_tickets_gets_the_same_transaction(scene: CheckInScene) -> None:
    tickets = [await unpaid(scene) for _ in range(2)]
    counts = await run_concurrently(
        *(scene.attendee.graphql_response(ADD, input=payment(ticket)) for ticket in tickets)
    )
    assert counts == {None: 1, "DUPLICATE_TRANSACTION": 1}
    assert await find_inconsistencies() == {}


async def test_only_the_holder_of_the_ticket_adds_a_payment(scene: CheckInScene) -> None:
    ticket, world = await unpaid(scene), scene.world
    callers: list[tuple[Caller, str]] = [
        (world.anonymous, "UNAUTHENTICATED"),
        (await world.user_key(), "NOT_FOUND"),
        (scene.organizer, "FORBIDDEN"),
        (await world.admin_key(), "FORBIDDEN"),
    ]
    for caller, code in callers:
        await refused(caller, ADD, code, input=payment(ticket))
    await refused(scene.attendee, ADD, "NOT_FOUND", input={"ticketId": 999_999, "transactionId": "9HG7"})
    assert scene.attendee.user
    reader = await world.key(scene.attendee.user, KeyType.USER, permissions=["tickets:read"])
    await refused(reader, ADD, "MISSING_SCOPE", input=payment(ticket))
    await answer_of(await world.session(scene.attendee.user), ADD, input=payment(ticket))


@pytest.mark.parametrize(
    ("invalid", "field"),
    [
        ({"transactionId": "--"}, "transactionId"),
        ({"transactionId": " "}, "transactionId"),
        ({"amount": "-1"}, "amount"),
        ({"amount": "0.001"}, "amount"),
    ],
)
async def test_invalid_payment_is_refused(scene: CheckInScene, invalid: dict[str, Any], field: str) -> None:
    sent = {**payment(await unpaid(scene)), **invalid}
    assert (await refused(scene.attendee, ADD, "VALIDATION_ERROR", input=sent)).keys() == {field}


async def test_payment_ends_the_hold_unless_that_is_over(scene: CheckInScene) -> None:
    late = await unpaid(scene, hold_expires_at=utc_now())
    in_time = await unpaid(scene, hold_expires_at=utc_now() + datetime.timedelta(hours=1))
    await refused(scene.attendee, ADD, "TICKET_EXPIRED", input=payment(late))
    await answer_of(scene.attendee, ADD, input=payment(in_time))
    await in_time.refresh_from_db()
    assert in_time.hold_expires_at is None


async def test_approval_and_entry_at_once_agree(scene: CheckInScene) -> None:
    """The organizer approves what is then the payment of the ticket: nothing changes it afterwards."""
    for number in range(5):
        ticket = await unpaid(scene)
        approval, entry = await asyncio.gather(
            scene.organizer.put(f"/tickets/{ticket.id}", {"status": "Success"}),
            scene.attendee.graphql(ADD, input=payment(ticket, f"PAID{number}")),
        )
        await ticket.refresh_from_db()
        assert approval.json()["data"]["transaction_id"] == ticket.transaction_id
        assert ("errors" in entry) is (ticket.transaction_id is None)
    assert await find_inconsistencies() == {}
