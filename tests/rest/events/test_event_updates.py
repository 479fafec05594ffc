"""Partial updates of events (decisions 1.10, 4)."""

import datetime
from typing import Any

import pytest

from amarevents.models import Event
from amarevents.models.enums import KeyType, Privacy
from tests.rest.conftest import Stage
from tests.support.rest_answers import EVENT_DETAIL_FIELDS, MANAGED_EVENT_FIELDS, data_of, error_in, page_in, refused
from tests.support.world import Caller, World, snapshot

OLD: dict[str, Any] = {  # Any: each column's own type
    "name": "Old name", "date": datetime.date(2030, 2, 10), "deadline": datetime.date(2030, 2, 5),
    "location": "Old hall", "category": "Other", "description": "Old text", "logo": "https://example.com/old.png",
    "banner": "https://example.com/old-banner.png", "notice": "Old notice", "emailtitle": "Old title",
    "emailmessage": "Old message", "template": "old", "wallets": {"rocket": "01800000000"},
    "socials": [{"type": "website", "url": "https://example.com/old"}],
}  # fmt: skip
NEW: dict[str, Any] = {  # Any: JSON
    "name": "নববর্ষ উৎসব", "date": "2030-04-14", "deadline": "2030-02-10", "location": "রমনা বটমূল, ঢাকা",
    "category": "Cultural", "description": "মঙ্গল শোভাযাত্রা।\n\tসবার জন্য।", "logo": "https://example.com/l.png",
    "banner": "http://example.com/b.png", "privacy": "private", "notice": "সকাল ৬টায় শুরু",
    "emailtitle": "{name}, আপনার টিকিট {id}", "emailmessage": "{event}, {location}, {date}: {price} ৳\n{Size}",
    "template": "<p>{name}</p>", "socials": [{"type": "facebook", "url": "https://facebook.com/boishakh"},
    {"type": "ইউটিউব", "url": "https://youtube.com/@boishakh"}],
    "wallets": {"bkash": "01700000000", "nagad": "০১৭", "rocket": "3", "card": "Visa, at the door", "other": "নগদ টাকা"},
}  # fmt: skip


@pytest.fixture
async def event(world: World, stage: Stage) -> Event:
    """Create an event with a value in every column that can change."""
    return await world.event(stage.organization, **OLD)


async def event_as_seen_by(caller: Caller, event: Event) -> Any:  # Any: JSON
    return data_of(await caller.get(f"/events/{event.id}"))


# Permissions ----------------------------------------------------------------------------------------------------


async def test_only_the_owner_and_admins_update_an_event(world: World, stage: Stage, event: Event) -> None:
    path, body = f"/events/{event.id}", {"name": "Mine"}
    await refused(world.anonymous.put(path, body), 401, "UNAUTHENTICATED")
    await refused(stage.buyer.put(path, body), 403, "WRONG_KEY_TYPE")
    await refused(stage.rival.put(path, body), 403, "FORBIDDEN")
    await Event.filter(id=event.id).update(privacy=Privacy.PRIVATE)
    await refused(stage.rival.put(path, body), 404, "NOT_FOUND")
    await refused(stage.admin.put("/events/999999", body), 404, "NOT_FOUND")


async def test_update_requires_the_events_write_scope(world: World, stage: Stage, event: Event) -> None:
    assert stage.organizer.user is not None
    reader = await world.key(stage.organizer.user, KeyType.ORGANIZER, permissions=["events:read", "events:delete"])
    await refused(reader.put(f"/events/{event.id}", {"name": "Mine"}), 403, "MISSING_SCOPE")


@pytest.mark.parametrize("caller_name", ["organizer", "admin", "owner's session"])
async def test_owner_and_admins_update_an_event(world: World, stage: Stage, event: Event, caller_name: str) -> None:
    assert stage.organizer.user is not None
    session = await world.session(stage.organizer.user)
    caller = session if caller_name == "owner's session" else getattr(stage, caller_name)
    assert data_of(await caller.put(f"/events/{event.id}", {"name": "New name"}))["name"] == "New name"


# Fields ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", NEW)
async def test_only_the_sent_fields_change(stage: Stage, event: Event, field: str) -> None:
    before = await event_as_seen_by(stage.organizer, event)
    shown = data_of(await stage.organizer.put(f"/events/{event.id}", {field: NEW[field]}))
    assert shown.keys() == MANAGED_EVENT_FIELDS
    assert before[field] != NEW[field]
    assert shown == {**before, field: NEW[field], "updated_at": shown["updated_at"]}
    assert await event_as_seen_by(stage.organizer, event) == shown


async def test_all_fields_can_change_in_one_request(stage: Stage, event: Event) -> None:
    before = await event_as_seen_by(stage.organizer, event)
    shown = data_of(await stage.organizer.put(f"/events/{event.id}", NEW))
    assert shown == {**before, **NEW, "updated_at": shown["updated_at"]}


