"""The statistics of the platform, compared with numbers counted by hand (decisions 8.4)."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest

from amarevents.models import Ticket, User
from amarevents.models.columns import utc_now
from amarevents.models.enums import DonationStatus, KeyType, Privacy, TicketStatus
from tests.rest.conftest import Stage
from tests.support.rest_answers import data_of, refused
from tests.support.world import World

WEEK = datetime.timedelta(days=7)
EMPTY_PLATFORM = {
    "total_users": 1, "total_organizers": 0, "total_admins": 1, "total_organizations": 0, "total_events": 0,
    "public_events": 0, "total_tickets": 0,
    "tickets_by_status": {"Pending": 0, "Success": 0, "Failed": 0, "Refunded": 0}, "total_revenue": 0,
    "total_donations": 0, "donations_by_status": {"pending": 0, "verified": 0, "rejected": 0},
    "verified_donation_amount": 0, "active_api_keys": 1, "new_users_7d": 1, "new_tickets_7d": 0,
}  # fmt: skip


async def test_only_admins_see_the_statistics(world: World, stage: Stage) -> None:
    assert stage.admin.user is not None
    await refused(world.anonymous.get("/admin/stats"), 401, "UNAUTHENTICATED")
    for caller in (stage.buyer, stage.organizer, await world.session(stage.buyer_account)):
        await refused(caller.get("/admin/stats"), 403, "WRONG_KEY_TYPE")
    without = await world.key(stage.admin.user, KeyType.ADMIN, permissions=["events:read"])
    await refused(without.get("/admin/stats"), 403, "MISSING_SCOPE")


async def test_empty_platform_has_every_number(world: World) -> None:
    admin = await world.admin_key()
    assert data_of(await admin.get("/admin/stats")) == EMPTY_PLATFORM


async def test_statistics_match_numbers_counted_by_hand(world: World, stage: Stage) -> None:
    """Count the rows of ``stage`` (four accounts with keys, an organization, a public event) and those added here."""
    await world.organizer(admin=True)
    await world.event(stage.organization, privacy=Privacy.PRIVATE)
    await world.event(await world.organization(stage.buyer_account))
    for status, tickets in zip(TicketStatus, (2, 3, 1, 1), strict=True):
        for _ in range(tickets):
            await world.ticket(stage.event, stage.buyer_account, status=status, amount="10.10")
    for decision, amounts in zip(DonationStatus, ([5], [70, 800], [9000]), strict=True):
        for amount in amounts:
            await world.donation(amount=amount, status=decision)
    assert data_of(await stage.admin.get("/admin/stats")) == {
        "total_users": 5, "total_organizers": 3, "total_admins": 2, "total_organizations": 2, "total_events": 3,
        "public_events": 2, "total_tickets": 7,
        "tickets_by_status": {"Pending": 2, "Success": 3, "Failed": 1, "Refunded": 1}, "total_revenue": 30.3,
        "total_donations": 4, "donations_by_status": {"pending": 1, "verified": 2, "rejected": 1},
        "verified_donation_amount": 870, "active_api_keys": 4, "new_users_7d": 5, "new_tickets_7d": 7,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("amounts", "total"),
    [
        (["0.10"] * 3, "0.3"), (["0.01", "0.02", "0.04"], "0.07"), (["1.15", "2.67", "1.01"], "4.83"),
        (["999999999999.99", "0.02"], "1000000000000.01"), (["19.99"] * 100, "1999"),
        (["0.29", "0.57", "1.13", "8.41", "4.35"], "14.75"),
    ],
)  # fmt: skip
async def test_revenue_is_exact(world: World, stage: Stage, amounts: list[str], total: str) -> None:
    for amount in amounts:
        await world.ticket(stage.event, stage.buyer_account, amount=amount)
    assert f'"total_revenue":{total},' in (await stage.admin.get("/admin/stats")).text


async def test_sum_of_donations_can_exceed_a_32_bit_integer(world: World, stage: Stage) -> None:
    for _ in range(3):
        await world.donation(amount=2**31 - 1, status=DonationStatus.VERIFIED)
    assert data_of(await stage.admin.get("/admin/stats"))["verified_donation_amount"] == 3 * (2**31 - 1)


@pytest.mark.parametrize(
    ("state", "counted"),
    [
        ({}, True), ({"is_active": False}, False), ({"revoked_at": utc_now(), "is_active": False}, False),
        ({"expires_at": utc_now() - datetime.timedelta(seconds=1)}, False),
        ({"expires_at": utc_now() + datetime.timedelta(days=1)}, True),
    ],
)  # fmt: skip
async def test_active_keys_are_those_that_authenticate(
    world: World, stage: Stage, state: dict[str, Any], counted: bool
) -> None:
    caller = await world.key(stage.buyer_account, **state)
    assert ((await caller.get("/auth/me")).status_code == 200) is counted
    assert data_of(await stage.admin.get("/admin/stats"))["active_api_keys"] == 4 + counted


@pytest.mark.parametrize(
    ("age", "counted"),
    [
        (datetime.timedelta(0), True), (WEEK - datetime.timedelta(microseconds=1), True), (WEEK, True),
        (WEEK + datetime.timedelta(microseconds=1), False), (10 * WEEK, False),
    ],
)  # fmt: skip
async def test_new_rows_are_those_of_the_last_seven_days(
    world: World, stage: Stage, set_clock: Callable[[datetime.datetime], None], age: datetime.timedelta, counted: bool
) -> None:
    now = utc_now()
    set_clock(now)
    ticket = await world.ticket(stage.event, stage.buyer_account)
    await Ticket.filter(id=ticket.id).update(created_at=now - age)
    await User.filter(id=stage.buyer_account.id).update(created_at=now - age)
    shown = data_of(await stage.admin.get("/admin/stats"))
    assert (shown["new_users_7d"], shown["new_tickets_7d"]) == (3 + counted, int(counted))
    assert (shown["total_users"], shown["total_tickets"]) == (4, 1)
