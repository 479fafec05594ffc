"""Idempotent requests: repetitions with the same key and body run once (decisions 6.11)."""

import asyncio
import datetime
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest

from amarevents.models import IdempotencyRecord, Organization, Ticket
from amarevents.models.enums import FieldType
from amarevents.resolvers.core.idempotency import purge_expired_records
from tests.rest.conftest import Stage
from tests.support.rest_answers import data_of, error_in, refused
from tests.support.world import Caller, World, snapshot

Body = dict[str, Any]  # Any: JSON

CREATING = ["/auth/register", "/events", "/organizations", "/tickets", "/ticket-types", "/keys"]
DAY = datetime.timedelta(hours=24)


def request_for(world: World, stage: Stage, path: str) -> tuple[Caller, Body]:
    """Return a caller that is permitted to call the route, and a body."""
    calls: dict[str, tuple[Caller, Body]] = {
        "/auth/register": (
            world.anonymous,
            {"username": "rahima", "email": "r@example.com", "password": "secret123", "number": "01700000000"},
        ),
        "/events": (
            stage.organizer,
            {"name": "Boi Mela", "organization_id": stage.organization.id, "date": "2030-02-21",
             "ticket_types": [{"name": "Day", "price": 19.99, "capacity": 3}]},
        ),
        "/organizations": (stage.admin, {"name": "Udichi", "user_id": stage.buyer_account.id}),
        "/tickets": (
            stage.buyer,
            {"event_id": stage.event.id, "amount": 12.5, "transaction_id": "8N7A6B", "custom_fields": {"Age": 5}},
        ),
        "/ticket-types": (stage.organizer, {"event_id": stage.event.id, "name": "VIP", "price": 1200.5}),
        "/keys": (stage.buyer, {"name": "My App", "key_type": "user", "expires_at": "2099-01-01"}),
    }  # fmt: skip
    return calls[path]


@pytest.fixture(autouse=True)
async def question(world: World, stage: Stage) -> None:
    await world.custom_field(stage.event, "Age", type=FieldType.NUMBER)


@pytest.mark.parametrize("path", CREATING)
async def test_repetition_returns_the_first_response_and_changes_nothing(world: World, stage: Stage, path: str) -> None:
    caller, body = request_for(world, stage, path)
    first = await caller.post(path, body, Idempotency_Key="k-1")
    data_of(first, 201)
    before = await snapshot()
    again = await caller.post(path, body, Idempotency_Key="k-1")
    assert again.status_code == 201
    assert [answer.headers.get("Idempotency-Replayed") for answer in (first, again)] == [None, "true"]
    if path == "/keys":
        assert data_of(again, 201) == {**data_of(first, 201), "key": None}
    else:
        assert again.content == first.content
    assert await snapshot() == before


@pytest.mark.parametrize("path", CREATING)
async def test_different_body_with_the_same_key_is_refused(world: World, stage: Stage, path: str) -> None:
    caller, body = request_for(world, stage, path)
    data_of(await caller.post(path, body, Idempotency_Key="k-1"), 201)
    field = {"/auth/register": "number", "/tickets": "note"}.get(path, "name")
    other = {**body, field: "01799999999"}
    await refused(caller.post(path, other, Idempotency_Key="k-1"), 400, "IDEMPOTENCY_MISMATCH")


async def test_key_of_another_route_is_refused(stage: Stage) -> None:
    body = {"name": "VIP", "event_id": stage.event.id}
    data_of(await stage.organizer.post("/ticket-types", body, Idempotency_Key="k-1"), 201)
    other = {"name": "VIP", "organization_id": stage.organization.id}
    await refused(stage.organizer.post("/events", other, Idempotency_Key="k-1"), 400, "IDEMPOTENCY_MISMATCH")


OPTIONAL: dict[str, Body] = {
    "/events": {"location": None, "ticket_types": None, "privacy": None, "wallets": None},
    "/organizations": {"description": None, "eventcount": None},
    "/tickets": {"name": None, "transid": None, "custom_fields": {"Age": 5, "Diet": None}},
    "/ticket-types": {"capacity": None, "description": None},
    "/keys": {"permissions": None},
}


