"""The migrated schema: equal to the models on both databases, with its checks and unique indexes."""

import dataclasses
from typing import Any

import pytest
from tortoise.context import require_context
from tortoise.exceptions import IntegrityError
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.migrations.operations import AlterModelOptions

from amarevents.models import CheckIn, Donation, Organization, PaymentClaim, Plan, Ticket, TicketType
from amarevents.models.db.connection import tortoise_config, violates
from amarevents.models.db.migrate import migrate
from amarevents.models.enums import PaymentMethod, TicketStatus
from amarevents.settings import Settings
from tests.models.conftest import connected
from tests.support.introspection import Table, describe_models, read_schema
from tests.support.rows import add_organization, add_ticket_type
from tests.support.selection import Backend

pytestmark = pytest.mark.anyio

PARTIAL_INDEXES = [
    ("tickets", (("status", "hold_expires_at"), False, True)),
    ("tickets", (("event_id", "status", "hold_expires_at"), False, True)),
    ("check_ins", (("ticket_id",), True, True)),
]
CHECKS = {
    "ticket_types": {"ck_ticket_types_sold"},
    "organizations": {"ck_organizations_events_used"},
}


def expected_schema(backend: Backend) -> dict[str, Table]:
    schema = describe_models()
    for name, index in PARTIAL_INDEXES:
        schema[name] = dataclasses.replace(schema[name], indexes=schema[name].indexes | {index})
    for name, checks in CHECKS.items():
        triggers = {f"{check}_{event}" for check in checks for event in ("insert", "update")}
        guards = frozenset(checks if backend == "postgres" else triggers)
        schema[name] = dataclasses.replace(schema[name], guards=guards)
    return schema


async def test_migrated_schema_is_that_of_the_models(empty: Settings, backend: Backend) -> None:
    await migrate(empty)
    async with connected(empty) as client:
        found = await read_schema(client)
        expected = expected_schema(backend)
        assert sorted(found) == sorted(expected)
        for name, table in expected.items():
            assert (name, found[name]) == (name, table)


async def test_every_change_of_a_model_has_a_migration(empty: Settings) -> None:
    apps_config = tortoise_config(empty)["apps"]
    async with connected(empty):
        apps = require_context().apps
        assert apps is not None
        writers = await MigrationAutodetector(apps, apps_config).changes()
    operations = [operation for writer in writers for operation in writer.operations]
    # A changed docstring of a model counts as a changed option, but does not affect the database.
    assert [operation for operation in operations if not isinstance(operation, AlterModelOptions)] == []


async def test_free_plan_exists(migrated: Settings) -> None:
    """It is part of the initial data (decisions 5.2)."""
    async with connected(migrated):
        (plan,) = await Plan.all().values("name", "price", "currency", "event_limit", "features")
    assert plan == {"name": "Free", "price": 0, "currency": "BDT", "event_limit": None, "features": {}}


@pytest.mark.parametrize(
    ("capacity", "sold"), [(2, 3), (2, -1), (-1, 0)], ids=["sold over capacity", "negative sold", "negative capacity"]
)
async def test_sold_cannot_exceed_capacity(migrated: Settings, capacity: int, sold: int) -> None:
    """No overselling (decisions 6.2)."""
    async with connected(migrated):
        ticket_type = await add_ticket_type(capacity=2, sold=2)
        with pytest.raises(IntegrityError) as updated:
            await TicketType.filter(id=ticket_type.id).update(capacity=capacity, sold=sold)
        with pytest.raises(IntegrityError) as inserted:
            await TicketType.create(event_id=ticket_type.event_id, name="Seat", capacity=capacity, sold=sold)
        assert await TicketType.all().values_list("capacity", "sold") == [(2, 2)]
        await TicketType.filter(id=ticket_type.id).update(capacity=0, sold=1000)
    assert violates(updated.value, "ck_ticket_types_sold")
    assert violates(inserted.value, "ck_ticket_types_sold")
    assert not violates(updated.value, "ck_organizations_events_used")


async def test_events_used_cannot_be_negative(migrated: Settings) -> None:
    async with connected(migrated):
        organization = await add_organization()
        with pytest.raises(IntegrityError) as caught:
            await Organization.filter(id=organization.id).update(events_used=-1)
    assert violates(caught.value, "ck_organizations_events_used")


