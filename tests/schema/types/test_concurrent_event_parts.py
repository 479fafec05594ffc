"""Concurrent changes of custom fields and gallery images, and registrations during them."""

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
from tests.support.consistency import find_inconsistencies
from tests.support.event_parts import CREATE_FIELD, CREATE_IMAGE, DELETE_FIELD, REORDER_FIELDS, UPDATE_FIELD, url
from tests.support.graphql_answers import Request, error_code, run_concurrently
from tests.support.pauses import Pause
from tests.support.rest_answers import data_of, error_in
from tests.support.world import World

# Any throughout: JSON, and the arguments of the locked functions.


def creating(stage: Stage, name: str, **fields: Any) -> Request:
    given = {"eventId": stage.event.id, "name": name, "type": "TEXT", **fields}
    return stage.organizer.graphql_response(CREATE_FIELD, input=given)


def reordering(stage: Stage, ids: Sequence[object]) -> Request:
    return stage.organizer.graphql_response(REORDER_FIELDS, input={"eventId": stage.event.id, "ids": list(ids)})


def deleting(stage: Stage, field_id: object) -> Request:
    return stage.organizer.graphql_response(DELETE_FIELD, id=field_id)


@pytest.fixture
def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the row locks, and the write lock of SQLite's transactions, so that requests interleave."""

    @asynccontextmanager
    async def no_transaction() -> AsyncIterator[None]:
        yield

    async def read_slowly(model: Any, event_id: int) -> Any:
        parts = await model.filter(event_id=event_id).order_by("position", "id")
        await asyncio.sleep(0.2)
        return parts

    monkeypatch.setattr(ordering, "in_transaction", no_transaction)
    monkeypatch.setattr(ordering, "lock_parts", read_slowly)


# Unique names, maximum number and positions ---------------------------------------------------------------------

NAMES = ["size", "Size", "SIZE", "sIZE", "siZE", "sizE", "SizE"]


async def test_one_of_seven_concurrent_creations_gets_the_name(stage: Stage) -> None:
    assert await run_concurrently(*(creating(stage, name) for name in NAMES)) == {None: 1, "NAME_TAKEN": 6}
    assert await CustomField.all().count() == 1


@pytest.mark.usefixtures("without_locks")
async def test_several_creations_get_the_name_without_the_lock(stage: Stage) -> None:
    assert (await run_concurrently(*(creating(stage, name) for name in NAMES)))[None] > 1


