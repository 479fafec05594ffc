"""The end of registration, at midnight in the platform's time zone (decisions 4.2)."""

import datetime
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest

from amarevents.models import Event
from tests.rest.conftest import Stage
from tests.support.rest_answers import data_of, refused
from tests.support.world import World, in_days

SetClock = Callable[[datetime.datetime], None]

LAST_DAY = datetime.date(2030, 5, 10)
# Midnight in Dhaka is 18:00 UTC of the day before.
LAST_SECOND = datetime.datetime(2030, 5, 10, 17, 59, 59, tzinfo=datetime.UTC)
MIDNIGHT = datetime.datetime(2030, 5, 10, 18, 0, 0, tzinfo=datetime.UTC)


async def event_ending_on_last_day(world: World, field: str) -> Event:
    owner = await world.organizer()
    date = LAST_DAY if field == "date" else LAST_DAY + datetime.timedelta(days=30)
    return await world.event(owner, **{"date": date, field: LAST_DAY})


@pytest.mark.parametrize("field", ["deadline", "date"])
async def test_registration_is_open_until_the_end_of_the_day(
    world: World, stage: Stage, set_clock: SetClock, field: str
) -> None:
    event = await event_ending_on_last_day(world, field)
    set_clock(LAST_SECOND)
    assert data_of(await world.anonymous.get(f"/events/{event.id}"))["registration_open"] is True
    assert data_of(await stage.buyer.post("/tickets", {"event_id": event.id}), 201)["event_id"] == event.id


@pytest.mark.parametrize("field", ["deadline", "date"])
async def test_registration_is_closed_from_midnight_in_dhaka(
    world: World, stage: Stage, set_clock: SetClock, field: str
) -> None:
    event = await event_ending_on_last_day(world, field)
    set_clock(MIDNIGHT)
    assert data_of(await world.anonymous.get(f"/events/{event.id}"))["registration_open"] is False
    await refused(stage.buyer.post("/tickets", {"event_id": event.id}), 400, "REGISTRATION_CLOSED")


async def test_configured_time_zone_decides_when_the_day_ends(
    world: World, stage: Stage, set_clock: SetClock, configure: Callable[..., None]
) -> None:
    event = await event_ending_on_last_day(world, "deadline")
    configure(time_zone=ZoneInfo("America/New_York"))
    set_clock(MIDNIGHT)
    assert data_of(await stage.buyer.post("/tickets", {"event_id": event.id}), 201)["event_id"] == event.id


@pytest.mark.parametrize(
    ("days", "is_open"),
    [
        ({"deadline": -1, "date": 5}, False),
        ({"deadline": 0, "date": 5}, True),
        ({"deadline": 1, "date": 5}, True),
        ({"date": -1}, False),
        ({"date": 0}, True),
        ({}, True),
    ],
)
async def test_registration_closes_the_day_after_the_deadline_or_date(
    world: World, stage: Stage, days: dict[str, int], is_open: bool
) -> None:
    event = await world.event(await world.organizer(), **{name: in_days(count) for name, count in days.items()})
    assert data_of(await world.anonymous.get(f"/events/{event.id}"))["registration_open"] is is_open
    if is_open:
        data_of(await stage.buyer.post("/tickets", {"event_id": event.id}), 201)
    else:
        await refused(stage.buyer.post("/tickets", {"event_id": event.id}), 400, "REGISTRATION_CLOSED")


async def test_owner_and_admins_register_others_after_the_deadline(world: World, stage: Stage) -> None:
    event = await world.event(stage.organization, deadline=in_days(-1), date=in_days(3))
    await refused(stage.rival.post("/tickets", {"event_id": event.id}), 400, "REGISTRATION_CLOSED")
    for caller in (stage.organizer, stage.admin):
        guest = {"event_id": event.id, "name": "Guest", "email": "guest@example.com"}
        assert data_of(await caller.post("/tickets", guest), 201)["name"] == "Guest"


async def test_capacity_applies_to_organizers_and_admins_after_the_deadline(world: World, stage: Stage) -> None:
    event = await world.event(stage.organization, deadline=in_days(-1), date=in_days(3))
    await world.ticket_type(event, capacity=1)
    data_of(await stage.organizer.post("/tickets", {"event_id": event.id}), 201)
    for caller in (stage.organizer, stage.admin):
        await refused(caller.post("/tickets", {"event_id": event.id}), 400, "SOLD_OUT")


async def test_deadline_applies_to_a_user_key_of_the_owner(world: World, stage: Stage) -> None:
    assert stage.organizer.user is not None
    event = await world.event(stage.organization, deadline=in_days(-1), date=in_days(3))
    own_user_key = await world.key(stage.organizer.user)
    await refused(own_user_key.post("/tickets", {"event_id": event.id}), 400, "REGISTRATION_CLOSED")
