"""Reading and publishing events over REST (decisions 4)."""

from typing import Any

import pytest

from amarevents.models import Event, TicketType
from amarevents.models.enums import Category, FieldType
from tests.rest.conftest import Stage
from tests.support.rest_answers import (
    CUSTOM_FIELD_FIELDS,
    EVENT_DETAIL_FIELDS,
    EVENT_FIELDS,
    INSTANT,
    MANAGED_EVENT_FIELDS,
    TICKET_TYPE_FIELDS,
    data_of,
    error_in,
    page_in,
    refused,
)
from tests.support.world import World, in_days

CATEGORIES = [
    "Education", "Sports", "Concert", "Conference", "Workshop", "Festival", "Charity", "Cultural", "Games", "Other"
]  # fmt: skip


async def test_public_events_are_listed_by_date_with_undated_events_last(world: World) -> None:
    owner = await world.organizer()
    late = await world.event(owner, date=in_days(9))
    undated = await world.event(owner)
    early = await world.event(owner, date=in_days(2))
    ids, pagination = page_in(await world.anonymous.get("/events"))
    assert ids == [early.id, late.id, undated.id]
    assert pagination == {"total": 3, "page": 1, "limit": 20, "pages": 1}


async def test_list_without_events_is_empty(world: World) -> None:
    assert page_in(await world.anonymous.get("/events")) == ([], {"total": 0, "page": 1, "limit": 20, "pages": 0})


async def test_listed_event_has_exactly_the_documented_fields(world: World) -> None:
    organization = await world.organization(await world.organizer(), name="Chhayanaut")
    event = await world.event(organization, name="Boishakh", date=in_days(3), category=Category.CULTURAL)
    [shown] = data_of(await world.anonymous.get("/events"))
    assert shown.keys() == EVENT_FIELDS
    assert INSTANT.fullmatch(shown["created_at"])
    assert INSTANT.fullmatch(shown["updated_at"])
    assert (shown["id"], shown["organization_id"], shown["organization_name"]) == (
        event.id,
        organization.id,
        "Chhayanaut",
    )
    assert (shown["name"], shown["category"], shown["privacy"]) == ("Boishakh", "Cultural", "public")
    assert (shown["date"], shown["deadline"], shown["location"]) == (in_days(3).isoformat(), None, None)


@pytest.mark.parametrize("caller_name", ["organizer", "admin"])
async def test_owner_and_admins_see_the_email_texts(stage: Stage, caller_name: str) -> None:
    await Event.filter(id=stage.event.id).update(emailtitle="Hi {name}", emailmessage="…", template="plain")
    shown = data_of(await getattr(stage, caller_name).get(f"/events/{stage.event.id}"))
    assert shown.keys() == MANAGED_EVENT_FIELDS
    assert (shown["emailtitle"], shown["emailmessage"], shown["template"]) == ("Hi {name}", "…", "plain")


@pytest.mark.parametrize("caller_name", ["anonymous", "buyer", "rival", "owner as a user"])
async def test_other_callers_do_not_see_the_email_texts(world: World, stage: Stage, caller_name: str) -> None:
    assert stage.organizer.user is not None
    callers = {"anonymous": world.anonymous, "owner as a user": await world.key(stage.organizer.user)}
    caller = callers.get(caller_name) or getattr(stage, caller_name)
    assert data_of(await caller.get(f"/events/{stage.event.id}")).keys() == EVENT_DETAIL_FIELDS


async def test_event_includes_its_ticket_types_and_custom_fields(world: World, stage: Stage) -> None:
    first = await world.ticket_type(stage.event, price="499.50", capacity=3)
    second = await world.ticket_type(stage.event)
    last = await world.custom_field(stage.event, "Size", type=FieldType.DROPDOWN, options=["S", "M"], position=2)
    leading = await world.custom_field(stage.event, "Diet", required=True, position=1)
    shown = data_of(await world.anonymous.get(f"/events/{stage.event.id}"))
    assert [ticket_type["id"] for ticket_type in shown["ticket_types"]] == [second.id, first.id]
    assert shown["ticket_types"][1].keys() == TICKET_TYPE_FIELDS
    assert shown["ticket_types"][1]["price"] == 499.5
    assert [field["id"] for field in shown["custom_fields"]] == [leading.id, last.id]
    assert shown["custom_fields"][1].keys() == CUSTOM_FIELD_FIELDS
    assert (shown["custom_fields"][1]["type"], shown["custom_fields"][1]["options"]) == ("dropdown", ["S", "M"])


async def test_socials_and_wallets_are_returned_as_json(world: World, stage: Stage) -> None:
    socials = [{"type": "facebook", "url": "https://facebook.com/boimela"}]
    await Event.filter(id=stage.event.id).update(socials=socials, wallets={"bkash": "01700000000"}, notice="Bring ID")
    shown = data_of(await world.anonymous.get(f"/events/{stage.event.id}"))
    assert (shown["socials"], shown["wallets"], shown["notice"]) == (socials, {"bkash": "01700000000"}, "Bring ID")


