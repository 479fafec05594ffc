"""Deleting an account deletes all that is its own and gives back what it held, whoever is busy with it (8.6)."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import httpx
import pytest
from tortoise.queryset import QuerySet

from amarevents.models import (
    CustomValue,
    EmailConfirmation,
    Event,
    IdempotencyRecord,
    Organization,
    OutgoingMail,
    Ticket,
    TicketType,
    User,
)
from amarevents.models.columns import utc_now
from amarevents.models.enums import KeyType, MailKind, Privacy, TicketStatus
from amarevents.resolvers.accounts import api_keys, auth, deletion, profiles, users
from amarevents.resolvers.core import idempotency
from amarevents.resolvers.events import deletion as event_deletion
from amarevents.resolvers.events import mutations, organizations
from amarevents.resolvers.tickets import donations, registration
from amarevents.security.context import Context
from tests.rest.conftest import Stage
from tests.rest.tickets.test_capacity import outcomes
from tests.support.orphans import unbalanced
from tests.support.pauses import Pause
from tests.support.rest_answers import data_of, error_in, page_in, refused
from tests.support.world import World, hashed, snapshot

Request = Coroutine[Any, Any, httpx.Response]  # Any: what a coroutine is sent

# Every table with rows of accounts; what an account does not own (plans, seedings) stays.
OWN = {
    "api_keys", "custom_fields", "custom_values", "donations", "email_confirmations", "events", "gallery_images",
    "idempotency_records", "organizations", "outgoing_mails", "sessions", "ticket_types", "tickets", "users",
}  # fmt: skip


async def furnished_organizer(world: World, stage: Stage, kind: TicketType) -> User:
    """An account with something of all that it can have; ``kind`` is of another organizer's event."""
    account = await world.organizer()
    await world.key(account, KeyType.ORGANIZER)
    await world.session(account)
    for _ in range(2):
        await furnished_organization(world, stage, account)
    for status in TicketStatus:
        await mailed(await world.ticket(stage.event, account, ticket_type=kind, status=status))
    await world.ticket(stage.event, account, ticket_type=kind, email="guest@example.com")
    digest = f"{account.id:064}"
    await EmailConfirmation.create(user=account, email=account.email, digest=digest, expires_at=utc_now())
    await OutgoingMail.create(kind=MailKind.CONFIRM_EMAIL, user=account, recipient=account.email, **MAIL)
    await IdempotencyRecord.create(user=account, digest=digest, fingerprint="0" * 64)
    return account


MAIL: dict[str, Any] = {"subject": "x", "body": "x", "next_attempt_at": utc_now()}


async def mailed(ticket: Ticket) -> None:
    await OutgoingMail.create(kind=MailKind.TICKET_CONFIRMED, ticket=ticket, recipient=ticket.email, **MAIL)


async def furnished_organization(world: World, stage: Stage, owner: User) -> None:
    organization = await world.organization(owner)
    await world.donation(organization)
    for privacy in Privacy:
        event = await world.event(organization, privacy=privacy)
        question = await world.custom_field(event, "Size")
        await world.gallery_image(event)
        own_kind = await world.ticket_type(event, capacity=10)
        for attendee in (owner, stage.buyer_account):
            ticket = await world.ticket(event, attendee, ticket_type=own_kind)
            await CustomValue.create(ticket=ticket, field=question, value="M")
            await mailed(ticket)


# What goes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["user", "organizer", "admin"])
async def test_all_that_is_an_accounts_goes_and_nothing_else(world: World, stage: Stage, role: str) -> None:
    kind = await world.ticket_type(stage.event, capacity=10)
    await furnished_organizer(world, stage, kind)
    await world.donation()
    before = await snapshot()
    account = await furnished_organizer(world, stage, kind)
    await User.filter(id=account.id).update(type="user" if role == "user" else "organizer", admin=role == "admin")
    furnished = await snapshot()
    assert {table for table, rows in furnished.items() if len(rows) > len(before[table])} == OWN
    assert data_of(await stage.admin.delete(f"/admin/users/{account.id}")) == {"id": account.id, "deleted": True}
    assert await snapshot() == before
    assert await unbalanced() == {}