async def create_beyond_the_maximum(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """Create twelve fields and twelve images concurrently, with a maximum of five each; return how many exist."""
    monkeypatch.setattr(custom_fields, "MAX_CUSTOM_FIELDS", 5)
    monkeypatch.setattr(gallery, "MAX_GALLERY_IMAGES", 5)
    image = {"eventId": stage.event.id, "url": url("a")}
    counts = await run_concurrently(
        *(creating(stage, f"Question {number}") for number in range(12)),
        *(stage.organizer.graphql_response(CREATE_IMAGE, input=image) for _ in range(12)),
    )
    assert counts.keys() <= {None, "TOO_MANY_CUSTOM_FIELDS", "TOO_MANY_GALLERY_IMAGES"}
    return await CustomField.all().count(), await GalleryImage.all().count()


async def test_concurrent_creations_do_not_exceed_the_maximum(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await create_beyond_the_maximum(stage, monkeypatch) == (5, 5)


@pytest.mark.usefixtures("without_locks")
async def test_concurrent_creations_exceed_the_maximum_without_the_lock(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields, images = await create_beyond_the_maximum(stage, monkeypatch)
    assert min(fields, images) > 5


async def positions_after_concurrent_changes(world: World, stage: Stage) -> list[int]:
    rng = random.Random(7)
    ids = [(await world.custom_field(stage.event, f"Question {number}", position=number)).id for number in range(6)]
    requests = [
        *(creating(stage, f"Last {number}") for number in range(6)),
        *(creating(stage, f"First {number}", position=number % 3) for number in range(6)),
        *(reordering(stage, rng.sample(ids, len(ids))) for _ in range(6)),
        *(deleting(stage, field_id) for field_id in ids[:2]),
    ]
    rng.shuffle(requests)
    assert (await run_concurrently(*requests)).keys() <= {None, "VALIDATION_ERROR"}
    positions: list[Any] = await CustomField.all().order_by("position").values_list("position", flat=True)
    return positions


async def test_positions_stay_unique_under_concurrent_changes(world: World, stage: Stage) -> None:
    positions = await positions_after_concurrent_changes(world, stage)
    assert len(positions) == len(set(positions)) == 16


@pytest.mark.usefixtures("without_locks")
async def test_positions_collide_without_the_lock(world: World, stage: Stage) -> None:
    positions = await positions_after_concurrent_changes(world, stage)
    assert len(positions) > len(set(positions))


# Concurrent deletion --------------------------------------------------------------------------------------------


async def create_during_deletion_of_the_event(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> str | None:
    pause = Pause(monkeypatch)
    pause.stop_after(ordering, "require_event_manager")
    answer, other = await pause.during(creating(stage, "Size"), stage.organizer.delete(f"/events/{stage.event.id}"))
    data_of(other)
    assert await CustomField.all().count() == 0
    return error_code(answer)


async def test_creation_during_deletion_of_the_event_is_not_found(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await create_during_deletion_of_the_event(stage, monkeypatch) == "NOT_FOUND"


@pytest.mark.usefixtures("without_locks")
async def test_creation_during_deletion_of_the_event_is_an_internal_error_without_the_lock(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await create_during_deletion_of_the_event(stage, monkeypatch) == "INTERNAL"


@pytest.mark.parametrize("what", [UPDATE_FIELD, DELETE_FIELD])
async def test_field_that_is_deleted_concurrently_is_not_found(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    field = await world.custom_field(stage.event, "Size")
    pause = Pause(monkeypatch)
    pause.stop_after(ordering, "require_part_manager")
    changing = stage.organizer.graphql_response(what, id=field.id, input={"required": True})
    answer, other = await pause.during(changing, deleting(stage, field.id))
    assert (error_code(answer), error_code(other)) == ("NOT_FOUND", None)


@pytest.mark.parametrize("change", ["creation", "deletion"])
async def test_order_is_rejected_after_a_concurrent_change(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    ids = [(await world.custom_field(stage.event, name, position=number)).id for number, name in enumerate("abc")]
    pause = Pause(monkeypatch)
    pause.stop_after(ordering, "require_event_manager")
    concurrent_change = creating(stage, "d") if change == "creation" else deleting(stage, ids[0])
    answer, other = await pause.during(reordering(stage, ids[::-1]), concurrent_change)
    assert (error_code(answer), error_code(other)) == ("VALIDATION_ERROR", None)
    names: list[Any] = await CustomField.all().order_by("position", "id").values_list("name", flat=True)
    assert names == (["a", "b", "c", "d"] if change == "creation" else ["b", "c"])


# Registrations --------------------------------------------------------------------------------------------------


async def test_answer_to_a_concurrently_deleted_field_is_rejected_and_takes_no_place(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = await world.custom_field(stage.event, "Size")
    ticket_type = await world.ticket_type(stage.event, capacity=1)
    pause = Pause(monkeypatch)
    pause.stop_before(registration, "reason_to_hold_email")
    body = {"event_id": stage.event.id, "custom_fields": {"Size": "M"}}
    answer, other = await pause.during(stage.buyer.post("/tickets", body), deleting(stage, field.id))
    assert error_code(other) is None
    assert error_in(answer, 400, "VALIDATION_ERROR").keys() == {"custom_fields"}
    assert await Ticket.all().count() == (await TicketType.get(id=ticket_type.id)).sold == 0


async def test_fields_deleted_during_registrations_leave_no_answers(world: World, stage: Stage) -> None:
    fields = [await world.custom_field(stage.event, name) for name in ("Size", "Meal")]
    body = {"event_id": stage.event.id, "custom_fields": {"Size": "M", "Meal": "Fish"}}
    requests: list[Request] = [stage.buyer.post("/tickets", body) for _ in range(30)]
    for index, field in zip((8, 20), fields, strict=True):
        requests.insert(index, deleting(stage, field.id))
    statuses = Counter(response.status_code for response in await asyncio.gather(*requests))
    assert statuses.keys() <= {200, 201, 400}
    assert await Ticket.all().count() == statuses[201]
    assert await CustomField.all().count() == await CustomValue.all().count() == 0
    assert await find_inconsistencies() == {}


# Deletion of tickets --------------------------------------------------------------------------------------------


@pytest.fixture
async def slow_answers(world: World) -> AsyncIterator[None]:
    """Make every deletion of an answer hold its lock for a while."""
    connection = connections.get(CONNECTION)
    await connection.execute_script(
        "CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(0.3); RETURN OLD; END $$;"
        "CREATE TRIGGER slow BEFORE DELETE ON custom_values FOR EACH ROW EXECUTE FUNCTION take_time();"
    )
    yield
    await connection.execute_script("DROP TRIGGER slow ON custom_values; DROP FUNCTION take_time;")


async def delete_field_and_account_with_answers(world: World, stage: Stage) -> Counter[str | None]:
    """Delete both concurrently. The answers of the account are in the opposite order of its tickets."""
    field = await world.custom_field(stage.event, "Size")
    account = await world.user()
    tickets = [await world.ticket(stage.event, account) for _ in range(3)]
    for ticket in reversed(tickets):
        await CustomValue.create(ticket=ticket, field=field, value="M")
    return await run_concurrently(
        stage.admin.graphql_response("mutation($id: ID!) { deleteUser(id: $id) { deleted } }", id=account.id),
        deleting(stage, field.id),
    )


@pytest.mark.backend("postgres")
@pytest.mark.usefixtures("slow_answers")
async def test_field_and_tickets_with_answers_can_be_deleted_concurrently(world: World, stage: Stage) -> None:
    assert await delete_field_and_account_with_answers(world, stage) == {None: 2}
    assert await find_inconsistencies() == {}


@pytest.mark.backend("postgres")
@pytest.mark.usefixtures("slow_answers")
async def test_concurrent_deletions_deadlock_without_a_fixed_order_of_locks(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lock_nothing(_rows: object) -> list[Ticket]:
        return []

    monkeypatch.setattr(custom_fields, "lock_in_order", lock_nothing)
    assert await delete_field_and_account_with_answers(world, stage) == {None: 1, "UNAVAILABLE": 1}