@pytest.mark.parametrize("id", ["999999", "0", "-1", "abc", "1.0", "99999999999999999999", "2147483648", "١"])
async def test_unknown_event_is_not_found(stage: Stage, id: str) -> None:
    for caller in (stage.buyer, stage.admin):
        assert error_in(await caller.get(f"/events/{id}"), 404, "NOT_FOUND") == {}


# Publishing -----------------------------------------------------------------------------------------------------


async def test_organizer_publishes_an_event_with_its_ticket_types(stage: Stage) -> None:
    body = {
        "name": "Boi Mela", "organization_id": stage.organization.id, "date": "2030-02-21", "deadline": "2030-02-20",
        "location": "Bangla Academy", "category": "festival", "description": "Books.\n\tMany books.",
        "banner": "https://example.com/b.png", "logo": "http://example.com/l.png", "privacy": "private",
        "ticket_types": [{"name": "Day", "price": 20, "capacity": 5, "description": "One day"}, {"name": "Free"}],
    }  # fmt: skip
    created = data_of(await stage.organizer.post("/events", body), 201)
    assert created.keys() == MANAGED_EVENT_FIELDS
    assert {name: created[name] for name in body if name != "ticket_types"} == {
        **{name: value for name, value in body.items() if name != "ticket_types"}, "category": "Festival"
    }  # fmt: skip
    free, day = created["ticket_types"]
    assert (day["name"], day["price"], day["capacity"], day["description"]) == ("Day", 20, 5, "One day")
    assert (free["name"], free["price"], free["capacity"], free["description"]) == ("Free", 0, 0, None)
    assert data_of(await stage.organizer.get(f"/events/{created['id']}")) == created


@pytest.mark.parametrize(
    "blank",
    [{}, {"date": "", "location": " \t", "category": "", "privacy": "", "banner": ""}, {"date": None, "logo": None}],
)
async def test_only_name_and_organization_are_required(stage: Stage, blank: dict[str, Any]) -> None:
    body = {"name": "  Boi Mela\t", "organization_id": stage.organization.id, **blank}
    created = data_of(await stage.organizer.post("/events", body), 201)
    assert (created["name"], created["privacy"], created["registration_open"]) == ("Boi Mela", "public", True)
    empty = ("date", "deadline", "location", "category", "description", "banner", "logo", "notice", "emailtitle")
    assert {created[name] for name in empty} == {None}
    assert (created["ticket_types"], created["custom_fields"], created["socials"], created["wallets"]) == (
        [],
        [],
        [],
        {},
    )


async def test_texts_of_the_maximum_length_are_accepted(stage: Stage) -> None:
    body = {"name": "ম" * 200, "location": "ঢ" * 255, "description": "ক" * 20_000}
    created = data_of(await stage.organizer.post("/events", {**body, "organization_id": stage.organization.id}), 201)
    assert {name: created[name] for name in body} == body


@pytest.mark.parametrize("category", CATEGORIES)
async def test_category_is_case_insensitive(stage: Stage, category: str) -> None:
    for sent in (category, category.upper(), f" {category.lower()} "):
        body = {"name": "x", "organization_id": stage.organization.id, "category": sent}
        assert data_of(await stage.organizer.post("/events", body), 201)["category"] == category
    assert page_in(await stage.buyer.get("/events", category=category.swapcase()))[1]["total"] == 3


async def test_deadline_can_be_the_date_of_the_event(stage: Stage) -> None:
    body = {"name": "x", "organization_id": stage.organization.id, "date": "2030-05-01", "deadline": "2030-05-01"}
    assert data_of(await stage.organizer.post("/events", body), 201)["deadline"] == "2030-05-01"


async def test_organizer_publishes_only_for_own_organizations(stage: Stage) -> None:
    body = {"name": "x", "organization_id": stage.organization.id}
    await refused(stage.rival.post("/events", body), 403, "FORBIDDEN")
    await refused(stage.rival.post("/events", body | {"organization_id": 999_999}), 404, "NOT_FOUND")
    assert data_of(await stage.admin.post("/events", body), 201)["organization_id"] == stage.organization.id


async def test_event_is_not_created_when_a_ticket_type_fails(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    create = TicketType.create

    async def fail_for_the_second(**values: Any) -> TicketType:  # Any: a row's values
        assert values["name"] != "Second"
        return await create(**values)

    monkeypatch.setattr(TicketType, "create", fail_for_the_second)
    body = {
        "name": "x",
        "organization_id": stage.organization.id,
        "ticket_types": [{"name": "First"}, {"name": "Second"}],
    }
    await refused(stage.organizer.post("/events", body), 500, "INTERNAL")