@pytest.mark.parametrize("path", OPTIONAL)
async def test_null_beside_a_missing_field_is_the_same_request(world: World, stage: Stage, path: str) -> None:
    """Null in a creation means that the field was left out (decisions 1.6)."""
    await world.custom_field(stage.event, "Diet")
    caller, body = request_for(world, stage, path)
    body = {name: value for name, value in body.items() if OPTIONAL[path].get(name, value) is not None}
    first = await caller.post(path, {**body, **OPTIONAL[path]}, Idempotency_Key="k-1")
    again = await caller.post(path, body, Idempotency_Key="k-1")
    assert data_of(again, 201)["id"] == data_of(first, 201)["id"]


async def test_number_and_its_text_are_the_same_request(stage: Stage) -> None:
    body = {"name": "VIP", "event_id": stage.event.id, "price": 499.5, "capacity": 40}
    texts = {"name": " VIP ", "event_id": f"{stage.event.id}", "price": "৪৯৯.৫০", "capacity": "4e1"}
    answers = [await stage.organizer.post("/ticket-types", one, Idempotency_Key="k-1") for one in (body, texts)]
    assert data_of(answers[0], 201) == data_of(answers[1], 201)


@pytest.mark.parametrize("path", CREATING)
async def test_request_without_a_key_stores_no_record(world: World, stage: Stage, path: str) -> None:
    caller, body = request_for(world, stage, path)
    data_of(await caller.post(path, body), 201)
    assert not await IdempotencyRecord.exists()


@pytest.mark.parametrize("path", ["/ticket-types", "/tickets", "/keys"])
async def test_keys_of_different_principals_are_independent(world: World, stage: Stage, path: str) -> None:
    caller, body = request_for(world, stage, path)
    assert caller.user is not None
    assert caller.key is not None
    body.pop("transaction_id", None)
    others = [stage.admin, await world.key(caller.user, caller.key.key_type), await world.session(caller.user)]
    ids = [data_of(await one.post(path, body, Idempotency_Key="k-1"), 201)["id"] for one in (caller, *others)]
    assert len(set(ids)) == 4


async def test_sessions_of_one_account_share_keys(world: World, stage: Stage) -> None:
    callers = [await world.session(stage.buyer_account) for _ in range(2)]
    body = {"event_id": stage.event.id}
    created = [data_of(await caller.post("/tickets", body, Idempotency_Key="k-1"), 201) for caller in callers]
    assert created[0] == created[1]


async def test_keys_of_anonymous_callers_are_separate_per_address(
    world: World, stage: Stage, configure: Callable[..., None]
) -> None:
    configure(trusted_proxies=(ip_network("127.0.0.1"),))
    caller, body = request_for(world, stage, "/auth/register")
    data_of(await caller.post("/auth/register", body, Idempotency_Key="k-1", X_Forwarded_For="192.0.2.1"), 201)
    again = caller.post("/auth/register", body, Idempotency_Key="k-1", X_Forwarded_For="192.0.2.2")
    await refused(again, 400, "USERNAME_TAKEN")


async def test_errors_are_not_stored(world: World, stage: Stage) -> None:
    ticket_type = await world.ticket_type(stage.event, capacity=1)
    ticket = await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type)
    body = {"event_id": stage.event.id}
    await refused(stage.buyer.post("/tickets", body, Idempotency_Key="k-1"), 400, "SOLD_OUT")
    data_of(await stage.organizer.put(f"/tickets/{ticket.id}", {"status": "Failed"}))
    data_of(await stage.buyer.post("/tickets", body, Idempotency_Key="k-1"), 201)


async def test_stored_response_is_not_returned_after_a_loss_of_permission(world: World, stage: Stage) -> None:
    assert stage.organizer.user is not None
    body = {"event_id": stage.event.id, "name": "VIP"}
    data_of(await stage.organizer.post("/ticket-types", body, Idempotency_Key="k-1"), 201)
    await stage.organizer.user.update_from_dict({"type": "user"}).save()
    error_in(await stage.organizer.post("/ticket-types", body, Idempotency_Key="k-1"), 403, "ROLE_LOST")


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "a\tb"])
async def test_invalid_key_is_refused(stage: Stage, key: str) -> None:
    request = stage.buyer.post("/tickets", {"event_id": stage.event.id}, Idempotency_Key=key)
    assert set(await refused(request, 400, "VALIDATION_ERROR")) == {"idempotency_key"}