@pytest.mark.parametrize("field", sorted(NEW.keys() - {"name", "privacy"}))
async def test_null_clears_an_optional_field_and_a_blank_value_does_not(stage: Stage, event: Event, field: str) -> None:
    path, nothing = f"/events/{event.id}", {"socials": list, "wallets": dict}
    cleared = nothing[field]() if field in nothing else None
    before = await event_as_seen_by(stage.organizer, event)
    kept = data_of(await stage.organizer.put(path, {field: " \t"}))
    assert kept == before
    shown = data_of(await stage.organizer.put(path, {field: None}))
    assert shown == {**before, field: cleared, "updated_at": shown["updated_at"]}
    assert await event_as_seen_by(stage.organizer, event) == shown


@pytest.mark.parametrize("field", ["name", "privacy"])
async def test_required_field_cannot_be_cleared(stage: Stage, event: Event, field: str) -> None:
    request = stage.organizer.put(f"/events/{event.id}", {field: None})
    assert set(await refused(request, 400, "VALIDATION_ERROR")) == {field}


@pytest.mark.parametrize("body", [{}, None, {"name": "  ", "location": ""}])
async def test_empty_update_changes_nothing(stage: Stage, event: Event, body: dict[str, Any] | None) -> None:
    before, shown = await snapshot(), await event_as_seen_by(stage.organizer, event)
    assert data_of(await stage.organizer.put(f"/events/{event.id}", body)) == shown
    assert await snapshot() == before


async def test_update_changes_updated_at(stage: Stage, event: Event) -> None:
    long_ago = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    await Event.filter(id=event.id).update(created_at=long_ago, updated_at=long_ago)
    shown = data_of(await stage.organizer.put(f"/events/{event.id}", {"notice": "x"}))
    assert shown["created_at"] == "2020-01-01T00:00:00Z"
    assert shown["updated_at"] > "2020-01-02"


@pytest.mark.parametrize("sent", ["cONCERT", " concert "])
async def test_category_is_case_insensitive(stage: Stage, event: Event, sent: str) -> None:
    assert data_of(await stage.organizer.put(f"/events/{event.id}", {"category": sent}))["category"] == "Concert"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "x" * 201), ("name", "a\nb"), ("name", 5), ("location", "x" * 256), ("description", "x" * 20_001),
        ("category", "Party"), ("privacy", "secret"), ("date", "2030-02-30"),
        ("date", "14.04.2030"), ("date", 20300414),
        ("banner", "ftp://example.com/b.png"), ("logo", "javascript:alert(1)"), ("emailtitle", "a\nb"),
        ("notice", "a\x00b"), ("template", ["x"]),
        ("socials", {"type": "facebook", "url": "https://facebook.com"}), ("socials", [{"type": "facebook"}]),
        ("socials", [{"type": "x", "url": "javascript:alert(1)"}]), ("socials", ["https://facebook.com"]),
        ("socials", [{"type": "x", "url": "https://x.com", "extra": 1}]),
        ("socials", [{"type": "x", "url": "https://x.com"}] * 51),
        ("wallets", [{"bkash": "017"}]), ("wallets", {"paypal": "017"}), ("wallets", {"bkash": " "}),
        ("wallets", {"bkash": None}), ("wallets", {"bkash": 17}), ("wallets", "bkash"),
        ("organisation_id", 1), ("tickets", []), ("eventcount", 1),
    ],
)  # fmt: skip
async def test_invalid_field_is_refused_by_name(stage: Stage, event: Event, field: str, value: Any) -> None:
    body = {"notice": "must not be stored", field: value}
    fields = await refused(stage.organizer.put(f"/events/{event.id}", body), 400, "VALIDATION_ERROR")
    assert {name.partition(".")[0] for name in fields} == {field}


# Date and deadline (decisions 4.2) ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stored", "body", "field"),
    [
        ({"date": 10}, {"deadline": 11}, "deadline"),
        ({"deadline": 10}, {"date": 9}, "date"),
        ({"date": 10, "deadline": 5}, {"date": 4}, "date"),
        ({"date": 10, "deadline": 5}, {"deadline": 11}, "deadline"),
        ({"date": 10, "deadline": 5}, {"date": 20, "deadline": 21}, "deadline"),
        ({}, {"date": 20, "deadline": 21}, "deadline"),
    ],
)
async def test_deadline_after_the_date_is_refused(
    world: World, stage: Stage, stored: dict[str, int], body: dict[str, int], field: str
) -> None:
    event = await world.event(stage.organization, **{name: datetime.date(2030, 5, day) for name, day in stored.items()})
    request = stage.organizer.put(f"/events/{event.id}", {**dates_in_may(body), "name": "x"})
    assert set(await refused(request, 400, "VALIDATION_ERROR")) == {field}