async def test_places_are_given_back_exactly(world: World, stage: Stage) -> None:
    account = await world.user()
    kinds = [await world.ticket_type(stage.event, capacity=capacity) for capacity in (2, 5, 0)]
    for kind in kinds:
        for status in TicketStatus:
            await world.ticket(stage.event, account, ticket_type=kind, status=status)
    await world.ticket(stage.event, stage.buyer_account, ticket_type=kinds[1])
    await refused(
        stage.buyer.post("/tickets", {"event_id": stage.event.id, "ticket_type_id": kinds[0].id}), 400, "SOLD_OUT"
    )
    data_of(await stage.admin.delete(f"/admin/users/{account.id}"))
    shown = data_of(await stage.buyer.get("/ticket-types", event_id=stage.event.id))
    assert {row["id"]: row["sold"] for row in shown} == {kinds[0].id: 0, kinds[1].id: 1, kinds[2].id: 0}


async def test_a_ticket_in_its_email_that_another_registered_stays(world: World, stage: Stage) -> None:
    account = await world.user()
    kept = await world.ticket(stage.event, stage.buyer_account, email=account.email)
    data_of(await stage.admin.delete(f"/admin/users/{account.id}"))
    assert [ticket.id for ticket in await Ticket.all()] == [kept.id]


async def test_its_keys_and_sessions_are_nobody_at_the_next_request(world: World, stage: Stage) -> None:
    account = await world.organizer()
    keys = [await world.key(account), await world.key(account, KeyType.ORGANIZER)]
    session = await world.session(account)
    data_of(await stage.admin.delete(f"/admin/users/{account.id}"))
    for key in keys:
        error_in(await key.get("/events"), 401, "INVALID_API_KEY")
    error_in(await session.get("/users/me"), 401, "UNAUTHENTICATED")
    data_of(await session.get("/events"))
    await refused(session.put("/users/me", {"country": "BD"}), 401, "UNAUTHENTICATED")


async def test_it_is_nowhere_to_be_found_and_its_name_is_free(world: World, stage: Stage) -> None:
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


# At the same time -----------------------------------------------------------------------------------------------


@pytest.fixture
def slow_deletion(monkeypatch: pytest.MonkeyPatch) -> None:
    async def erase_late(ctx: Context, user_id: int) -> None:
        await asyncio.sleep(0.1)
        await deletion.cascade_delete_account(ctx, user_id)

    monkeypatch.setattr(users, "cascade_delete_account", erase_late)


@pytest.mark.usefixtures("slow_deletion")
async def test_of_five_deletions_at_once_one_deletes(world: World, stage: Stage) -> None:
    account = await furnished_organizer(world, stage, await world.ticket_type(stage.event, capacity=10))
    answers = await asyncio.gather(*(stage.admin.delete(f"/admin/users/{account.id}") for _ in range(5)))
    assert outcomes(answers) == {(200, None): 1, (404, "NOT_FOUND"): 4}
    assert await unbalanced() == {}