async def test_key_of_the_maximum_length_is_accepted(stage: Stage) -> None:
    data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id}, Idempotency_Key="~" * 255), 201)


@pytest.mark.parametrize(("age", "tickets"), [(DAY - datetime.timedelta(minutes=1), 1), (DAY, 2), (2 * DAY, 2)])
async def test_key_is_valid_for_24_hours(stage: Stage, age: datetime.timedelta, tickets: int) -> None:
    body = {"event_id": stage.event.id}
    data_of(await stage.buyer.post("/tickets", body, Idempotency_Key="k-1"), 201)
    await IdempotencyRecord.all().update(created_at=datetime.datetime.now(datetime.UTC) - age)
    data_of(await stage.buyer.post("/tickets", body, Idempotency_Key="k-1"), 201)
    assert await Ticket.all().count() == tickets


async def test_expired_records_are_purged(stage: Stage) -> None:
    now = datetime.datetime.now(datetime.UTC)
    for name, age in (("old", 25), ("young", 23)):
        record = await IdempotencyRecord.create(digest=name, fingerprint="x")
        await IdempotencyRecord.filter(id=record.id).update(created_at=now - datetime.timedelta(hours=age))
    await purge_expired_records(now)
    assert [record.digest for record in await IdempotencyRecord.all()] == ["young"]


async def test_new_api_key_is_returned_once_and_not_stored(stage: Stage) -> None:
    body = {"name": "My App", "key_type": "user"}
    raw = data_of(await stage.buyer.post("/keys", body, Idempotency_Key="k-1"), 201)["key"]
    repeated = await stage.buyer.post("/keys", body, Idempotency_Key="k-1")
    assert data_of(repeated, 201)["key"] is None
    # The first twelve characters are the prefix, which lists show.
    for text in (repeated.text, str(await snapshot())):
        assert raw[12:] not in text
    assert data_of(await Caller(stage.buyer.http, headers={"Authorization": f"Bearer {raw}"}).get("/auth/me"))["id"]


async def test_password_and_idempotency_key_are_not_stored(world: World, stage: Stage) -> None:
    caller, body = request_for(world, stage, "/auth/register")
    data_of(await caller.post("/auth/register", body, Idempotency_Key="k-verySecret"), 201)
    stored = str(await snapshot())
    assert "secret123" not in stored
    assert "k-verySecret" not in stored


async def test_request_with_a_number_of_any_size_can_be_repeated(stage: Stage) -> None:
    """Use GraphQL, where an integer in a JSON value has no limit."""
    call = 'registerForEvent(input: {eventId: %d, customFields: {Age: %s}}, idempotencyKey: "k") { id }'
    query = f"mutation {{ {call % (stage.event.id, '9' * 30)} }}"
    first, again = [await stage.buyer.graphql(query) for _ in range(2)]
    assert first == again
    assert "errors" not in first


# Simultaneous requests ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/tickets", "/organizations"])
async def test_twenty_simultaneous_repetitions_run_once(world: World, stage: Stage, path: str) -> None:
    caller, body = request_for(world, stage, path)
    responses = await asyncio.gather(*(caller.post(path, body, Idempotency_Key="k-1") for _ in range(20)))
    assert {response.status_code for response in responses} == {201}
    assert len({response.content for response in responses}) == 1
    assert (await Ticket.all().count(), await Organization.all().count()) in ((1, 1), (0, 2))


async def test_twenty_simultaneous_requests_without_a_key_all_run(stage: Stage) -> None:
    body = {"event_id": stage.event.id}
    await asyncio.gather(*(stage.buyer.post("/tickets", body) for _ in range(20)))
    assert await Ticket.all().count() == 20


async def test_one_of_twenty_simultaneous_bodies_with_one_key_succeeds(stage: Stage) -> None:
    bodies = [{"event_id": stage.event.id, "note": str(number)} for number in range(20)]
    responses = await asyncio.gather(*(stage.buyer.post("/tickets", body, Idempotency_Key="k-1") for body in bodies))
    assert sorted(response.status_code for response in responses) == [201] + [400] * 19
    assert {response.json().get("code") for response in responses} == {None, "IDEMPOTENCY_MISMATCH"}
    assert await Ticket.all().count() == 1