async def test_a_transaction_pays_once_within_a_scope(migrated: Settings) -> None:
    """A transaction ID pays once, for a ticket or a donation of an organization (decisions 6.6)."""
    async with connected(migrated):
        ticket_type = await add_ticket_type()
        ticket = await add_ticket(ticket_type, "a", TicketStatus.PENDING, "8N7A")
        donation = await donate()
        await PaymentClaim.create(scope=1, transaction_key="8n7a", ticket=ticket)
        await PaymentClaim.create(scope=2, transaction_key="8n7a", donation=donation)
        with pytest.raises(IntegrityError) as caught:
            await PaymentClaim.create(scope=1, transaction_key="8n7a", donation=donation)
    assert violates(caught.value, "transaction_key")


async def test_claims_are_deleted_with_their_ticket_or_donation(migrated: Settings) -> None:
    async with connected(migrated):
        ticket = await add_ticket(await add_ticket_type(), "a", TicketStatus.PENDING, "8N7A")
        await PaymentClaim.create(scope=1, transaction_key="8n7a", ticket=ticket)
        await PaymentClaim.create(scope=1, transaction_key="other", donation=await donate())
        await Ticket.all().delete()
        assert [claim.transaction_key for claim in await PaymentClaim.all()] == ["other"]
        await Donation.all().delete()
        assert not await PaymentClaim.exists()


async def add_ticket(ticket_type: TicketType, code: str, status: TicketStatus, transaction_id: str | None) -> Ticket:
    organization = await Organization.get()
    return await Ticket.create(
        code=code,
        event_id=ticket_type.event_id,
        user_id=organization.user_id,
        name="A Guest",
        email="guest@example.org",
        status=status,
        transaction_id=transaction_id,
    )


async def check_in(ticket: Ticket, **fields: Any) -> CheckIn:  # Any: the values of any columns
    values = {"event_id": ticket.event_id, "checked_in_at": ticket.created_at, **fields}
    return await CheckIn.create(ticket_id=ticket.id, **values)


async def test_a_ticket_has_at_most_one_active_check_in(migrated: Settings) -> None:
    async with connected(migrated):
        ticket_type = await add_ticket_type()
        first, second = [await add_ticket(ticket_type, code, TicketStatus.SUCCESS, None) for code in "ab"]
        await check_in(first, undone_at=first.created_at)
        await check_in(first, undone_at=first.created_at)
        await check_in(first)
        await check_in(second)
        with pytest.raises(IntegrityError) as inserted:
            await check_in(first)
        with pytest.raises(IntegrityError) as updated:
            await CheckIn.filter(ticket_id=first.id).update(undone_at=None)
    assert violates(inserted.value, "ticket_id")
    assert violates(updated.value, "ticket_id")


async def test_a_scan_id_is_unique_in_its_event(migrated: Settings) -> None:
    async with connected(migrated):
        ticket_type = await add_ticket_type()
        first, second = [await add_ticket(ticket_type, code, TicketStatus.SUCCESS, None) for code in "ab"]
        await check_in(first, scan_id="7", undone_at=first.created_at)
        await check_in(first, scan_id="7", event_id=first.event_id + 1)
        with pytest.raises(IntegrityError) as caught:
            await check_in(second, scan_id="7")
    assert violates(caught.value, "scan_id")


async def donate() -> Donation:
    return await Donation.create(
        email="donor@example.org", number="-", amount=100, transaction_id="8N7A", type=PaymentMethod.BKASH
    )


@pytest.mark.backend("postgres")
async def test_search_has_an_index_if_pg_trgm_is_available(migrated: Settings) -> None:
    async with connected(migrated) as client:
        available = await client.execute_query_dict("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'")
        indexes = await client.execute_query_dict(
            "SELECT indexname FROM pg_indexes WHERE indexdef LIKE '%gin_trgm_ops%'"
        )
    searched = ("events", "organizations", "users")
    expected = {f"ix_{table}_search_text" for table in searched} if available else set()
    assert {row["indexname"] for row in indexes} == expected