@pytest.mark.backend("postgres")
async def test_without_the_lock_two_deletions_would_give_places_back_twice(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, account = await world.ticket_type(stage.event, capacity=10), await world.user()
    for holder in (account, stage.buyer_account):
        await world.ticket(stage.event, holder, ticket_type=kind)
    both = asyncio.Barrier(2)

    async def wait_for_the_other(rows: QuerySet[Any]) -> list[int]:  # Any: rows of several models
        ids = [row.pk for row in await rows]
        await both.wait()
        return ids

    monkeypatch.setattr(QuerySet, "select_for_update", lambda queryset, **_options: queryset)
    monkeypatch.setattr(event_deletion, "lock_in_order", wait_for_the_other)
    await asyncio.gather(*(stage.admin.delete(f"/admin/users/{account.id}") for _ in range(2)))
    assert await unbalanced() == {"ticket_types.sold": [kind.id]}


@pytest.mark.parametrize("position", [1, 10, 25])
async def test_deletion_amid_its_registrations_leaves_nothing_behind(world: World, stage: Stage, position: int) -> None:
    await world.ticket_type(stage.event)
    await world.custom_field(stage.event, "Size")
    body = {"event_id": stage.event.id, "custom_fields": {"Size": "M"}}
    crowd = [stage.buyer.post("/tickets", body) for _ in range(40)]
    crowd.insert(position, stage.admin.delete(f"/admin/users/{stage.buyer_account.id}"))
    happened = outcomes(await asyncio.gather(*crowd))
    assert happened.keys() <= {(200, None), (201, None), (404, "NOT_FOUND"), (401, "INVALID_API_KEY")}
    assert happened[200, None] == 1
    assert await Ticket.all().count() == await CustomValue.all().count() == 0
    assert await unbalanced() == {}


@pytest.mark.parametrize("position", [1, 10, 25])
async def test_deletion_amid_its_new_events_leaves_nothing_behind(world: World, stage: Stage, position: int) -> None:
    caller = await world.organizer_key()
    assert caller.user is not None
    organization = await world.organization(caller.user)
    body = {"name": "x", "organization_id": organization.id, "ticket_types": [{"name": "VIP"}]}
    crowd = [caller.post("/events", body) for _ in range(40)]
    crowd.insert(position, stage.admin.delete(f"/admin/users/{caller.user.id}"))
    happened = outcomes(await asyncio.gather(*crowd))
    assert happened.keys() <= {(200, None), (201, None), (404, "NOT_FOUND"), (401, "INVALID_API_KEY")}
    assert happened[200, None] == 1
    assert [event.id for event in await Event.all()] == [stage.event.id]
    assert await unbalanced() == {}


async def test_deletion_amid_all_that_it_and_others_do_leaves_nothing_behind(world: World, stage: Stage) -> None:
    account = await furnished_organizer(world, stage, await world.ticket_type(stage.event))
    events = Event.filter(organization__user_id=account.id, privacy=Privacy.PUBLIC).select_related("organization")
    event = (await events.order_by("id"))[0]
    requests = [
        *await its_own_requests(world, stage, account, event),
        *await requests_of_others(world, stage, account, event),
    ]
    requests.insert(len(requests) // 2, stage.admin.delete(f"/admin/users/{account.id}"))
    answers = await asyncio.gather(*requests)
    assert [answer.text for answer in answers if answer.status_code >= 500] == []
    assert await User.filter(id=account.id).count() == 0
    assert await unbalanced() == {}


async def its_own_requests(world: World, stage: Stage, account: User, event: Event) -> list[Request]:
    key, session = await world.key(account, KeyType.ORGANIZER), await world.session(account)
    return [
        *(key.post("/tickets", {"event_id": stage.event.id}) for _ in range(4)),
        *(key.post("/events", {"name": "x", "organization_id": event.organization_id}) for _ in range(4)),
        *(session.put("/users/me", {"country": "BD"}) for _ in range(4)),
        *(key.get("/users/me") for _ in range(3)),
    ]


async def requests_of_others(world: World, stage: Stage, account: User, event: Event) -> list[Request]:
    tickets = await Ticket.filter(event_id=event.id)
    path = f"/admin/users/{account.id}"
    return [
        *(stage.buyer.post("/tickets", {"event_id": event.id}) for _ in range(8)),
        *(stage.admin.put(f"/tickets/{ticket.id}", {"status": "Failed"}) for ticket in tickets),
        *(world.anonymous.post("/donations", gift(number, event.organization)) for number in range(6)),
        *(stage.admin.put(path, {"promote_organizer": True}) for _ in range(3)),
        *(stage.admin.put(f"/organizations/{event.organization_id}", {"name": "y"}) for _ in range(4)),
        *(stage.admin.delete(f"/events/{event.id}") for _ in range(2)),
        *(stage.admin.get(path) for _ in range(3)),
    ]


def gift(number: int, organization: Organization) -> dict[str, Any]:
    return {
        "email": "giver@example.com", "number": "01700000000", "amount": 5, "transaction_id": f"CROWD{number}",
        "type": "bkash", "organization_id": organization.id,
    }  # fmt: skip


async def test_who_has_chosen_a_place_before_the_deletion_gets_none(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = await world.ticket_type(stage.event, capacity=1)
    pause = Pause(monkeypatch)
    pause.stop_after(registration, "_choose_ticket_type")
    registering = stage.buyer.post("/tickets", {"event_id": stage.event.id})
    deleting = stage.admin.delete(f"/admin/users/{stage.buyer_account.id}")
    answer, other = await pause.during(registering, deleting)
    data_of(other)
    error_in(answer, 404, "NOT_FOUND")
    await kind.refresh_from_db()
    assert (kind.sold, await Ticket.all().count()) == (0, 0)
    assert await unbalanced() == {}


async def test_who_has_been_let_in_before_the_deletion_publishes_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stage.organizer.user is not None
    pause = Pause(monkeypatch)
    pause.stop_after(mutations, "require_organization_manager")
    publishing_one = stage.organizer.post("/events", {"name": "x", "organization_id": stage.organization.id})
    deleting = stage.admin.delete(f"/admin/users/{stage.organizer.user.id}")
    answer, other = await pause.during(publishing_one, deleting)
    data_of(other)
    error_in(answer, 404, "NOT_FOUND")
    assert await Event.all().count() == await TicketType.all().count() == 0


async def test_a_promotion_that_the_deletion_overtakes_is_not_found(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/admin/users/{stage.buyer_account.id}"
    pause = Pause(monkeypatch)
    pause.stop_before(users, "_columns")
    answer, other = await pause.during(stage.admin.put(path, {"promote_organizer": True}), stage.admin.delete(path))
    data_of(other)
    error_in(answer, 404, "NOT_FOUND")
    assert await Organization.filter(user_id=stage.buyer_account.id).count() == 0


async def test_a_change_of_ones_own_that_the_deletion_overtakes_is_nobodys(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = Pause(monkeypatch)
    pause.stop_after(profiles, "_get_own_user")
    deleting = stage.admin.delete(f"/admin/users/{stage.buyer_account.id}")
    answer, other = await pause.during(stage.buyer.put("/users/me", {"country": "BD"}), deleting)
    data_of(other)
    error_in(answer, 401, "UNAUTHENTICATED")


async def test_a_donation_that_the_deletion_overtakes_has_nobody_to_go_to(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stage.organizer.user is not None
    pause = Pause(monkeypatch)
    pause.stop_after(donations, "_find_organization")
    giving = world.anonymous.post("/donations", gift(1, stage.organization))
    answer, other = await pause.during(giving, stage.admin.delete(f"/admin/users/{stage.organizer.user.id}"))
    data_of(other)
    assert set(error_in(answer, 400, "VALIDATION_ERROR")) == {"organization_id"}
    assert await unbalanced() == {}


async def test_a_login_that_the_deletion_overtakes_is_refused(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await User.filter(id=stage.buyer_account.id).update(password_hash=hashed("secret123"))
    pause = Pause(monkeypatch)
    pause.stop_after(auth, "_verify")
    logging_in = world.anonymous.post("/auth/login", {"email": stage.buyer_account.email, "password": "secret123"})
    answer, other = await pause.during(logging_in, stage.admin.delete(f"/admin/users/{stage.buyer_account.id}"))
    data_of(other)
    error_in(answer, 401, "INVALID_CREDENTIALS")


@pytest.mark.backend("postgres")  # SQLite does one transaction after the other
async def test_a_key_that_the_deletion_overtakes_is_nobodys(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    pause = Pause(monkeypatch)
    pause.stop_before(api_keys, "_lock_for_one_more")
    minting = stage.buyer.post("/keys", {"name": "New", "key_type": "user"})
    answer, other = await pause.during(minting, stage.admin.delete(f"/admin/users/{stage.buyer_account.id}"))
    data_of(other)
    error_in(answer, 401, "UNAUTHENTICATED")


async def test_an_organization_that_the_deletion_overtakes_has_no_owner(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = Pause(monkeypatch)
    pause.stop_before(organizations, "new_organization")
    giving = stage.admin.post("/organizations", {"name": "Club", "user_id": stage.buyer_account.id})
    answer, other = await pause.during(giving, stage.admin.delete(f"/admin/users/{stage.buyer_account.id}"))
    data_of(other)
    assert set(error_in(answer, 400, "VALIDATION_ERROR")) == {"user_id"}


async def test_an_idempotent_request_that_the_deletion_overtakes_is_nobodys(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = Pause(monkeypatch)
    pause.stop_after(idempotency, "_delete_if_expired")
    registering = stage.buyer.post("/tickets", {"event_id": stage.event.id}, idempotency_key="once")
    answer, other = await pause.during(registering, stage.admin.delete(f"/admin/users/{stage.buyer_account.id}"))
    data_of(other)
    error_in(answer, 401, "UNAUTHENTICATED")
