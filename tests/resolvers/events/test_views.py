"""The end of registration, in the platform's time zone (decisions 4.2)."""

import datetime
from zoneinfo import ZoneInfo

import pytest

from amarevents.models import Event
from amarevents.resolvers.events.views import is_registration_open

DHAKA = ZoneInfo("Asia/Dhaka")
TENTH = datetime.date(2030, 5, 10)
TWELFTH = datetime.date(2030, 5, 12)


def at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("deadline", "date", "now", "is_open"),
    [
        (TENTH, TWELFTH, "2030-05-10T23:59:59.999999+06:00", True),
        (TENTH, TWELFTH, "2030-05-11T00:00:00+06:00", False),
        (TENTH, TWELFTH, "2030-05-10T17:59:59+00:00", True),
        (TENTH, TWELFTH, "2030-05-10T18:00:00+00:00", False),
        (TENTH, None, "2030-05-10T18:00:00+00:00", False),
        (None, TWELFTH, "2030-05-12T17:59:59+00:00", True),
        (None, TWELFTH, "2030-05-12T18:00:00+00:00", False),
        (None, None, "2999-01-01T00:00:00+00:00", True),
    ],
)
def test_registration_closes_at_the_end_of_the_last_day(
    deadline: datetime.date | None, date: datetime.date | None, now: str, is_open: bool
) -> None:
    assert is_registration_open(Event(name="x", deadline=deadline, date=date), at(now), DHAKA) is is_open


@pytest.mark.parametrize(("zone", "is_open"), [("Asia/Dhaka", False), ("UTC", True), ("America/New_York", True)])
def test_time_zone_decides_when_the_day_ends(zone: str, is_open: bool) -> None:
    event = Event(name="x", deadline=TENTH)
    assert is_registration_open(event, at("2030-05-10T20:00:00+00:00"), ZoneInfo(zone)) is is_open
