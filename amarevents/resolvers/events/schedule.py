"""The order of event lists and their filters by date: first what is still to come (decisions 1.7)."""

import datetime
from functools import lru_cache

from pydantic import Field, StrictBool, ValidationInfo, field_validator

from amarevents.models.db.sql import TRUE, Sql, sql
from amarevents.models.enums import EventSort
from amarevents.models.events import UNDATED
from amarevents.resolvers.core.inputs import Date, Input
from amarevents.resolvers.core.sorting import Segment, SortOrder, parse_id

_ALL = (Segment(),)
_NEWEST_FIRST = (Segment(descending=True),)
_LATEST_FIRST = (Segment(stop=UNDATED, descending=True), Segment(start=UNDATED))


class EventSchedule(Input):
    """The dates of the events to list, and their order."""

    from_: Date | None = Field(None, alias="from")
    """The first date of the events, such as 2027-01-31. Events without a date are left out."""
    to: Date | None = None
    """The last date of the events, such as 2027-01-31. Events without a date are left out."""
    upcoming: StrictBool | None = None
    """True returns only events that are still to come, which are those of today and later and those without a date;
    false returns only past events."""
    sort: EventSort | None = None
    """The order of the events. By default, events that are still to come are first, soonest first and those without a
    date last, followed by past events, most recent first."""

    @field_validator("to")
    @classmethod
    def _check_to(cls, to: datetime.date | None, info: ValidationInfo) -> datetime.date | None:
        start = info.data.get("from_")
        if to is not None and start is not None and to < start:
            raise ValueError("must be on or after from")
        return to

    def condition(self, today: datetime.date) -> Sql:
        """Return the condition that the date of an event matches."""
        condition = TRUE
        if self.from_ is not None:
            condition &= sql("events.sort_date >= ? AND events.sort_date < ?", self.from_, UNDATED)
        if self.to is not None:
            condition &= sql("events.sort_date <= ? AND events.sort_date < ?", self.to, UNDATED)
        if self.upcoming is not None:
            condition &= sql(f"events.sort_date {'>=' if self.upcoming else '<'} ?", today)
        return condition


@lru_cache(maxsize=16)
def event_order(sort: EventSort | None, today: datetime.date) -> SortOrder:
    """Return the order of a list. ``UNDATED`` sorts events without a date after all others."""
    upcoming_first = (Segment(start=today), Segment(stop=today, descending=True))
    segments = {
        None: upcoming_first,
        EventSort.DATE: _ALL,
        EventSort.DATE_DESCENDING: _LATEST_FIRST,
        EventSort.NEWEST: _NEWEST_FIRST,
    }[sort]
    by_date = {} if sort is EventSort.NEWEST else {"sort_date": datetime.date.fromisoformat}
    name = f"events/2/{sort or 'default'}"
    columns = {**by_date, "id": parse_id}
    return SortOrder(name=name, columns=columns, segments=segments, day=today, fields=frozenset({"date", "id"}))
