"""The fields of an event, which its creation and its update both take (decisions 4.4a)."""

import json
from typing import Any

import pytest

from amarevents.models import Event, Organization
from tests.contract.fields import REQUEST_BODIES
from tests.support.graph import SCHEMA
from tests.support.graphql_answers import answer_of
from tests.support.rest_answers import data_of, error_in
from tests.support.world import Caller, World

# Any: JSON.
FIELDS: dict[str, Any] = {
    "name": "Boi Mela", "date": "2999-02-21", "deadline": "2999-02-20", "location": "Dhaka", "category": "Cultural",
    "description": "বই", "banner": "/uploads/banner.png", "logo": "https://example.com/logo.png", "privacy": "private",
    "notice": "Bring a bag", "emailtitle": "{event}", "emailmessage": "Hello {name}", "template": "plain",
    "socials": [{"type": "facebook", "url": "https://facebook.com/boimela"}], "wallets": {"bkash": "01700000000"},
    "hold_minutes": 90, "places_per_account": 3,
}  # fmt: skip


@pytest.fixture
async def organization(world: World) -> Organization:
    return await world.organization(await world.organizer())


@pytest.fixture
async def owner(world: World, organization: Organization) -> Caller:
    return await world.session(await organization.user)


def _fields_of(name: str) -> set[str]:
    [fields] = [body.fields for body in REQUEST_BODIES if body.name == name]
    return set(fields)


def test_creation_takes_every_field_of_an_update() -> None:
    assert _fields_of("PUT /events/{id}") == FIELDS.keys()
    assert _fields_of("POST /events") == FIELDS.keys() | {"organization_id", "ticket_types"}
    created, updated = (SCHEMA.type_map[name].fields.keys() for name in ("CreateEventInput", "UpdateEventInput"))  # type: ignore[attr-defined] # input types
    assert created == updated | {"organizationId", "ticketTypes"}


async def test_created_event_is_the_same_as_an_updated_one(
    world: World, organization: Organization, owner: Caller
) -> None:
    created = data_of(await owner.post("/events", {**FIELDS, "organization_id": organization.id}), 201)
    assert {name: created[name] for name in FIELDS} == FIELDS
    other = await world.event(organization)
    updated = data_of(await owner.put(f"/events/{other.id}", FIELDS))
    own = {"id": None, "created_at": None, "updated_at": None}
    assert {**created, **own} == {**updated, **own}


async def test_graphql_creates_an_event_with_every_field(organization: Organization, owner: Caller) -> None:
    given = {"organizationId": organization.id, "name": "Boi Mela", "notice": "Bring a bag", "template": "plain",
             "socials": FIELDS["socials"], "wallets": {"bKash": "01700000000"}, "emailtitle": "{event}",
             "holdMinutes": 90, "placesPerAccount": 3, "banner": "/uploads/banner.png"}  # fmt: skip
    document = "mutation($input: CreateEventInput!) { createEvent(input: $input) { id } }"
    event = await Event.get(id=(await answer_of(owner, document, input=given))["id"])
    assert (event.notice, event.template, event.emailtitle) == ("Bring a bag", "plain", "{event}")
    assert (event.socials, event.wallets) == (FIELDS["socials"], FIELDS["wallets"])
    assert (event.hold_minutes, event.places_per_account, event.banner) == (90, 3, "/uploads/banner.png")


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_links_may_be_an_object(world: World, organization: Organization, owner: Caller, method: str) -> None:
    body = {"socials": {"facebook": "https://facebook.com/boimela", " Website ": "https://example.com"}}
    if method == "POST":
        answer = await owner.post("/events", {**body, "name": "Mela", "organization_id": organization.id})
    else:
        answer = await owner.put(f"/events/{(await world.event(organization)).id}", body)
    assert answer.json()["data"]["socials"] == [
        {"type": "facebook", "url": "https://facebook.com/boimela"},
        {"type": "Website", "url": "https://example.com"},
    ]


async def test_invalid_link_in_an_object_is_named_by_its_position(organization: Organization, owner: Caller) -> None:
    body = {"name": "Mela", "organization_id": organization.id, "socials": {"facebook": "boimela"}}
    assert error_in(await owner.post("/events", body), 400, "VALIDATION_ERROR").keys() == {"socials.0.url"}


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
async def test_forms_are_refused(owner: Caller, content_type: str) -> None:
    headers = {**owner.headers, "Content-Type": content_type}
    answer = await owner.http.post("/api/events", content=b"name=Mela&organization_id=1", headers=headers)
    assert answer.json()["code"] in {"UNSUPPORTED_MEDIA_TYPE", "CROSS_SITE_REQUEST"}


async def test_longest_texts_fit_a_body_even_if_the_client_escapes_them(
    world: World, organization: Organization, owner: Caller
) -> None:
    """Four texts of 20,000 Bangla letters, which clients such as Python's send as six bytes each (decisions 1.9)."""
    texts = dict.fromkeys(("description", "notice", "emailmessage", "template"), "ক" * 20_000)
    event_id = data_of(await owner.post("/events", {"name": "Mela", "organization_id": organization.id}), 201)["id"]
    content = json.dumps(texts)
    assert len(content) > 450_000
    response = await world.http.put(
        f"/api/events/{event_id}", content=content, headers={**owner.headers, "Content-Type": "application/json"}
    )
    assert {name: data_of(response)[name] for name in texts} == texts
    assert data_of(await owner.put(f"/events/{event_id}", data_of(response)))["notice"] == texts["notice"]


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_date_that_marks_undated_events_is_refused(
    world: World, organization: Organization, owner: Caller, method: str
) -> None:
    path = "/events" if method == "POST" else f"/events/{(await world.event(organization)).id}"
    send = owner.post if method == "POST" else owner.put
    body = {"name": "Mela", "organization_id": organization.id}
    assert set(error_in(await send(path, {**body, "date": "9999-12-31"}), 400, "VALIDATION_ERROR")) == {"date"}
    assert (await send(path, {**body, "date": "9999-12-30"})).status_code in {200, 201}
