"""Retries of requests that an earlier version has answered (decisions 6.11): they neither fail nor run twice."""

import hashlib
import hmac
import json
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from tortoise import connections

from amarevents import models
from amarevents.models import CustomField, IdempotencyRecord
from amarevents.models.db.connection import CONNECTION
from amarevents.models.enums import FieldType
from tests.rest.conftest import Stage
from tests.support.rest_answers import data_of, refused
from tests.support.world import Caller, World, snapshot

Body = dict[str, Any]  # Any: JSON

NAME = "\u09a8\u09c7\u09df\u09be\u09ae\u09a4"  # earlier versions compared it with this spelling of a letter
NEW_FIELDS = {
    "register_for_event": ("due", "transid", "expires_at"),
    "create_event": ("hold_minutes", "places_per_account"),
}

complete_answers = import_module("amarevents.models.migrations.0009_repeated_answers").complete_answers


def earlier_fingerprint(key: str, operation: str, data: Body) -> str:
    """Return the fingerprint as the earlier version computed it: of all fields that were sent, nulls included."""
    body = json.dumps((operation, {"id": None, "data": data}), sort_keys=True)
    return hmac.new(key.encode(), body.encode(), hashlib.sha256).hexdigest()


async def upgrade(operation: str, data: Body) -> None:
    """Make the only record one of the earlier version, and migrate it."""
    record = await IdempotencyRecord.get()
    answer = json.loads(record.answer or "")
    kept = {name: value for name, value in answer.items() if name not in NEW_FIELDS.get(operation, ())}
    for field in kept.get("custom_fields", ()):
        field.pop("values", None)
    record.answer, record.fingerprint = json.dumps(kept), earlier_fingerprint("k-1", operation, data)
    await record.save()
    apps = SimpleNamespace(get_model=lambda name: getattr(models, name.removeprefix("models.")))
    await complete_answers(apps, SimpleNamespace(client=connections.get(CONNECTION)))


CREATED: dict[str, tuple[str, str, Body]] = {
    "register_for_event": (
        "/tickets",
        "registerForEvent(input: $input, idempotencyKey: $key) { id }",
        {"event_id": 0, "name": NAME, "amount": 12.5, "transaction_id": "8n7a6b", "number": "01711 (000) 000",
         "note": None, "custom_fields": {"Meals": ["Rice", "Dal"], "Age": 5}},
    ),
    "create_event": (
        "/events",
        "createEvent(input: $input, idempotencyKey: $key) { id }",
        {"organization_id": 0, "name": NAME, "location": None, "date": "2030-02-21",
         "ticket_types": [{"name": "Day", "price": 19.99, "capacity": 3}]},
    ),
    "submit_donation": (
        "/donations",
        "submitDonation(input: $input, idempotencyKey: $key) { id }",
        {"email": "D@Example.org", "number": "01711000000", "amount": 50, "transaction_id": "dn-77x", "type": "bkash",
         "organization_id": 0, "note": NAME},
    ),
    "create_api_key": (
        "/keys",
        "createApiKey(input: $input, idempotencyKey: $key) { id }",
        {"name": NAME, "key_type": "user", "expires_at": None},
    ),
}  # fmt: skip


def caller_and_body(world: World, stage: Stage, operation: str) -> tuple[Caller, Body]:
    callers = {"create_event": stage.organizer, "submit_donation": world.anonymous}
    ids = {"event_id": stage.event.id, "organization_id": stage.organization.id}
    body = CREATED[operation][2]
    return callers.get(operation, stage.buyer), {**body, **{name: ids[name] for name in ids if name in body}}


def camel(body: Body) -> Body:
    """Return a body of REST as the input of GraphQL."""
    named: Body = {head + rest.title().replace("_", ""): body[head + rest] for head, rest in map(split, body)}
    if "ticket_types" in body:
        return named
    enums: Body = {name: named[name].upper() for name in ("type", "keyType") if name in named}
    return {**named, **enums}


def split(name: str) -> tuple[str, str]:
    head, separator, rest = name.partition("_")
    return head, separator + rest


async def repeat_by_graphql(caller: Caller, operation: str, body: Body) -> dict[str, Any]:
    _, field, _ = CREATED[operation]
    name = "".join(part.title() for part in operation.split("_"))
    query = f"mutation($input: {name}Input!, $key: String) {{ created: {field} }}"
    answer: dict[str, Any] = await caller.graphql(query, input=camel(body), key="k-1")
    return answer


@pytest.fixture(autouse=True)
async def questions(world: World, stage: Stage) -> None:
    await world.ticket_type(stage.event, price="12.5")
    await world.custom_field(stage.event, "Meals", type=FieldType.CHECKBOX, options=["Rice", "Dal"])
    await world.custom_field(stage.event, "Age", type=FieldType.NUMBER)


@pytest.mark.parametrize("operation", CREATED)
async def test_retry_gets_the_first_answer_on_both_surfaces(world: World, stage: Stage, operation: str) -> None:
    caller, body = caller_and_body(world, stage, operation)
    path = CREATED[operation][0]
    first = data_of(await caller.post(path, body, Idempotency_Key="k-1"), 201)
    await upgrade(operation, body)
    before = await snapshot()
    again = await caller.post(path, body, Idempotency_Key="k-1")
    assert data_of(again, 201) == (first if operation != "create_api_key" else {**first, "key": None})
    assert again.headers["Idempotency-Replayed"] == "true"
    by_graphql = await repeat_by_graphql(caller, operation, body)
    assert by_graphql["data"]["created"]["id"] == str(first["id"])
    assert await snapshot() == before


@pytest.mark.parametrize("operation", CREATED)
async def test_other_request_with_the_key_is_refused(world: World, stage: Stage, operation: str) -> None:
    caller, body = caller_and_body(world, stage, operation)
    path = CREATED[operation][0]
    data_of(await caller.post(path, body, Idempotency_Key="k-1"), 201)
    await upgrade(operation, body)
    other = {**body, "amount": 51} if operation == "submit_donation" else {**body, "name": "Other"}
    await refused(caller.post(path, other, Idempotency_Key="k-1"), 400, "IDEMPOTENCY_MISMATCH")
    answer = await repeat_by_graphql(caller, operation, other)
    assert answer["errors"][0]["extensions"]["code"] == "IDEMPOTENCY_MISMATCH"


async def test_key_of_another_operation_is_refused(stage: Stage) -> None:
    body = {"organization_id": stage.organization.id, "name": "Mela"}
    data_of(await stage.organizer.post("/events", body, Idempotency_Key="k-1"), 201)
    await upgrade("create_event", body)
    other = stage.organizer.post("/ticket-types", {"event_id": stage.event.id, "name": "Mela"}, Idempotency_Key="k-1")
    await refused(other, 400, "IDEMPOTENCY_MISMATCH")


async def test_position_that_was_adjusted_is_the_same_request(stage: Stage) -> None:
    create = 'mutation { createCustomField(input: {eventId: %d, name: "T", type: TEXT, position: 99}, '
    create = create % stage.event.id + 'idempotencyKey: "k-1") { id } }'
    first = await stage.organizer.graphql(create)
    await upgrade("create_custom_field", {"event_id": stage.event.id, "name": "T", "type": "text", "position": 99})
    assert (await stage.organizer.graphql(create))["data"] == first["data"]
    assert await CustomField.filter(name="T").count() == 1
