"""The deletion of accounts by admins, with all rows that belong to them (decisions 8.6)."""

import pytest

from amarevents.models import Ticket, User
from amarevents.models.enums import KeyType, TicketStatus
from tests.rest.accounts.populated_accounts import populated_organizer
from tests.rest.conftest import Stage
from tests.support.consistency import find_inconsistencies
from tests.support.rest_answers import data_of, error_in, page_in, refused
from tests.support.world import World, snapshot

# Every table with rows that belong to accounts.
OWN_TABLES = {
    "api_keys", "custom_fields", "custom_values", "donations", "email_confirmations", "events", "gallery_images",
    "idempotency_records", "organizations", "outgoing_mails", "password_resets", "payment_claims", "sessions",
    "ticket_types", "tickets", "users",
}  # fmt: skip


@pytest.mark.parametrize("role", ["user", "organizer", "admin"])
async def test_account_is_deleted_with_its_rows_and_nothing_else(world: World, stage: Stage, role: str) -> None:
    ticket_type = await world.ticket_type(stage.event, capacity=10)
    await populated_organizer(world, stage, ticket_type)
    await world.donation()
    before = await snapshot()
    account = await populated_organizer(world, stage, ticket_type)
    await User.filter(id=account.id).update(type="user" if role == "user" else "organizer", admin=role == "admin")
    populated = await snapshot()
    assert {table for table, rows in populated.items() if len(rows) > len(before[table])} == OWN_TABLES
    assert data_of(await stage.admin.delete(f"/admin/users/{account.id}")) == {"id": account.id, "deleted": True}
    assert await snapshot() == before
    assert await find_inconsistencies() == {}


async def test_deletion_releases_the_places_of_the_account(world: World, stage: Stage) -> None:
    account = await world.user()
    ticket_types = [await world.ticket_type(stage.event, capacity=capacity) for capacity in (2, 5, 0)]
    for ticket_type in ticket_types:
        for status in TicketStatus:
            await world.ticket(stage.event, account, ticket_type=ticket_type, status=status)
    await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_types[1])
    await refused(
        stage.buyer.post("/tickets", {"event_id": stage.event.id, "ticket_type_id": ticket_types[0].id}),
        400,
        "SOLD_OUT",
    )
    data_of(await stage.admin.delete(f"/admin/users/{account.id}"))
    shown = data_of(await stage.buyer.get("/ticket-types", event_id=stage.event.id))
    assert {row["id"]: row["sold"] for row in shown} == {
        ticket_types[0].id: 0,
        ticket_types[1].id: 1,
        ticket_types[2].id: 0,
    }


async def test_ticket_with_the_accounts_email_registered_by_another_account_remains(world: World, stage: Stage) -> None:
    account = await world.user()
    kept = await world.ticket(stage.event, stage.buyer_account, email=account.email)
    data_of(await stage.admin.delete(f"/admin/users/{account.id}"))
    assert [ticket.id for ticket in await Ticket.all()] == [kept.id]


async def test_keys_and_sessions_of_a_deleted_account_are_refused(world: World, stage: Stage) -> None:
    account = await world.organizer()
    keys = [await world.key(account), await world.key(account, KeyType.ORGANIZER)]
    session = await world.session(account)
    data_of(await stage.admin.delete(f"/admin/users/{account.id}"))
    for key in keys:
        error_in(await key.get("/events"), 401, "INVALID_API_KEY")
    error_in(await session.get("/users/me"), 401, "UNAUTHENTICATED")
    data_of(await session.get("/events"))
    await refused(session.put("/users/me", {"country": "BD"}), 401, "UNAUTHENTICATED")


async def test_deleted_account_is_not_found_and_its_username_is_available(world: World, stage: Stage) -> None:
    assert stage.organizer.user is not None
    path = f"/admin/users/{stage.organizer.user.id}"
    data_of(await stage.admin.delete(path))
    error_in(await stage.admin.get(path), 404, "NOT_FOUND")
    await refused(stage.admin.delete(path), 404, "NOT_FOUND")
    await refused(stage.admin.put(path, {"admin": True}), 404, "NOT_FOUND")
    assert page_in(await stage.admin.get("/admin/users", search="owner"))[1]["total"] == 0
    for missing in (f"/events/{stage.event.id}", f"/organizations/{stage.organization.id}"):
        error_in(await world.anonymous.get(missing), 404, "NOT_FOUND")
    body = {"username": "Owner", "email": "owner@example.com", "password": "secret123", "number": "01700000000"}
    data_of(await world.anonymous.post("/auth/register", body), 201)
