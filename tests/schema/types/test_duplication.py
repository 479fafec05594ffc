"""Copies of events: what they have of the original, and what they do not (docs/decisions.md, "Duplicated events")."""

from typing import Any

import pytest

from amarevents.models import Event, TicketType
from tests.rest.conftest import Stage
from tests.support.consistency import find_inconsistencies
from tests.support.copies import MANAGERS, caller_named, complete_event, duplicate, make_private, not_duplicated
from tests.support.graphql_answers import only_error
from tests.support.rest_answers import data_of, page_in
from tests.support.tables import check_rows
from tests.support.world import World, in_days, snapshot

# Any throughout: JSON, and columns of rows.

# What is copied -------------------------------------------------------------------------------------------------

OWN_COLUMNS = {
    "events": {"id", "name", "date", "sort_date", "deadline", "search_text", "created_at", "updated_at"},
    "ticket_types": {"id", "event_id", "sold", "created_at"},
    "custom_fields": {"id", "event_id"},
}
"""The columns in which a copy differs from its original. All others are copied, those of future migrations too."""


async def originals_and_copies(world: World, stage: Stage) -> dict[str, tuple[list[Any], list[Any]]]:
    """Duplicate the only event; return the rows of each table before, and those that were added."""
    data_of(await stage.organizer.delete(f"/events/{stage.event.id}"))
    event = await complete_event(world, stage)
    before = await snapshot()
    await duplicate(stage.organizer, event)
    after = await snapshot()
    assert {table for table in before if before[table] != after[table]} == {*OWN_COLUMNS, "organizations"}
    assert all(after[table][: len(before[table])] == before[table] for table in OWN_COLUMNS)
    return {table: (before[table], after[table][len(before[table]) :]) for table in OWN_COLUMNS}


async def test_every_other_column_is_copied_and_no_other_table_changes(world: World, stage: Stage) -> None:
    tables = await originals_and_copies(world, stage)
    for table, (originals, copies) in tables.items():
        for original, copy in zip(originals, copies, strict=True):
            differing = [column for column in original if original[column] != copy[column]]
            check_rows(f"OWN_COLUMNS[{table!r}] in this file", OWN_COLUMNS[table], differing)
    assert [kind["sold"] for kind in tables["ticket_types"][1]] == [0, 0]


async def test_the_original_of_these_tests_has_a_value_in_every_column(world: World, stage: Stage) -> None:
    """Otherwise a column that is not copied could go unnoticed."""
    event = await complete_event(world, stage)
    [bare, complete] = [row for row in (await snapshot())["events"] if row["id"] in (stage.event.id, event.id)]
    unset = {column for column in bare if bare[column] == complete[column]} - {"organization_id", "privacy"}
    assert not unset, "complete_event in tests/support/copies.py gives these columns no value"


async def test_answer_shows_the_copy(world: World, stage: Stage) -> None:
    event = await complete_event(world, stage)
    copy = await duplicate(stage.organizer, event, name=" Boishakh ২ ", date=str(in_days(400)))
    parts = [*copy.pop("ticketTypes"), *copy.pop("customFields")]
    assert {part.pop("eventId") for part in parts} == {copy["id"]}
    ids = [part.pop("id") for part in parts]
    assert len(ids) == 4
    assert parts == [
        {"name": "Standing", "price": "0.00", "capacity": 0, "description": None, "sold": 0, "available": None,
         "isAvailable": True},
        {"name": "Seat", "price": "499.50", "capacity": 40, "description": "Front rows", "sold": 0, "available": 40,
         "isAvailable": True},
        {"name": "Size", "type": "DROPDOWN", "options": ["S", "M"], "required": True, "position": 3},
        {"name": "Meal", "type": "TEXT", "options": [], "required": False, "position": 7},
    ]  # fmt: skip
    assert copy.pop("createdAt") == copy.pop("updatedAt")
    assert copy == {
        "id": copy["id"], "name": "Boishakh ২", "category": "CULTURAL", "organizationId": str(stage.organization.id),
        "organizationName": stage.organization.name, "date": str(in_days(400)), "deadline": None, "location": "Ramna",
        "description": "Songs\nand food", "banner": "https://example.com/banner.png",
        "logo": "https://example.com/logo.png", "privacy": "PUBLIC", "notice": "Bring water",
        "socials": [{"type": "facebook", "url": "https://example.com/boishakh"}], "wallets": {"bkash": "01700000000"},
        "registrationOpen": True, "emailtitle": "Hi {name}", "emailmessage": "See you at {event}", "template": "plain",
        "holdMinutes": 90, "placesPerAccount": 4,
        "gallery": [], "stats": {"total": 0}, "attendance": {"checkedIn": 0, "expected": 0},
        "tickets": {"items": []},
    }  # fmt: skip


async def test_answer_is_what_is_read_later(world: World, stage: Stage) -> None:
    copy = await duplicate(stage.organizer, await complete_event(world, stage))
    shown = data_of(await stage.organizer.get(f"/events/{copy['id']}"))
    assert (str(shown["id"]), shown["name"], shown["emailtitle"]) == (copy["id"], "Copy", copy["emailtitle"])
    for rest, graphql in (("ticket_types", "ticketTypes"), ("custom_fields", "customFields")):
        assert [str(part["id"]) for part in shown[rest]] == [part["id"] for part in copy[graphql]]


async def test_event_without_parts_is_duplicated(stage: Stage) -> None:
    copy = await duplicate(stage.organizer, stage.event)
    assert (copy["ticketTypes"], copy["customFields"], copy["date"]) == ([], [], None)


