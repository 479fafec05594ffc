"""Prices, and transactions that pay once within an organization, on both surfaces (decisions 6.1, 6.6, 7.2)."""

from collections.abc import Awaitable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from amarevents.models import Event, Organization, PaymentClaim, User
from amarevents.models.enums import KeyType, TicketStatus
from tests.contract.surfaces import Refused, RestSurface, SessionSurface, Surface
from tests.support.consistency import find_inconsistencies
from tests.support.world import World, snapshot

PRICE = Decimal("499.50")

# Any throughout: the values of any fields.


@dataclass
class Sale:
    """A paid event, with its organizer and a buyer on one of the surfaces."""

    world: World
    event: Event
    organization: Organization
    organizer: Surface
    buyer: Surface
    buyer_account: User
    ticket_type_id: int

    async def pay(self, transaction_id: str | None = None, **values: Any) -> int:
        """Register for the event, and return the ID of the ticket."""
        sent = {"event_id": self.event.id, "transaction_id": transaction_id, **values}
        ticket = await self.buyer.register({name: value for name, value in sent.items() if value is not None})
        return int(ticket["id"])

    async def donate(self, transaction_id: str, organization: Organization | None, **values: Any) -> int:
        gift = {"email": "giver@example.com", "number": "01700000000", "amount": 50, "type": "bkash"}
        to = {} if organization is None else {"organization_id": organization.id}
        return int((await self.buyer.donate({**gift, **to, "transaction_id": transaction_id, **values}))["id"])


@pytest.fixture(params=["REST", "GraphQL"])
async def sale(request: pytest.FixtureRequest, world: World) -> Sale:
    async def act_as(user: User, key_type: KeyType) -> Surface:
        if request.param == "REST":
            return RestSurface(await world.key(user, key_type))
        return SessionSurface(await world.session(user))

    owner, buyer = await world.organizer(), await world.user()
    organization = await world.organization(owner)
    event = await world.event(organization)
    seat = await world.ticket_type(event, price=str(PRICE))
    organizer = await act_as(owner, KeyType.ORGANIZER)
    return Sale(world, event, organization, organizer, await act_as(buyer, KeyType.USER), buyer, seat.id)


async def refused(request: Awaitable[object], code: str = "DUPLICATE_TRANSACTION") -> None:
    """Require that the request fails with ``code`` and status 400, and changes nothing."""
    before = await snapshot()
    with pytest.raises(Refused) as refusal:
        await request
    assert (refusal.value.code, refusal.value.status) == (code, 400)
    assert await snapshot() == before


# What a place costs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seller", "amount", "due", "paid", "status"),
    [
        ("buyer", None, PRICE, PRICE, "Pending"),
        ("buyer", Decimal(0), PRICE, Decimal(0), "Pending"),
        ("buyer", Decimal(1), PRICE, Decimal(1), "Pending"),
        ("buyer", Decimal(900), PRICE, Decimal(900), "Pending"),
        ("organizer", None, PRICE, PRICE, "Pending"),
        ("organizer", Decimal(100), Decimal(100), Decimal(100), "Pending"),
        ("organizer", Decimal(0), Decimal(0), Decimal(0), "Success"),
    ],
)
async def test_only_the_organizer_replaces_the_price(
    sale: Sale, seller: str, amount: Decimal | None, due: Decimal, paid: Decimal, status: str
) -> None:
    sent = {"event_id": sale.event.id} | ({} if amount is None else {"amount": amount})
    ticket = await getattr(sale, seller).register(sent)
    assert (ticket["due"], ticket["amount"], ticket["status"]) == (due, paid, status)
    assert (await sale.organizer.ticket(ticket["id"]))["due"] == due


async def test_nothing_due_is_approved_unless_something_is_said_to_have_been_paid(sale: Sale) -> None:
    free = await sale.world.ticket_type(sale.event)
    sent = {"event_id": sale.event.id, "ticket_type_id": free.id}
    for amount, status in ((None, "Success"), (Decimal(0), "Success"), (Decimal(1), "Pending")):
        ticket = await sale.buyer.register(sent | ({} if amount is None else {"amount": amount}))
        assert (ticket["due"], ticket["status"]) == (0, status)


