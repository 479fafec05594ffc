"""What a registration has to know of an event, read in one statement: its terms, ticket types and custom fields."""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

import orjson

from amarevents import errors
from amarevents.models.db.sql import Row, Sql, dialect, fetch, sql
from amarevents.models.enums import FieldType
from amarevents.resolvers.core.inputs import RecordId
from amarevents.resolvers.core.permissions import visible_events
from amarevents.resolvers.core.select import Select
from amarevents.resolvers.core.sources import Source
from amarevents.resolvers.events.custom_fields import CustomFieldView
from amarevents.resolvers.tickets.holds import UNPAID
from amarevents.security.context import Context


@dataclass(frozen=True, slots=True)
class OfferedType:
    """A ticket type, and whether a place was left when it was read; only the claim of a place prevents overselling."""

    id: RecordId
    name: str
    price: Decimal
    is_full: bool
    """Whether all places are taken, even if only by holds that are overdue."""
    has_overdue_holds: bool
    """Whether one of the places of a full type is that of an overdue hold, and therefore free."""


@dataclass(slots=True, kw_only=True)
class Offer:
    """An event as it was at one moment."""

    id: RecordId
    organization_id: int
    owner_id: int
    """The ID of the account that owns the organization."""
    name: str
    date: datetime.date | None
    deadline: datetime.date | None
    location: str | None
    emailtitle: str | None
    emailmessage: str | None
    hold_minutes: int | None
    places_per_account: int | None
    ticket_types: list[OfferedType]
    """The ticket types, by ID."""
    custom_fields: list[CustomFieldView]
    """The custom fields, in their order."""

    def choose_ticket_type(self, ticket_type_id: int | None) -> OfferedType | None:
        """Return the requested type, or the first one that has a place, or None for an event without types (6.4).

        A place of an overdue hold is free. Raises SoldOut if no place was left when the offer was read, and
        ValidationFailed if the requested type is not one of the event.
        """
        candidates = [one for one in self.ticket_types if ticket_type_id in (None, one.id)]
        if ticket_type_id is not None and not candidates:
            raise errors.ValidationFailed({"ticket_type_id": "is not a ticket type of this event"})
        for one in candidates:
            if not one.is_full or one.has_overdue_holds:
                return one
        if candidates:
            raise errors.SoldOut
        return None


_IS_FULL = "offered.sold >= offered.capacity AND offered.capacity > 0"
_HAS_OVERDUE_HOLDS = (
    f"EXISTS (SELECT 1 FROM tickets WHERE {UNPAID} AND tickets.hold_expires_at <= ? "
    "AND tickets.event_id = offered.event_id AND tickets.ticket_type_id = offered.id)"
)
_TYPE_COLUMNS = (
    "offered.id",
    "offered.name",
    "CAST(offered.price AS TEXT)",
    _IS_FULL,
    f"CASE WHEN {_IS_FULL} THEN {_HAS_OVERDUE_HOLDS} END",
)
_FIELD_COLUMNS = tuple(f"asked.{name}" for name in ("position", "id", "name", "type", "options", "required"))
_JSON = {
    "postgres": "COALESCE(JSON_AGG(JSON_BUILD_ARRAY({})), '[]')",
    "sqlite": "JSON_GROUP_ARRAY(JSON_ARRAY({}))",
}


def _rows(of_dialect: str, columns: tuple[str, ...], table: str) -> str:
    """Return the expression for the rows of the event in a table, as JSON."""
    name = table.split()[-1]
    listed = _JSON[of_dialect].format(", ".join(columns))
    return f"(SELECT {listed} FROM {table} WHERE {name}.event_id = events.id)"


_OFFERS = {
    name: Select(
        Source(
            Offer,
            "events",
            joins={"organizations": "JOIN organizations ON organizations.id = events.organization_id"},
            owner_id="organizations.user_id",
            ticket_types=_rows(name, _TYPE_COLUMNS, "ticket_types AS offered"),
            custom_fields=_rows(name, _FIELD_COLUMNS, "custom_fields AS asked"),
        )
    )
    for name in _JSON
}


async def load_offer(ctx: Context, event_id: int) -> Offer:
    """Return the offer of an event. Raises NotFound if the caller may not see it."""
    offers = _OFFERS[dialect()].where(sql("events.id = ?", event_id), visible_events(ctx))
    reader = offers.source.reader(None)
    columns, read = reader.columns, reader.read
    statement = offers.statement(columns, reader.joins)
    rows = await fetch(Sql(statement.text, (ctx.now, *statement.values)))
    if not rows:
        raise errors.NotFound("Event")
    offer: Offer = read(rows)[0]
    types, fields = _rows_in(offer.ticket_types), _rows_in(offer.custom_fields)
    offer.ticket_types = [_offered_type(row) for row in types]
    offer.custom_fields = [_custom_field(offer.id, row) for row in fields]
    return offer


def _rows_in(field: object) -> list[Row]:
    """Return the rows that have been read into a field, sorted by their first two columns."""
    return sorted(cast("list[Row]", field), key=lambda row: (row[0], row[1]))


def _offered_type(row: Row) -> OfferedType:
    type_id, name, price, is_full, has_overdue_holds = row
    return OfferedType(RecordId(type_id), name, Decimal(price), bool(is_full), bool(has_overdue_holds))


def _custom_field(event_id: RecordId, row: Row) -> CustomFieldView:
    position, field_id, name, kind, options, required = row
    return CustomFieldView(
        id=RecordId(field_id),
        event_id=event_id,
        name=name,
        type=FieldType(kind),
        options=orjson.loads(options) if isinstance(options, str) else options,  # SQLite stores them as text
        required=bool(required),
        position=position,
    )
