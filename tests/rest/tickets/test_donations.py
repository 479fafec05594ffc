"""Donations, created by any caller and decided by the organization's owner or an admin (decisions 7)."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette

from amarevents.models import Donation
from amarevents.models.columns import MAX_ID
from amarevents.models.enums import DonationStatus, KeyType, PaymentMethod
from amarevents.settings import Settings
from tests.rest.conftest import Stage
from tests.support.client_addresses import client_from
from tests.support.rest_answers import DONATION_FIELDS, INSTANT, data_of, error_in, page_in, refused
from tests.support.world import Caller, World, snapshot

GIFT = {
    "email": "giver@example.com", "number": "01700000000", "amount": 500, "transaction_id": "8N7A6B5C", "type": "bkash"
}  # fmt: skip


# Donating -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "caller_name", ["anonymous", "buyer", "organizer", "admin", "session", "a key without permissions"]
)
async def test_any_caller_can_donate(world: World, stage: Stage, caller_name: str) -> None:
    others = {
        "anonymous": world.anonymous,
        "session": await world.session(stage.buyer_account),
        "a key without permissions": await world.key(stage.buyer_account, permissions=[]),
    }
    caller = others.get(caller_name) or getattr(stage, caller_name)
    assert data_of(await caller.post("/donations", GIFT), 201)["status"] == "pending"
    assert await Donation.all().count() == 1


async def test_new_donation_is_returned_with_all_its_fields(world: World, stage: Stage) -> None:
    sent = {**GIFT, "email": " Giver@Example.com ", "organization_id": stage.organization.id, "note": "For\nbooks"}
    created = data_of(await world.anonymous.post("/donations", sent), 201)
    assert created.keys() == DONATION_FIELDS
    assert all(INSTANT.fullmatch(created.pop(name)) for name in ("created_at", "updated_at"))
    assert created.pop("id") > 0
    assert created == {
        **sent, "email": "giver@example.com", "organization_name": stage.organization.name, "status": "pending"
    }  # fmt: skip


async def test_donation_without_an_organization_is_to_the_platform(world: World) -> None:
    created = data_of(await world.anonymous.post("/donations", GIFT), 201)
    assert (created["organization_id"], created["organization_name"], created["note"]) == (None, None, None)


@pytest.mark.parametrize("method", list(PaymentMethod))
@pytest.mark.parametrize("amount", [1, MAX_ID])
async def test_every_method_and_extreme_amount_is_accepted(world: World, method: str, amount: int) -> None:
    created = data_of(await world.anonymous.post("/donations", {**GIFT, "type": method, "amount": amount}), 201)
    assert (created["type"], created["amount"]) == (method, amount)


@pytest.mark.parametrize("name", GIFT)
@pytest.mark.parametrize("value", [None, "", " ", [], {}])
async def test_missing_field_is_refused_by_name(world: World, name: str, value: object) -> None:
    body: dict[str, Any] = {**GIFT, name: value}
    assert set(await refused(world.anonymous.post("/donations", body), 400, "VALIDATION_ERROR")) == {name}
    del body[name]
    assert set(await refused(world.anonymous.post("/donations", body), 400, "VALIDATION_ERROR")) == {name}


@pytest.mark.parametrize(
    "invalid",
    [
        {"amount": 0}, {"amount": -5}, {"amount": 1.5}, {"amount": "5 taka"}, {"amount": True},
        {"amount": MAX_ID + 1}, {"amount": 10**30}, {"transaction_id": "8N7A"}, {"transaction_id": "   8N7A   "},
        {"transaction_id": "8N7 A"}, {"transaction_id": "x" * 256}, {"transaction_id": "8N7A6\x00B"},
        {"transaction_id": "ﷺ" * 100}, {"transaction_id": 12345678}, {"type": "cash"},
        {"email": "giver"}, {"email": "a@b"}, {"number": "0"}, {"number": "call me"}, {"note": "x" * 20_001},
        {"note": "a\x00b"}, {"organization_id": 0}, {"organization_id": "x"}, {"organization_id": 999_999},
        {"organization_id": MAX_ID + 1}, {"status": "verified"}, {"id": 7},
    ],
    ids=str,
)  # fmt: skip
async def test_invalid_field_is_refused_by_name(world: World, invalid: dict[str, Any]) -> None:
    named = await refused(world.anonymous.post("/donations", {**GIFT, **invalid}), 400, "VALIDATION_ERROR")
    assert set(named) == set(invalid)


# Transaction IDs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", ["8n7a6b5c", "  8N7A-6B5C ", "TrxID 8N7A6B5C"])
async def test_transaction_id_is_shown_as_it_was_typed(world: World, sent: str) -> None:
    created = data_of(await world.anonymous.post("/donations", {**GIFT, "transaction_id": sent}), 201)
    assert created["transaction_id"] == sent.strip()


@pytest.mark.parametrize("status", [DonationStatus.PENDING, DonationStatus.VERIFIED])
@pytest.mark.parametrize("again", ["8N7A6B5C", "8n7a6b5c"])
async def test_transaction_id_in_use_is_refused(world: World, stage: Stage, status: DonationStatus, again: str) -> None:
    await world.donation(stage.organization, transaction_id="8N7A6B5C", status=status)
    body = {**GIFT, "transaction_id": again, "organization_id": stage.organization.id}
    named = await refused(world.anonymous.post("/donations", body), 400, "DUPLICATE_TRANSACTION")
    assert set(named) == {"transaction_id"}


async def test_transaction_pays_once_whatever_the_payment_method(world: World) -> None:
    data_of(await world.anonymous.post("/donations", GIFT), 201)
    for method in PaymentMethod:
        await refused(world.anonymous.post("/donations", {**GIFT, "type": method}), 400, "DUPLICATE_TRANSACTION")


async def test_transaction_id_of_a_rejected_donation_can_be_reused(world: World, stage: Stage) -> None:
    first = data_of(await world.anonymous.post("/donations", GIFT), 201)["id"]
    data_of(await stage.admin.put(f"/donations/{first}", {"status": "rejected"}))
    second = data_of(await world.anonymous.post("/donations", GIFT), 201)["id"]
    for path in (f"/donations/{first}", f"/admin/donations/{first}"):
        for status in ("pending", "verified", "approved"):
            again = stage.admin.put(path, {"status": status})
            assert set(await refused(again, 400, "DUPLICATE_TRANSACTION")) == {"transaction_id"}
    data_of(await stage.admin.put(f"/donations/{second}", {"status": "rejected"}))
    assert data_of(await stage.admin.put(f"/donations/{first}", {"status": "pending"}))["status"] == "pending"


# Idempotency and limits -----------------------------------------------------------------------------------------


async def test_repeated_request_from_the_same_address_gets_the_same_response(app: Starlette, world: World) -> None:
    created = data_of(await world.anonymous.post("/donations", GIFT, Idempotency_Key="once"), 201)
    assert data_of(await world.anonymous.post("/donations", GIFT, Idempotency_Key="once"), 201) == created
    other = {**GIFT, "transaction_id": "OTHER1"}
    await refused(world.anonymous.post("/donations", other, Idempotency_Key="once"), 400, "IDEMPOTENCY_MISMATCH")
    async with client_from(app, "203.0.113.9") as elsewhere:
        other_address = Caller(elsewhere)
        await refused(other_address.post("/donations", GIFT, Idempotency_Key="once"), 400, "DUPLICATE_TRANSACTION")
        data_of(await other_address.post("/donations", other, Idempotency_Key="once"), 201)
    assert await Donation.all().count() == 2


async def test_ten_simultaneous_repetitions_make_one_donation(world: World) -> None:
    responses = await asyncio.gather(
        *(world.anonymous.post("/donations", GIFT, Idempotency_Key="once") for _ in range(10))
    )
    assert len({data_of(response, 201)["id"] for response in responses}) == 1
    assert await Donation.all().count() == 1


async def test_anonymous_donations_are_limited_per_address(
    app: Starlette, world: World, configure: Callable[..., None]
) -> None:
    configure(rate_limit_donations=3)
    for number in range(3):
        data_of(await world.anonymous.post("/donations", {**GIFT, "transaction_id": f"GIFT{number}"}), 201)
    before = await snapshot()
    response = await world.anonymous.post("/donations", GIFT)
    assert error_in(response, 429, "RATE_LIMITED") == {}
    assert 1 <= int(response.headers["Retry-After"]) <= 61
    assert await snapshot() == before
    assert (await world.anonymous.get("/events")).status_code == 200
    async with client_from(app, "203.0.113.9") as elsewhere:
        data_of(await Caller(elsewhere).post("/donations", GIFT), 201)


async def test_donations_with_a_key_or_a_session_count_for_it_alone(
    world: World, stage: Stage, configure: Callable[..., None]
) -> None:
    configure(rate_limit_donations=1)
    callers = [stage.buyer, await world.session(stage.buyer_account), stage.admin, world.anonymous]
    for number, caller in enumerate(callers):
        data_of(await caller.post("/donations", {**GIFT, "transaction_id": f"GIFT{number}"}), 201)
    error_in(await world.anonymous.post("/donations", GIFT), 429, "RATE_LIMITED")


async def test_sixty_anonymous_donations_per_minute_are_allowed_by_default(
    world: World, configure: Callable[..., None]
) -> None:
    configure(rate_limit_donations=Settings().rate_limit_donations)
    responses = [await world.anonymous.post("/donations", {}) for _ in range(61)]
    assert [response.status_code for response in responses] == [400] * 60 + [429]


# Lists and decisions --------------------------------------------------------------------------------------------


async def test_only_organizers_and_admins_list_donations(world: World, stage: Stage) -> None:
    assert stage.organizer.user is not None
    await refused(world.anonymous.get("/donations"), 401, "UNAUTHENTICATED")
    await refused(stage.buyer.get("/donations"), 403, "WRONG_KEY_TYPE")
    await refused((await world.session(stage.buyer_account)).get("/donations"), 403, "WRONG_KEY_TYPE")
    without = await world.key(stage.organizer.user, KeyType.ORGANIZER, permissions=["donations:write"])
    await refused(without.get("/donations"), 403, "MISSING_SCOPE")
    for caller in (world.anonymous, stage.buyer, stage.organizer):
        assert (await caller.get("/admin/donations")).status_code in {401, 403}


async def test_organizers_list_donations_to_their_organizations_and_admins_all(world: World, stage: Stage) -> None:
    assert stage.organizer.user is not None
    second = await world.organization(stage.organizer.user)
    other = await world.organization(await world.organizer())
    ids = [(await world.donation(to)).id for to in (stage.organization, second, other, None)]
    session = await world.session(stage.organizer.user)
    for caller in (stage.organizer, session):
        assert page_in(await caller.get("/donations")) == (
            [ids[1], ids[0]], {"total": 2, "page": 1, "limit": 20, "pages": 1}
        )  # fmt: skip
    assert page_in(await stage.rival.get("/donations"))[1]["total"] == 0
    for path in ("/donations", "/admin/donations"):
        assert page_in(await stage.admin.get(path))[0] == ids[::-1]


async def test_organizer_key_of_an_admin_lists_only_own_donations(world: World, stage: Stage) -> None:
    assert stage.admin.user is not None
    await world.donation(stage.organization)
    mine = await world.donation(await world.organization(stage.admin.user))
    key = await world.key(stage.admin.user, KeyType.ORGANIZER)
    assert page_in(await key.get("/donations"))[0] == [mine.id]


@pytest.mark.parametrize("path", ["/donations", "/admin/donations"])
async def test_lists_are_filtered_by_status_with_approved_meaning_verified(
    world: World, stage: Stage, path: str
) -> None:
    ids = {status: (await world.donation(stage.organization, status=status)).id for status in DonationStatus}
    for word, status in [*((status, status) for status in DonationStatus), ("approved", DonationStatus.VERIFIED)]:
        response = await stage.admin.get(path, status=word)
        assert page_in(response) == ([ids[status]], {"total": 1, "page": 1, "limit": 20, "pages": 1})
        assert data_of(response)[0].keys() == DONATION_FIELDS
        assert data_of(response)[0]["status"] == status
    for invalid in ("accepted", "done"):
        assert set(error_in(await stage.admin.get(path, status=invalid), 400, "VALIDATION_ERROR")) == {"status"}


@pytest.mark.parametrize("word", ["pending", "verified", "approved", "rejected"])
@pytest.mark.parametrize("caller_name", ["organizer", "admin", "admin route"])
async def test_decision_is_stored_and_returned(world: World, stage: Stage, word: str, caller_name: str) -> None:
    donation = await world.donation(stage.organization, status=DonationStatus.REJECTED)
    caller = stage.organizer if caller_name == "organizer" else stage.admin
    path = f"/admin/donations/{donation.id}" if caller_name == "admin route" else f"/donations/{donation.id}"
    shown = data_of(await caller.put(path, {"status": word}))
    status = "verified" if word == "approved" else word
    assert (shown["status"], (await Donation.get(id=donation.id)).status) == (status, status)
    assert shown.keys() == DONATION_FIELDS
    assert shown["organization_name"] == stage.organization.name
    assert shown in data_of(await stage.organizer.get("/donations"))


@pytest.mark.parametrize("body", [{}, {"status": None}, {"status": "accepted"}, {"status": "pending", "total": 5}])
async def test_invalid_decision_is_refused(world: World, stage: Stage, body: dict[str, Any]) -> None:
    donation = await world.donation(stage.organization)
    for path in (f"/donations/{donation.id}", f"/admin/donations/{donation.id}"):
        await refused(stage.admin.put(path, body), 400, "VALIDATION_ERROR")


async def test_other_callers_cannot_decide(world: World, stage: Stage) -> None:
    assert stage.organizer.user is not None
    path = f"/donations/{(await world.donation(stage.organization)).id}"
    verified = {"status": "verified"}
    await refused(world.anonymous.put(path, verified), 401, "UNAUTHENTICATED")
    await refused(stage.buyer.put(path, verified), 403, "WRONG_KEY_TYPE")
    reader = await world.key(stage.organizer.user, KeyType.ORGANIZER, permissions=["donations:read"])
    await refused(reader.put(path, verified), 403, "MISSING_SCOPE")
    await refused(stage.rival.put(path, verified), 404, "NOT_FOUND")
    for caller in (world.anonymous, stage.buyer, stage.organizer):
        assert (await caller.put(f"/admin{path}", verified)).status_code in {401, 403}
    assert (await Donation.get()).status == DonationStatus.PENDING


async def test_only_admins_decide_donations_to_the_platform(world: World, stage: Stage) -> None:
    donation = await world.donation()
    hidden = await stage.organizer.put(f"/donations/{donation.id}", {"status": "verified"})
    missing = await stage.organizer.put("/donations/999999", {"status": "verified"})
    assert error_in(hidden, 404, "NOT_FOUND") == {}
    assert hidden.json() == missing.json()
    assert data_of(await stage.admin.put(f"/donations/{donation.id}", {"status": "verified"}))["status"] == "verified"


async def test_unknown_donation_is_not_found(stage: Stage) -> None:
    for path in ("/donations/999999", "/admin/donations/999999"):
        await refused(stage.admin.put(path, {"status": "verified"}), 404, "NOT_FOUND")
