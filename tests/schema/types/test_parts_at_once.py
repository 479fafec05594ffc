"""Custom fields and pictures that are added, moved and taken away at the same time, and registrations amid it."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tortoise import connections

from amarevents.models import CustomField, CustomValue, GalleryImage, Ticket, TicketType
from amarevents.models.db.connection import CONNECTION
from amarevents.resolvers.events import custom_fields, gallery, ordering
from amarevents.resolvers.tickets import registration
from tests.rest.conftest import Stage
from tests.support.event_parts import CREATE_FIELD, CREATE_IMAGE, DELETE_FIELD, REORDER_FIELDS, UPDATE_FIELD, url
from tests.support.graphql_answers import Request, error_code, run_concurrently
from tests.support.orphans import unbalanced
from tests.support.pauses import Pause
from tests.support.rest_answers import data_of, error_in
from tests.support.world import World

# Any throughout: JSON, and what the guarded functions take.


def creating(stage: Stage, name: str, **fields: Any) -> Request:
    given = {"eventId": stage.event.id, "name": name, "type": "TEXT", **fields}
    return stage.organizer.graphql_response(CREATE_FIELD, input=given)


def reordering(stage: Stage, ids: Sequence[object]) -> Request:
    return stage.organizer.graphql_response(REORDER_FIELDS, input={"eventId": stage.event.id, "ids": list(ids)})


def deleting(stage: Stage, field_id: object) -> Request:
    return stage.organizer.graphql_response(DELETE_FIELD, id=field_id)


@pytest.fixture
def unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the lock, and without the write lock that each transaction of SQLite has; others come in between."""

    @asynccontextmanager
    async def no_transaction() -> AsyncIterator[None]:
        yield

    async def look(model: Any, event_id: int) -> Any:
        parts = await model.filter(event_id=event_id).order_by("position", "id")
        await asyncio.sleep(0.2)
        return parts

    monkeypatch.setattr(ordering, "in_transaction", no_transaction)
    monkeypatch.setattr(ordering, "lock_parts", look)


# One name, a bounded number, one order --------------------------------------------------------------------------

NAMES = ["size", "Size", "SIZE", "sIZE", "siZE", "sizE", "SizE"]


async def test_of_seven_who_take_a_name_at_once_one_gets_it(stage: Stage) -> None:
    assert await run_concurrently(*(creating(stage, name) for name in NAMES)) == {None: 1, "NAME_TAKEN": 6}
    assert await CustomField.all().count() == 1


@pytest.mark.usefixtures("unguarded")
async def test_without_the_lock_several_would_get_the_name(stage: Stage) -> None:
    assert (await run_concurrently(*(creating(stage, name) for name in NAMES)))[None] > 1