async def test_fields_with_equal_positions_keep_their_order(world: World, stage: Stage) -> None:
    for name in "bac":
        await world.custom_field(stage.event, name, position=0)
    copy = await duplicate(stage.organizer, stage.event)
    assert [field["name"] for field in copy["customFields"]] == ["b", "a", "c"]


async def test_copy_can_be_duplicated(world: World, stage: Stage) -> None:
    first = await duplicate(stage.organizer, await complete_event(world, stage))
    second = await duplicate(stage.organizer, await Event.get(id=first["id"]), name="Third")
    assert (second["name"], second["location"], len(second["ticketTypes"])) == ("Third", "Ramna", 2)
    assert await find_inconsistencies() == {}


# Name, date and privacy -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\nb"])
async def test_name_is_required_and_has_the_limits_of_every_name(stage: Stage, name: str) -> None:
    assert (await not_duplicated(stage.organizer, stage.event.id, "VALIDATION_ERROR", name=name)).keys() == {"name"}


async def test_input_without_a_name_is_refused(stage: Stage) -> None:
    document = "mutation { duplicateEvent(id: %d, input: {}) { id } }" % stage.event.id
    before = await snapshot()
    assert only_error((await stage.organizer.graphql(document))["errors"])["code"] == "GRAPHQL_INVALID"
    assert await snapshot() == before


@pytest.mark.parametrize("name", ["Boishakh", "x" * 200])
async def test_name_may_be_that_of_the_original(world: World, stage: Stage, name: str) -> None:
    assert (await duplicate(stage.organizer, await complete_event(world, stage), name=name))["name"] == name


@pytest.mark.parametrize("given", [{}, {"date": None}])
async def test_copy_without_a_date_is_undated(world: World, stage: Stage, given: dict[str, Any]) -> None:
    copy = await duplicate(stage.organizer, await complete_event(world, stage), **given)
    assert (copy["date"], copy["deadline"], copy["registrationOpen"]) == (None, None, True)


async def test_date_before_the_deadline_of_the_original_is_accepted(world: World, stage: Stage) -> None:
    copy = await duplicate(stage.organizer, await complete_event(world, stage), date=str(in_days(5)))
    assert (copy["date"], copy["deadline"]) == (str(in_days(5)), None)


async def test_copy_of_a_past_event_is_open_for_registration(world: World, stage: Stage) -> None:
    event = await world.event(stage.organization, date=in_days(-5), deadline=in_days(-9))
    copy = await duplicate(stage.organizer, event, date=str(in_days(5)))
    data_of(await stage.buyer.post("/tickets", {"event_id": int(copy["id"])}), 201)


async def test_copy_is_listed_by_its_date_and_found_by_its_texts(world: World, stage: Stage) -> None:
    event = await complete_event(world, stage)
    copy = await duplicate(stage.organizer, event, name="Second", date=str(in_days(3)))
    assert page_in(await stage.buyer.get("/events"))[0] == [int(copy["id"]), event.id, stage.event.id]
    for search in ("second", "ramna", "food"):
        assert int(copy["id"]) in page_in(await stage.buyer.get("/events", search=search))[0]
    assert page_in(await stage.buyer.get("/events", search="boishakh"))[0] == [event.id]


@pytest.mark.parametrize("who", MANAGERS)
async def test_copy_of_a_private_event_is_private(world: World, stage: Stage, who: str) -> None:
    event = await complete_event(world, stage)
    await make_private(event)
    copy = await duplicate(await caller_named(world, stage, who), event)
    assert copy["privacy"] == "PRIVATE"
    for caller in (world.anonymous, stage.rival, stage.buyer):  # the buyer has tickets to the original
        assert (await caller.get(f"/events/{copy['id']}")).status_code == 404
    assert data_of(await stage.buyer.get(f"/events/{event.id}"))["id"] == event.id


# Independence ---------------------------------------------------------------------------------------------------


async def test_changes_of_the_original_leave_the_copy_unchanged(world: World, stage: Stage) -> None:
    event = await complete_event(world, stage)
    copy = await duplicate(stage.organizer, event)
    before = data_of(await stage.organizer.get(f"/events/{copy['id']}"))
    data_of(await stage.organizer.put(f"/events/{event.id}", {"location": "Sylhet", "socials": None, "wallets": None}))
    kind = await TicketType.filter(event_id=event.id).order_by("id").first()
    assert kind is not None
    data_of(await stage.organizer.put(f"/ticket-types/{kind.id}", {"price": 1}))
    assert data_of(await stage.organizer.get(f"/events/{copy['id']}")) == before
    data_of(await stage.organizer.delete(f"/events/{event.id}"))
    assert data_of(await stage.organizer.get(f"/events/{copy['id']}")) == before
    assert await find_inconsistencies() == {}


async def test_changes_of_the_copy_leave_the_original_unchanged(world: World, stage: Stage) -> None:
    event = await complete_event(world, stage)
    copy = await duplicate(stage.organizer, event)
    before = data_of(await stage.organizer.get(f"/events/{event.id}"))
    body = {"event_id": int(copy["id"]), "ticket_type_id": int(copy["ticketTypes"][0]["id"])}
    await Event.filter(id=copy["id"]).update(location="Sylhet")
    data_of(await stage.buyer.post("/tickets", {**body, "custom_fields": {"Size": "M"}}), 201)
    assert data_of(await stage.organizer.get(f"/events/{event.id}")) == before
    data_of(await stage.organizer.delete(f"/events/{copy['id']}"))
    assert data_of(await stage.organizer.get(f"/events/{event.id}")) == before
    assert await find_inconsistencies() == {}
