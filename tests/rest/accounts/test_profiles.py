"""The profile of the caller's own account: its fields and its changes (decisions 2.7, 8.1)."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from amarevents.models import User
from amarevents.models.enums import KeyType, Privacy, TicketStatus
from tests.rest.conftest import Stage
from tests.support.graphql_answers import error_code_and_status
from tests.support.rest_answers import (
    ACCOUNT_FIELDS,
    INSTANT,
    OWNED_ORGANIZATION_FIELDS,
    OWNING_ACCOUNT_FIELDS,
    data_of,
    error_in,
    refused,
)
from tests.support.world import World

NO_STATS = {"total_tickets": 0, "approved_tickets": 0, "total_spent": 0}


# Reading --------------------------------------------------------------------------------------------------------


async def test_reading_the_profile_requires_authentication_and_scope(world: World, stage: Stage) -> None:
    error_in(await world.anonymous.get("/users/me"), 401, "UNAUTHENTICATED")
    without = await world.key(stage.buyer_account, permissions=["users:write"])
    error_in(await without.get("/users/me"), 403, "MISSING_SCOPE")


async def test_profile_has_exactly_the_documented_fields(world: World, stage: Stage) -> None:
    await User.filter(id=stage.buyer_account.id).update(pfp="https://example.com/me.png", country="BD")
    for caller in (stage.buyer, await world.session(stage.buyer_account)):
        shown = data_of(await caller.get("/users/me"))
        assert INSTANT.fullmatch(shown.pop("created_at"))
        assert shown == {
            "id": stage.buyer_account.id, "username": "buyer", "email": "buyer@example.com",
            "number": stage.buyer_account.number, "type": "user", "admin": False, "pfp": "https://example.com/me.png",
            "country": "BD", "organization": None, "organizations": [], "stats": NO_STATS,
        }  # fmt: skip


async def test_organization_is_the_oldest_one_that_the_account_owns(world: World, stage: Stage) -> None:
    assert stage.organizer.user is not None
    second = await world.organization(stage.organizer.user, eventcount=3)
    await world.event(second, privacy=Privacy.PRIVATE)
    await world.event(second)
    shown = data_of(await stage.organizer.get("/users/me"))
    assert [one["id"] for one in shown["organizations"]] == [stage.organization.id, second.id]
    assert shown["organization"] == shown["organizations"][0]
    assert all(one.keys() == OWNED_ORGANIZATION_FIELDS for one in shown["organizations"])
    expected = {"user_id": stage.organizer.user.id, "eventcount": 3, "events_used": 2, "public_event_count": 1}
    assert shown["organizations"][1].items() >= {**expected, "plan": "Free"}.items()


async def test_total_spent_is_the_exact_sum_of_approved_tickets(world: World, stage: Stage) -> None:
    ticket_type = await world.ticket_type(stage.event, price="10.10")
    for amount, status in (
        ("0.10", TicketStatus.SUCCESS), ("0.20", TicketStatus.SUCCESS), ("999999999999.99", TicketStatus.SUCCESS),
        ("5.55", TicketStatus.PENDING), ("7.77", TicketStatus.FAILED), ("9.99", TicketStatus.REFUNDED),
    ):  # fmt: skip
        await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type, status=status, amount=amount)
    response = await stage.buyer.get("/users/me")
    assert data_of(response)["stats"] == {"total_tickets": 6, "approved_tickets": 3, "total_spent": 1000000000000.29}
    assert '"total_spent":1000000000000.29' in response.text


async def test_tickets_with_the_accounts_email_count_once(world: World, stage: Stage) -> None:
    other = await world.user()
    await world.ticket(stage.event, other, email=stage.buyer_account.email, amount="3.50")
    await world.ticket(stage.event, stage.buyer_account, email="guest@example.com", amount="1.25")
    await world.ticket(stage.event, stage.buyer_account, amount="0.25")
    await world.ticket(stage.event, other, amount="100")
    shown = data_of(await stage.buyer.get("/users/me"))["stats"]
    assert shown == {"total_tickets": 3, "approved_tickets": 3, "total_spent": 5}


async def test_unconfirmed_email_does_not_count_where_confirmation_is_required(
    world: World, stage: Stage, configure: Callable[..., None]
) -> None:
    configure(confirm_email=True)
    await world.ticket(stage.event, await world.user(), email=stage.buyer_account.email)
    assert data_of(await stage.buyer.get("/users/me"))["stats"]["total_tickets"] == 0
    await User.filter(id=stage.buyer_account.id).update(email_confirmed_at=stage.buyer_account.created_at)
    assert data_of(await stage.buyer.get("/users/me"))["stats"]["total_tickets"] == 1


# Permissions ----------------------------------------------------------------------------------------------------


async def test_organizer_key_changes_the_profile_but_not_the_password(world: World) -> None:
    """Decisions 2.7."""
    caller = await world.key(await world.organizer(), KeyType.ORGANIZER, permissions=["events:read"])
    assert data_of(await caller.put("/users/me", {"country": "BD"}))["country"] == "BD"
    for change in ({"password": "secret456"}, {"password": "secret456", "current_password": "!", "country": "IN"}):
        await refused(caller.put("/users/me", change), 403, "FORBIDDEN")
    answer = await caller.graphql('mutation { updateMe(input: {password: "secret456"}) { id } }')
    assert error_code_and_status(answer) == ("FORBIDDEN", 403)


async def test_changing_the_profile_requires_authentication_and_scope(world: World, stage: Stage) -> None:
    await refused(world.anonymous.put("/users/me", {"country": "BD"}), 401, "UNAUTHENTICATED")
    reader = await world.key(stage.buyer_account, permissions=["users:read"])
    await refused(reader.put("/users/me", {"country": "BD"}), 403, "MISSING_SCOPE")


@pytest.mark.parametrize("role", ["user", "organizer", "admin"])
async def test_session_changes_only_its_own_account(world: World, role: str) -> None:
    account = await {"user": world.user, "organizer": world.organizer, "admin": world.admin}[role]()
    other = await world.user()
    shown = data_of(await (await world.session(account)).put("/users/me", {"country": "BD"}))
    assert (shown["id"], shown["country"]) == (account.id, "BD")
    await other.refresh_from_db()
    assert other.country is None


@pytest.mark.parametrize("key_type", [KeyType.USER, KeyType.ADMIN])
async def test_user_and_admin_keys_change_their_own_account(world: World, key_type: KeyType) -> None:
    caller = await world.key(await world.admin(), key_type)
    assert data_of(await caller.put("/users/me", {"country": "BD"}))["country"] == "BD"


# Changing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({"username": " Rahima "}, {"username": "Rahima"}),
        ({"number": "+880 1700-000000"}, {"number": "+880 1700-000000"}),
        ({"pfp": "https://example.com/a.png"}, {"pfp": "https://example.com/a.png"}),
        ({"pfp": "HTTP://example.com/a"}, {"pfp": "HTTP://example.com/a"}),
        ({"country": " বাংলাদেশ "}, {"country": "বাংলাদেশ"}),
        ({"pfp": None, "country": None}, {"pfp": None, "country": None}),
        ({"country": ""}, {}),
        ({}, {}),
    ],
)
async def test_only_the_sent_fields_change(
    world: World, stage: Stage, sent: dict[str, Any], stored: dict[str, Any]
) -> None:
    await User.filter(id=stage.buyer_account.id).update(pfp="https://example.com/old.png", country="IN")
    before = data_of(await stage.buyer.get("/users/me"))
    shown = data_of(await stage.buyer.put("/users/me", sent))
    assert shown == {**before, **stored}
    assert shown.keys() == OWNING_ACCOUNT_FIELDS | {"stats"} > ACCOUNT_FIELDS
    assert data_of(await stage.buyer.get("/users/me")) == shown


@pytest.mark.parametrize(
    "invalid",
    [
        {"username": "ab"}, {"username": "x" * 51}, {"username": None}, {"username": 5}, {"username": "a\u202eb c"},
        {"username": "\u200d\u200d\u200d"}, {"number": "no"}, {"number": None}, {"pfp": "javascript:alert(1)"},
        {"pfp": "data:image/png;base64,AAAA"}, {"pfp": "//example.com/a.png"}, {"pfp": "example.com"},
        {"pfp": "ftp://example.com/a.png"}, {"pfp": "https://"}, {"country": "x" * 256}, {"country": "a\nb"},
        {"password_hash": "x"}, {"promote_organizer": True},
    ],
    ids=str,
)  # fmt: skip
async def test_invalid_field_is_refused_by_name(stage: Stage, invalid: dict[str, Any]) -> None:
    body = {"country": "BD", **invalid}
    assert set(await refused(stage.buyer.put("/users/me", body), 400, "VALIDATION_ERROR")) == set(invalid)


@pytest.mark.parametrize("taken", ["Boss", "BOSS", "ｂｏｓｓ", "bo\u200dss", "boß"])
async def test_username_that_looks_like_a_taken_one_is_refused(world: World, stage: Stage, taken: str) -> None:
    refusal = await refused(stage.buyer.put("/users/me", {"username": taken, "country": "BD"}), 400, "USERNAME_TAKEN")
    assert set(refusal) == {"username"}


async def test_spelling_of_the_own_username_can_change(stage: Stage) -> None:
    assert data_of(await stage.buyer.put("/users/me", {"username": "BUYER"}))["username"] == "BUYER"
    assert (await User.get(id=stage.buyer_account.id)).username_key == "buyer"


async def test_former_username_is_available_at_once(world: World, stage: Stage) -> None:
    data_of(await stage.buyer.put("/users/me", {"username": "Rahima"}))
    other = await world.session(await world.user())
    assert data_of(await other.put("/users/me", {"username": "Buyer"}))["username"] == "Buyer"
    await refused(other.put("/users/me", {"username": "RAHIMA"}), 400, "USERNAME_TAKEN")


async def test_admins_find_a_changed_account_by_its_new_values(stage: Stage) -> None:
    data_of(await stage.buyer.put("/users/me", {"username": "Shefali", "number": "01999999999"}))
    for word, found in (("SHEFALI", 1), ("1999999", 1), ("buyer@", 1), (stage.buyer_account.number, 0)):
        assert len(data_of(await stage.admin.get("/admin/users", search=word))) == found


async def test_one_of_five_simultaneous_changes_gets_the_username(world: World) -> None:
    callers = [await world.user_key() for _ in range(5)]
    responses = await asyncio.gather(*(caller.put("/users/me", {"username": "Rahima"}) for caller in callers))
    assert Counter(response.json().get("code") for response in responses) == {None: 1, "USERNAME_TAKEN": 4}
    assert await User.filter(username_key="rahima").count() == 1
