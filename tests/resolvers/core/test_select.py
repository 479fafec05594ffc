"""Views read straight from rows: the same values as the models have, on both databases."""

import datetime
from dataclasses import dataclass
from decimal import Decimal

import pytest

from amarevents.models import CustomField, Event, TicketType
from amarevents.models.columns import utc_now
from amarevents.models.db.sql import dialect, is_in, sql
from amarevents.models.enums import Category, FieldType
from amarevents.resolvers.core import sources
from amarevents.resolvers.core.loading import load_with_parent
from amarevents.resolvers.core.select import Part, Select
from amarevents.resolvers.core.sources import Source, derived
from tests.support.statements import counted_statements
from tests.support.world import World


@dataclass(slots=True, kw_only=True)
class TypeView:
    """A view with one field of each kind."""

    id: int
    name: str
    price: Decimal
    capacity: int
    description: str | None
    created_at: datetime.datetime
    event_name: str
    category: Category | None
    date: datetime.date | None
    is_dear: bool
    places_left: int


def _source() -> Source[TypeView]:
    return Source(
        TypeView,
        "ticket_types",
        joins={"events": "JOIN events ON events.id = ticket_types.event_id"},
        event_name="events.name",
        category="events.category",
        date="events.date",
        is_dear="ticket_types.capacity > 10",
        places_left=derived(lambda view: view.capacity - 1, "capacity"),
    )


TYPES = Select(_source())


@dataclass(slots=True, kw_only=True)
class FieldView:
    id: int
    type: FieldType
    options: list[str]
    required: bool


FIELDS = Select(Source(FieldView, "custom_fields"))


@dataclass(slots=True, kw_only=True)
class PriceView:
    id: int
    price: Decimal
    created_at: datetime.datetime
    capacity: int
    is_limited: bool


@dataclass(slots=True, kw_only=True)
class EventView:
    id: int
    name: str
    types: list[PriceView]
    fields: list[FieldView]


EVENTS = Select(Source(EventView, "events", later=("types", "fields")))
PRICES = Select(Source(PriceView, "ticket_types", is_limited="ticket_types.capacity > 0")).order_by("ticket_types.id")
TYPES_OF_EVENT = Part(PRICES, "event_id")
FIELDS_OF_EVENT = Part(FIELDS, "event_id")


async def _types(world: World, number: int = 1) -> list[TicketType]:
    day = datetime.date(2030, 5, 1)
    event = await world.event(await world.organizer(), name="মেলা", date=day, category=Category.CONCERT)
    return [await world.ticket_type(event, price="499.50", capacity=10 + one) for one in range(number)]


async def test_views_have_the_values_of_the_models(world: World) -> None:
    first, second = await _types(world, 2)
    views = await TYPES.order_by("ticket_types.id").fetch()
    assert views == [
        TypeView(
            id=row.id,
            name=row.name,
            price=Decimal("499.50"),
            capacity=row.capacity,
            description=None,
            created_at=row.created_at,
            event_name="মেলা",
            category=Category.CONCERT,
            date=datetime.date(2030, 5, 1),
            is_dear=row is second,
            places_left=row.capacity - 1,
        )
        for row in (first, second)
    ]
    assert [type(view.is_dear) for view in views] == [bool, bool]
    assert views[0].price.as_tuple().exponent == -2
    assert views[0].created_at.utcoffset() == datetime.timedelta(0)
    assert isinstance(views[0].category, Category)


async def test_missing_values_are_none(world: World) -> None:
    event = await world.event(await world.organizer(), date=None, category=None)
    await world.ticket_type(event)
    [view] = await TYPES.fetch()
    assert (view.date, view.category, view.description) == (None, None, None)


async def test_json_columns_are_values(world: World) -> None:
    event = await world.event(await world.organizer())
    field = await world.custom_field(event, "Size", type=FieldType.DROPDOWN, options=["বড়", "small"], required=True)
    [view] = await FIELDS.fetch()
    assert view == FieldView(id=field.id, type=FieldType.DROPDOWN, options=["বড়", "small"], required=True)


async def test_only_wanted_fields_are_read(world: World) -> None:
    await _types(world)
    with counted_statements() as statements:
        [view] = await TYPES.fetch(frozenset({"name", "unknown"}))
    assert statements[0].startswith("SELECT ticket_types.name FROM ticket_types ")
    assert "JOIN" not in statements[0]
    assert view.name
    with pytest.raises(AttributeError):
        view.price  # noqa: B018 - reading it is the test