async def create_to_the_bound(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """How many fields and pictures there are when twelve of each are added at once, and five may be."""
    monkeypatch.setattr(custom_fields, "MAX_CUSTOM_FIELDS", 5)
    monkeypatch.setattr(gallery, "MAX_GALLERY_IMAGES", 5)
    image = {"eventId": stage.event.id, "url": url("a")}
    happened = await run_concurrently(
        *(creating(stage, f"Question {number}") for number in range(12)),
        *(stage.organizer.graphql_response(CREATE_IMAGE, input=image) for _ in range(12)),
    )
    assert happened.keys() <= {None, "TOO_MANY_CUSTOM_FIELDS", "TOO_MANY_GALLERY_IMAGES"}
    return await CustomField.all().count(), await GalleryImage.all().count()


async def test_twelve_at_once_do_not_exceed_the_bound(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await create_to_the_bound(stage, monkeypatch) == (5, 5)


@pytest.mark.usefixtures("unguarded")
async def test_counting_without_the_lock_would_exceed_the_bound(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    fields, images = await create_to_the_bound(stage, monkeypatch)
    assert min(fields, images) > 5


async def positions_after_all_kinds_of_changes(world: World, stage: Stage) -> list[int]:
    chance = random.Random(7)
    ids = [(await world.custom_field(stage.event, f"Question {number}", position=number)).id for number in range(6)]
    requests = [
        *(creating(stage, f"Last {number}") for number in range(6)),
        *(creating(stage, f"First {number}", position=number % 3) for number in range(6)),
        *(reordering(stage, chance.sample(ids, len(ids))) for _ in range(6)),
        *(deleting(stage, field_id) for field_id in ids[:2]),
    ]
    chance.shuffle(requests)
    assert (await run_concurrently(*requests)).keys() <= {None, "VALIDATION_ERROR"}
    positions: list[Any] = await CustomField.all().order_by("position").values_list("position", flat=True)
    return positions


async def test_whatever_happens_at_once_no_two_fields_have_one_position(world: World, stage: Stage) -> None:
    positions = await positions_after_all_kinds_of_changes(world, stage)
    assert len(positions) == len(set(positions)) == 16


@pytest.mark.usefixtures("unguarded")
async def test_without_the_lock_positions_would_collide(world: World, stage: Stage) -> None:
    positions = await positions_after_all_kinds_of_changes(world, stage)
    assert len(positions) > len(set(positions))


# What goes meanwhile --------------------------------------------------------------------------------------------


async def create_while_the_event_goes(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> str | None:
    pause = Pause(monkeypatch)
    pause.stop_after(ordering, "require_event_manager")
    answer, other = await pause.during(creating(stage, "Size"), stage.organizer.delete(f"/events/{stage.event.id}"))
    data_of(other)
    assert await CustomField.all().count() == 0
    return error_code(answer)


async def test_who_has_looked_before_the_event_went_adds_no_field(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await create_while_the_event_goes(stage, monkeypatch) == "NOT_FOUND"


@pytest.mark.usefixtures("unguarded")
async def test_without_looking_again_only_the_database_would_object(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await create_while_the_event_goes(stage, monkeypatch) == "INTERNAL"


@pytest.mark.parametrize("what", [UPDATE_FIELD, DELETE_FIELD])
async def test_a_field_that_has_gone_meanwhile_is_not_found(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    field = await world.custom_field(stage.event, "Size")
    pause = Pause(monkeypatch)
    pause.stop_after(ordering, "require_part_manager")
    changing = stage.organizer.graphql_response(what, id=field.id, input={"required": True})
    answer, other = await pause.during(changing, deleting(stage, field.id))
    assert (error_code(answer), error_code(other)) == ("NOT_FOUND", None)


@pytest.mark.parametrize("change", ["creation", "deletion"])
async def test_an_order_of_what_has_changed_meanwhile_is_refused(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    ids = [(await world.custom_field(stage.event, name, position=number)).id for number, name in enumerate("abc")]
    pause = Pause(monkeypatch)
    pause.stop_after(ordering, "require_event_manager")
    meanwhile = creating(stage, "d") if change == "creation" else deleting(stage, ids[0])
    answer, other = await pause.during(reordering(stage, ids[::-1]), meanwhile)
    assert (error_code(answer), error_code(other)) == ("VALIDATION_ERROR", None)
    names: list[Any] = await CustomField.all().order_by("position", "id").values_list("name", flat=True)
    assert names == (["a", "b", "c", "d"] if change == "creation" else ["b", "c"])


# Registrations --------------------------------------------------------------------------------------------------


async def test_an_answer_to_a_field_that_has_gone_meanwhile_is_refused_and_takes_no_place(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = await world.custom_field(stage.event, "Size")
    kind = await world.ticket_type(stage.event, capacity=1)
    pause = Pause(monkeypatch)
    pause.stop_before(registration, "reason_to_hold_email")
    body = {"event_id": stage.event.id, "custom_fields": {"Size": "M"}}
    answer, other = await pause.during(stage.buyer.post("/tickets", body), deleting(stage, field.id))
    assert error_code(other) is None
    assert error_in(answer, 400, "VALIDATION_ERROR").keys() == {"custom_fields"}
    assert await Ticket.all().count() == (await TicketType.get(id=kind.id)).sold == 0


async def test_fields_that_go_amid_registrations_leave_nothing_behind(world: World, stage: Stage) -> None:
    fields = [await world.custom_field(stage.event, name) for name in ("Size", "Meal")]
    body = {"event_id": stage.event.id, "custom_fields": {"Size": "M", "Meal": "Fish"}}
    crowd: list[Request] = [stage.buyer.post("/tickets", body) for _ in range(30)]
    for place, field in zip((8, 20), fields, strict=True):
        crowd.insert(place, deleting(stage, field.id))
    statuses = Counter(response.status_code for response in await asyncio.gather(*crowd))
    assert statuses.keys() <= {200, 201, 400}
    assert await Ticket.all().count() == statuses[201]
    assert await CustomField.all().count() == await CustomValue.all().count() == 0
    assert await unbalanced() == {}


# Tickets that are deleted ---------------------------------------------------------------------------------------


@pytest.fixture
async def slow_answers(world: World) -> AsyncIterator[None]:
    """Each answer that is deleted takes its time, and is locked meanwhile."""
    connection = connections.get(CONNECTION)
    await connection.execute_script(
        "CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(0.3); RETURN OLD; END $$;"
        "CREATE TRIGGER slow BEFORE DELETE ON custom_values FOR EACH ROW EXECUTE FUNCTION take_time();"
    )
    yield
    await connection.execute_script("DROP TRIGGER slow ON custom_values; DROP FUNCTION take_time;")


async def delete_a_field_and_who_has_answered_it(world: World, stage: Stage) -> Counter[str | None]:
    """The answers are of one account, and in the opposite order of its tickets."""
    field = await world.custom_field(stage.event, "Size")
    leaver = await world.user()
    tickets = [await world.ticket(stage.event, leaver) for _ in range(3)]
    for ticket in reversed(tickets):
        await CustomValue.create(ticket=ticket, field=field, value="M")
    return await run_concurrently(
        stage.admin.graphql_response("mutation($id: ID!) { deleteUser(id: $id) { deleted } }", id=leaver.id),
        deleting(stage, field.id),
    )


@pytest.mark.backend("postgres")
@pytest.mark.usefixtures("slow_answers")
async def test_a_field_and_tickets_with_answers_to_it_are_deleted_at_once(world: World, stage: Stage) -> None:
    assert await delete_a_field_and_who_has_answered_it(world, stage) == {None: 2}
    assert await unbalanced() == {}


@pytest.mark.backend("postgres")
@pytest.mark.usefixtures("slow_answers")
async def test_without_an_order_of_locks_the_two_would_deadlock(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lock_nothing(_rows: object) -> list[Ticket]:
        return []

    monkeypatch.setattr(custom_fields, "lock_in_order", lock_nothing)
    assert await delete_a_field_and_who_has_answered_it(world, stage) == {None: 1, "UNAVAILABLE": 1}