@pytest.mark.parametrize(
    ("stored", "body"),
    [
        ({"date": 10}, {"deadline": 10}),
        ({"deadline": 10}, {"date": 10}),
        ({"date": 10, "deadline": 5}, {"date": 30, "deadline": 20}),
        ({"date": 30, "deadline": 20}, {"date": 10, "deadline": 5}),
        ({"date": 10, "deadline": 5}, {"date": None, "deadline": 20}),
        ({"date": 10, "deadline": 5}, {"deadline": None, "date": 1}),
        ({"date": 10, "deadline": 5}, {"date": None}),
        ({"date": 10, "deadline": 5}, {"deadline": None}),
    ],
)
async def test_date_and_deadline_can_change_together_or_alone(
    world: World, stage: Stage, stored: dict[str, int], body: dict[str, int | None]
) -> None:
    event = await world.event(stage.organization, **{name: datetime.date(2030, 5, day) for name, day in stored.items()})
    shown = data_of(await stage.organizer.put(f"/events/{event.id}", dates_in_may(body)))
    expected = {"date": None, "deadline": None, **dates_in_may(stored), **dates_in_may(body)}
    assert {name: shown[name] for name in expected} == expected


def dates_in_may(days: Any) -> dict[str, str | None]:  # Any: a dict of numbers and None
    return {name: day and f"2030-05-{day:02d}" for name, day in days.items()}


async def test_new_deadline_opens_or_closes_registration(stage: Stage, event: Event) -> None:
    for deadline, is_open in (("2020-01-01", False), ("2030-01-01", True)):
        shown = data_of(await stage.organizer.put(f"/events/{event.id}", {"deadline": deadline}))
        assert shown["registration_open"] is is_open
        response = await stage.buyer.post("/tickets", {"event_id": event.id})
        assert response.status_code == (201 if is_open else 400)


# Effects of a change --------------------------------------------------------------------------------------------


async def test_lists_are_ordered_by_the_new_date(world: World, stage: Stage) -> None:
    early, late, undated = [
        await world.event(stage.organization, date=date, name="Mela")
        for date in (datetime.date(2030, 1, 1), datetime.date(2030, 3, 1), None)
    ]
    data_of(await stage.organizer.put(f"/events/{undated.id}", {"date": "2030-02-01"}))
    assert page_in(await world.anonymous.get("/events", search="mela"))[0] == [early.id, undated.id, late.id]
    data_of(await stage.organizer.put(f"/events/{early.id}", {"date": None}))
    assert page_in(await world.anonymous.get("/events", search="mela"))[0] == [undated.id, late.id, early.id]


@pytest.mark.parametrize("field", ["name", "location", "description"])
async def test_search_finds_the_event_by_its_new_text(world: World, stage: Stage, event: Event, field: str) -> None:
    data_of(await stage.organizer.put(f"/events/{event.id}", {field: "শিল্পকলা Shilpakala"}))
    for word in ("শিল্পকলা", "SHILPAKALA"):
        assert page_in(await world.anonymous.get("/events", search=word))[0] == [event.id]
    assert page_in(await world.anonymous.get("/events", search=OLD[field]))[0] == []
    others = {"name", "location", "description"} - {field}
    assert [page_in(await world.anonymous.get("/events", search=OLD[name]))[0] for name in others] == [[event.id]] * 2


async def test_category_filter_finds_the_event_by_its_new_category(world: World, stage: Stage, event: Event) -> None:
    data_of(await stage.organizer.put(f"/events/{event.id}", {"category": "Games"}))
    assert page_in(await world.anonymous.get("/events", category="Games"))[0] == [event.id]
    assert page_in(await world.anonymous.get("/events", category="Other"))[0] == []


async def test_privacy_hides_and_shows_the_event(world: World, stage: Stage, event: Event) -> None:
    path = f"/events/{event.id}"
    data_of(await stage.organizer.put(path, {"privacy": "private"}))
    error_in(await world.anonymous.get(path), 404, "NOT_FOUND")
    assert page_in(await world.anonymous.get("/events"))[0] == [stage.event.id]
    assert data_of(await world.anonymous.get(f"/organizations/{stage.organization.id}"))["public_event_count"] == 1
    data_of(await stage.organizer.put(path, {"privacy": "public"}))
    assert data_of(await world.anonymous.get(path))["id"] == event.id
    assert page_in(await world.anonymous.get("/events"))[1]["total"] == 2
    assert data_of(await world.anonymous.get(f"/organizations/{stage.organization.id}"))["public_event_count"] == 2


async def test_email_texts_are_visible_only_to_those_who_manage_the_event(
    world: World, stage: Stage, event: Event
) -> None:
    mails = {"emailtitle": "Secret title", "emailmessage": "Secret message", "template": "Secret template"}
    data_of(await stage.organizer.put(f"/events/{event.id}", mails))
    for caller in (world.anonymous, stage.buyer, stage.rival):
        response = await caller.get(f"/events/{event.id}")
        assert data_of(response).keys() == EVENT_DETAIL_FIELDS
        assert "Secret" not in response.text
    shown = await event_as_seen_by(stage.admin, event)
    assert {name: shown[name] for name in mails} == mails