async def test_derived_field_reads_what_it_needs(world: World) -> None:
    [row] = await _types(world)
    with counted_statements() as statements:
        [view] = await TYPES.fetch(frozenset({"places_left"}))
    assert statements[0].startswith("SELECT ticket_types.capacity FROM")
    assert view.places_left == row.capacity - 1


async def test_source_refuses_an_unknown_field() -> None:
    with pytest.raises(ValueError, match="no fields prize"):
        Source(TypeView, "ticket_types", prize="ticket_types.price")


async def test_readers_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await _types(world)
    monkeypatch.setattr(sources, "_MAX_READERS", 3)
    source = _source()
    for number in range(20):
        [view] = await Select(source).fetch(frozenset({"name", f"other{number}"}))
        assert view.name
        assert len(source._readers) <= 3


@pytest.mark.parametrize("offset", [0, 1, 4, 5, 9])
async def test_page_has_the_rows_after_the_offset(world: World, offset: int) -> None:
    ids = [row.id for row in await _types(world, 5)]
    views = await TYPES.order_by("ticket_types.id", descending=True).page(2, offset).fetch()
    assert [view.id for view in views] == ids[::-1][offset : offset + 2]
    assert all(view.event_name == "মেলা" for view in views)


async def test_count_ignores_the_page(world: World) -> None:
    first, *_ = await _types(world, 3)
    assert await TYPES.page(1, 1).count() == 3
    assert await TYPES.where(sql("ticket_types.id > ?", first.id)).count() == 2
    assert not await TYPES.where(sql("ticket_types.id = ?", 0)).exists()
    assert await TYPES.where(sql("ticket_types.id = ?", first.id)).exists()


async def test_groups_have_an_entry_for_every_key(world: World) -> None:
    types = await _types(world, 2)
    event_id = types[0].event_id
    with counted_statements() as statements:
        groups = await TYPES.order_by("ticket_types.id").grouped_by("event_id", [event_id, 0], frozenset({"id"}))
    assert {key: [view.id for view in views] for key, views in groups.items()} == {
        event_id: [row.id for row in types],
        0: [],
    }
    assert len(statements) == 1
    assert await TYPES.grouped_by("event_id", []) == {}


@pytest.mark.parametrize("number", [0, 1, 3])
async def test_views_are_read_with_their_parts(world: World, number: int) -> None:
    types = await _types(world, number)
    event = await world.event(await world.organizer(), name="Empty")
    field = await world.custom_field(event, "Size", type=FieldType.DROPDOWN, options=["বড়"])
    with counted_statements() as statements:
        views = await EVENTS.order_by("events.id").fetch_with(types=TYPES_OF_EVENT, fields=FIELDS_OF_EVENT)
    *full, empty = [(view.name, view.types, [one.id for one in view.fields]) for view in views]
    assert empty == ("Empty", [], [field.id])
    assert [view.id for _, found, _ in full for view in found] == [row.id for row in types]
    assert [view for _, found, _ in full for view in found] == await PRICES.fetch()
    assert len(statements) == (1 if dialect() == "postgres" else 3)


@pytest.mark.backend("postgres")
async def test_part_with_columns_of_the_parent_is_refused(database: None) -> None:
    with pytest.raises(ValueError, match="TypeView has fields of events"):
        await EVENTS.fetch_with(types=Part(TYPES, "event_id"))


async def test_loaded_model_can_be_saved(world: World) -> None:
    [row] = await _types(world)
    [(loaded, _)] = await load_with_parent(TicketType, Event, "event_id", is_in("ticket_types.id", [row.id]))
    assert loaded == row
    assert (loaded.price, loaded.created_at) == (row.price, row.created_at)
    loaded.name = "Balcony"
    await loaded.save(update_fields=["name"])
    assert (await TicketType.get(id=row.id)).name == "Balcony"


async def test_model_is_loaded_with_its_parent(world: World) -> None:
    event = await world.event(
        await world.organizer(), name="Fair", socials=[{"type": "web", "url": "https://x.example"}]
    )
    field = await world.custom_field(event, "Size")
    with counted_statements() as statements:
        [(found, parent)] = await load_with_parent(
            CustomField, Event, "event_id", sql("custom_fields.id = ?", field.id)
        )
    assert (found.name, found.options, parent.name, parent.socials) == ("Size", [], "Fair", event.socials)
    assert parent.updated_at <= utc_now()
    assert len(statements) == 1
