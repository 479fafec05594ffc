"""Requests that the deletion of an account overtakes: each has read rows that are gone when it writes (8.6)."""

import asyncio

import pytest

from amarevents.models import Event, Organization, Ticket, TicketType, User
from amarevents.resolvers.accounts import api_keys, auth, profiles, users
from amarevents.resolvers.core import operation
from amarevents.resolvers.events import mutations
from amarevents.resolvers.tickets import donations, registration
from tests.rest.conftest import Stage
from tests.support.consistency import find_inconsistencies
from tests.support.pauses import Pause
from tests.support.rest_answers import data_of, error_in
from tests.support.world import World, hash_password

DONATION = {
    "email": "giver@example.com", "number": "01700000000", "amount": 5, "transaction_id": "CROWD1", "type": "bkash"
}  # fmt: skip


async def test_registration_overtaken_by_the_deletion_is_not_found(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket_type = await world.ticket_type(stage.event, capacity=1)
    pause = Pause(monkeypatch)
    pause.stop_after(registration, "load_offer")
    registering = stage.buyer.post("/tickets", {"event_id": stage.event.id})
    deleting = stage.admin.delete(f"/admin/users/{stage.buyer_account.id}")
    response, other = await pause.during(registering, deleting)
    data_of(other)
    error_in(response, 404, "NOT_FOUND")
    await ticket_type.refresh_from_db()
    assert (ticket_type.sold, await Ticket.all().count()) == (0, 0)
    assert await find_inconsistencies() == {}


async def test_new_event_overtaken_by_the_deletion_is_not_found(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stage.organizer.user is not None
    pause = Pause(monkeypatch)
    pause.stop_after(mutations, "require_organization_manager")
    publishing = stage.organizer.post("/events", {"name": "x", "organization_id": stage.organization.id})
    deleting = stage.admin.delete(f"/admin/users/{stage.organizer.user.id}")
    response, other = await pause.during(publishing, deleting)
    data_of(other)
    error_in(response, 404, "NOT_FOUND")
    assert await Event.all().count() == await TicketType.all().count() == 0


async def test_promotion_overtaken_by_the_deletion_is_not_found(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"/admin/users/{stage.buyer_account.id}"
    pause = Pause(monkeypatch)
    pause.stop_before(users, "_columns")
    response, other = await pause.during(stage.admin.put(path, {"promote_organizer": True}), stage.admin.delete(path))
    data_of(other)
    error_in(response, 404, "NOT_FOUND")
    assert await Organization.filter(user_id=stage.buyer_account.id).count() == 0


async def test_profile_update_overtaken_by_the_deletion_is_unauthenticated(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = Pause(monkeypatch)
    pause.stop_after(profiles, "_get_own_user")
    deleting = stage.admin.delete(f"/admin/users/{stage.buyer_account.id}")
    response, other = await pause.during(stage.buyer.put("/users/me", {"country": "BD"}), deleting)
    data_of(other)
    error_in(response, 401, "UNAUTHENTICATED")


async def test_donation_overtaken_by_the_deletion_is_refused(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stage.organizer.user is not None
    pause = Pause(monkeypatch)
    pause.stop_before(donations, "_create")
    creating = world.anonymous.post("/donations", DONATION | {"organization_id": stage.organization.id})
    response, other = await pause.during(creating, stage.admin.delete(f"/admin/users/{stage.organizer.user.id}"))
    data_of(other)
    assert set(error_in(response, 400, "VALIDATION_ERROR")) == {"organization_id"}
    assert await find_inconsistencies() == {}


async def test_login_overtaken_by_the_deletion_is_refused(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await User.filter(id=stage.buyer_account.id).update(password_hash=hash_password("secret123"))
    pause = Pause(monkeypatch)
    pause.stop_after(auth, "_verify")
    logging_in = world.anonymous.post("/auth/login", {"email": stage.buyer_account.email, "password": "secret123"})
    response, other = await pause.during(logging_in, stage.admin.delete(f"/admin/users/{stage.buyer_account.id}"))
    data_of(other)
    error_in(response, 401, "INVALID_CREDENTIALS")


@pytest.mark.backend("postgres")  # SQLite executes one transaction at a time
async def test_new_api_key_overtaken_by_the_deletion_is_unauthenticated(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = Pause(monkeypatch)
    pause.stop_before(api_keys, "_lock_for_one_more")
    creating = stage.buyer.post("/keys", {"name": "New", "key_type": "user"})
    response, other = await pause.during(creating, stage.admin.delete(f"/admin/users/{stage.buyer_account.id}"))
    data_of(other)
    error_in(response, 401, "UNAUTHENTICATED")


@pytest.mark.parametrize("deletion_first", [False, True])
async def test_no_organization_outlives_its_owner(stage: Stage, deletion_first: bool) -> None:
    """The creation locks the account: the deletion comes first, or waits and deletes the organization as well."""
    owner = stage.buyer_account.id
    creating = stage.admin.post("/organizations", {"name": "Club", "user_id": owner})
    deleting = stage.admin.delete(f"/admin/users/{owner}")
    if deletion_first:
        deleted, created = await asyncio.gather(deleting, creating)
    else:
        created, deleted = await asyncio.gather(creating, deleting)
    data_of(deleted)
    if created.status_code != 201:
        assert set(error_in(created, 400, "VALIDATION_ERROR")) == {"user_id"}
    assert not await Organization.filter(user_id=owner).exists()
    assert await find_inconsistencies() == {}


async def test_idempotent_request_overtaken_by_the_deletion_is_unauthenticated(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = Pause(monkeypatch)
    pause.stop_before(operation, "run_once")
    registering = stage.buyer.post("/tickets", {"event_id": stage.event.id}, idempotency_key="once")
    response, other = await pause.during(registering, stage.admin.delete(f"/admin/users/{stage.buyer_account.id}"))
    data_of(other)
    error_in(response, 401, "UNAUTHENTICATED")