async def test_changed_amount_leaves_what_is_due(sale: Sale) -> None:
    changed = await sale.organizer.update_ticket(await sale.pay(), {"amount": Decimal(300)})
    assert (changed["amount"], changed["due"]) == (300, PRICE)


async def test_price_of_another_type_is_due_after_a_move_to_it(sale: Sale) -> None:
    dearer = await sale.world.ticket_type(sale.event, price="1000")
    ticket_id = await sale.pay()
    moved = await sale.organizer.update_ticket(ticket_id, {"ticket_type_id": dearer.id})
    assert (moved["amount"], moved["due"]) == (PRICE, 1000)
    again = await sale.organizer.update_ticket(ticket_id, {"ticket_type_id": dearer.id, "status": "Success"})
    assert (again["amount"], again["due"]) == (PRICE, 1000)
    without = await sale.organizer.update_ticket(ticket_id, {"ticket_type_id": None})
    assert (without["amount"], without["due"]) == (PRICE, 1000)


# A transaction pays once ----------------------------------------------------------------------------------------

SPELLINGS = [
    "9HG7F2K1QX",
    "9hg7f2k1qx",
    " 9HG7-F2K1 QX ",
    "TrxID: 9HG7F2K1QX",
    "TXN9HG7F2K1QX",
    "৯HG৭F2K১QX",
    "９ＨＧ７Ｆ２Ｋ１ＱＸ",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_transaction_pays_for_one_ticket_however_it_is_written(sale: Sale, spelling: str) -> None:
    ticket_id = await sale.pay(spelling)
    assert (await sale.buyer.ticket(ticket_id))["transaction_id"] == spelling.strip()
    await refused(sale.pay("9HG7F2K1QX"))
    await refused(sale.donate("9HG7F2K1QX", sale.organization))
    assert await find_inconsistencies() == {}


async def test_transaction_of_a_donation_pays_for_nothing_else_of_its_organization(sale: Sale) -> None:
    await sale.donate("9HG7F2K1QX", sale.organization)
    await refused(sale.pay("9hg7f2k1qx"))
    await refused(sale.donate("txn 9HG7F2K1QX", sale.organization, type="nagad"))


async def test_strangers_do_not_block_payers_of_other_organizations(sale: Sale) -> None:
    elsewhere = await sale.world.event(await sale.world.organizer())
    await sale.world.ticket_type(elsewhere, price="10")
    await sale.pay("9HG7F2K1QX", event_id=elsewhere.id)
    await sale.donate("9HG7F2K1QX", None)
    await sale.pay("9HG7F2K1QX")
    await refused(sale.donate("9HG7F2K1QX", None))
    assert await find_inconsistencies() == {}


async def test_events_of_one_organization_share_its_transactions(sale: Sale) -> None:
    other = await sale.world.event(sale.organization)
    await sale.world.ticket_type(other, price="10")
    await sale.pay("9HG7F2K1QX")
    await refused(sale.pay("9HG7F2K1QX", event_id=other.id))


async def test_free_ticket_claims_no_transaction(sale: Sale) -> None:
    free = await sale.world.ticket_type(sale.event)
    for _ in range(2):
        await sale.pay("9HG7F2K1QX", ticket_type_id=free.id)
    await sale.pay("9HG7F2K1QX")
    await sale.pay("9HG7F2K1QX", ticket_type_id=free.id)
    await refused(sale.pay("9HG7F2K1QX", ticket_type_id=free.id, amount=Decimal(5)))


async def test_ticket_that_becomes_paid_claims_its_transaction(sale: Sale) -> None:
    free = await sale.world.ticket_type(sale.event)
    first, second = [await sale.pay("9HG7F2K1QX", ticket_type_id=free.id) for _ in range(2)]
    await sale.organizer.update_ticket(first, {"amount": Decimal(5)})
    await refused(sale.organizer.update_ticket(second, {"amount": Decimal(5)}))
    await refused(sale.organizer.update_ticket(second, {"ticket_type_id": sale.ticket_type_id}))
    await sale.organizer.update_ticket(first, {"amount": Decimal(0)})
    await sale.organizer.update_ticket(second, {"ticket_type_id": sale.ticket_type_id})
    assert await find_inconsistencies() == {}


async def test_rejected_ticket_releases_its_transaction(sale: Sale) -> None:
    ticket_id = await sale.pay("9HG7F2K1QX")
    await sale.organizer.update_ticket(ticket_id, {"status": "Failed"})
    donation_id = await sale.donate("9HG7F2K1QX", sale.organization)
    await refused(sale.organizer.update_ticket(ticket_id, {"status": "Success"}))
    await sale.organizer.decide_donation(donation_id, "rejected")
    await sale.organizer.update_ticket(ticket_id, {"status": "Success"})
    await refused(sale.organizer.decide_donation(donation_id, "verified"))
    assert await find_inconsistencies() == {}


@pytest.mark.parametrize("status", [TicketStatus.SUCCESS, TicketStatus.REFUNDED])
async def test_approved_and_refunded_tickets_keep_their_transactions(sale: Sale, status: TicketStatus) -> None:
    ticket_id = await sale.pay("9HG7F2K1QX")
    await sale.organizer.update_ticket(ticket_id, {"status": status})
    await refused(sale.pay("9HG7F2K1QX"))


async def test_changed_transaction_releases_the_earlier_one(sale: Sale) -> None:
    first, second = await sale.pay("9HG7F2K1QX"), await sale.pay("OTHER")
    await refused(sale.organizer.update_ticket(second, {"transaction_id": "9hg7f2k1qx"}))
    retyped = await sale.organizer.update_ticket(first, {"transaction_id": "9HG7 F2K1 QX"})
    assert retyped["transaction_id"] == "9HG7 F2K1 QX"
    await sale.organizer.update_ticket(first, {"transaction_id": "THIRD"})
    await sale.organizer.update_ticket(second, {"transaction_id": "9hg7f2k1qx"})
    await sale.organizer.update_ticket(first, {"transaction_id": None})
    await sale.pay("THIRD")
    assert await find_inconsistencies() == {}


async def test_status_and_transaction_can_change_together(sale: Sale) -> None:
    await sale.pay("9HG7F2K1QX")
    failed = await sale.pay("OTHER")
    await sale.organizer.update_ticket(failed, {"status": "Failed", "transaction_id": "9HG7F2K1QX"})
    await refused(sale.organizer.update_ticket(failed, {"status": "Pending"}))
    await sale.organizer.update_ticket(failed, {"status": "Pending", "transaction_id": "THIRD"})
    assert await find_inconsistencies() == {}


async def test_deleted_ticket_releases_its_transaction(sale: Sale) -> None:
    await sale.organizer.delete_ticket(await sale.pay("9HG7F2K1QX"))
    assert not await PaymentClaim.exists()
    await sale.pay("9HG7F2K1QX")


async def test_deleted_event_and_account_release_their_transactions(sale: Sale) -> None:
    other = await sale.world.event(sale.organization)
    await sale.world.ticket(other, await sale.world.user(), transaction_id="9HG7F2K1QX", amount=Decimal(5))
    admin = await sale.world.admin_key()
    await admin.delete(f"/events/{other.id}")
    await sale.pay("9HG7F2K1QX")
    await admin.delete(f"/admin/users/{sale.buyer_account.id}")
    assert not await PaymentClaim.exists()
    assert await find_inconsistencies() == {}


async def test_deleted_organizer_releases_the_transactions_of_donations(sale: Sale) -> None:
    await sale.donate("9HG7F2K1QX", sale.organization)
    await sale.pay("OTHER")
    await sale.donate("PLATFORM", None)
    await (await sale.world.admin_key()).delete(f"/admin/users/{sale.organization.user_id}")
    assert [claim.transaction_key for claim in await PaymentClaim.all()] == ["platform"]


@pytest.mark.parametrize("nothing_to_compare", ["-----", "...", "🙂🙂🙂🙂🙂"])
async def test_transaction_id_without_letters_and_digits_is_refused(sale: Sale, nothing_to_compare: str) -> None:
    await refused(sale.pay(nothing_to_compare), "VALIDATION_ERROR")
    await refused(sale.donate(nothing_to_compare, None), "VALIDATION_ERROR")


@pytest.mark.parametrize(("transaction_id", "is_accepted"), [("8N7-A", False), ("8N7-A6", True), ("TXN12", True)])
async def test_donation_needs_five_letters_and_digits(sale: Sale, transaction_id: str, is_accepted: bool) -> None:
    if is_accepted:
        await sale.donate(transaction_id, None)
    else:
        await refused(sale.donate(transaction_id, None), "VALIDATION_ERROR")
