"""Concurrent scans of a ticket: exactly one is admitted, even if the ticket changes at the same time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from tortoise import connections
from tortoise.queryset import QuerySet

from amarevents.models import CheckIn, Event, Ticket
from amarevents.models.db.connection import CONNECTION
from amarevents.resolvers.tickets import check_in, updates
from amarevents.resolvers.tickets.check_in import AdmissionView
from tests.support.check_in import CHECK_IN, CheckInScene, check_in_scene, outcome_or_code
from tests.support.consistency import find_inconsistencies
from tests.support.pauses import Pause
from tests.support.world import World

SCANS = 50


@pytest.fixture
async def scene(world: World) -> CheckInScene:
    return await check_in_scene(world)


async def scan_concurrently(
    scene: CheckInScene, tickets: list[Ticket], **arguments: Any
) -> Counter[str]:  # Any: variables
    answers = await asyncio.gather(
        *(scene.scan(ticket, gate=f"Gate {number % 2}", **arguments) for number, ticket in enumerate(tickets))
    )
    return Counter(outcome_or_code(answer) for answer in answers)


@pytest.fixture
def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every scan read before any scan writes, without locks and transactions."""
    write = check_in._create_check_in

    async def write_late(*arguments: Any) -> AdmissionView:  # Any: unchanged arguments
        await asyncio.sleep(0.5)
        return await write(*arguments)

    @asynccontextmanager
    async def no_transaction() -> AsyncIterator[None]:
        yield

    monkeypatch.setattr(check_in, "_create_check_in", write_late)
    monkeypatch.setattr(check_in, "in_transaction", no_transaction)


@pytest.fixture
async def without_index(world: World) -> AsyncIterator[None]:
    connection = connections.get(CONNECTION)
    await connection.execute_script("DROP INDEX uq_check_ins_ticket_id")
    yield
    await CheckIn.all().delete()
    await connection.execute_script(
        "CREATE UNIQUE INDEX uq_check_ins_ticket_id ON check_ins (ticket_id) WHERE undone_at IS NULL"
    )


async def test_one_of_fifty_concurrent_scans_is_admitted(scene: CheckInScene) -> None:
    ticket = await scene.ticket()
    assert await scan_concurrently(scene, [ticket] * SCANS) == {"ADMITTED": 1, "ALREADY_CHECKED_IN": SCANS - 1}
    assert await CheckIn.all().count() == 1


@pytest.mark.usefixtures("without_index")
async def test_lock_alone_admits_once(scene: CheckInScene) -> None:
    ticket = await scene.ticket()
    assert (await scan_concurrently(scene, [ticket] * SCANS))["ADMITTED"] == 1


@pytest.mark.usefixtures("without_locks")
async def test_unique_index_alone_admits_once(scene: CheckInScene) -> None:
    ticket = await scene.ticket()
    assert await scan_concurrently(scene, [ticket] * 10) == {"ADMITTED": 1, "INTERNAL": 9}
    assert await CheckIn.all().count() == 1


@pytest.mark.usefixtures("without_locks", "without_index")
async def test_several_scans_are_admitted_without_lock_and_index(scene: CheckInScene) -> None:
    """Negative control."""
    ticket = await scene.ticket()
    assert (await scan_concurrently(scene, [ticket] * 10))["ADMITTED"] > 1


async def test_one_scan_sent_many_times_concurrently_is_one_check_in(scene: CheckInScene) -> None:
    ticket = await scene.ticket()
    assert await scan_concurrently(scene, [ticket] * 20, scanId="a") == {"ADMITTED": 20}
    assert await CheckIn.all().count() == 1


async def test_one_scan_id_sent_for_many_tickets_concurrently_admits_one(scene: CheckInScene) -> None:
    tickets = [await scene.ticket() for _ in range(10)]
    assert await scan_concurrently(scene, tickets, scanId="a") == {"ADMITTED": 1, "SCAN_MISMATCH": 9}
    assert await CheckIn.all().count() == 1


async def test_one_of_many_concurrent_undos_succeeds(scene: CheckInScene) -> None:
    ticket = await scene.ticket()
    await scene.scan(ticket)
    answers = await asyncio.gather(*(scene.undo(ticket) for _ in range(10)))
    assert Counter("errors" in answer for answer in answers) == {False: 1, True: 9}


# Refunds and deletions ------------------------------------------------------------------------------------------


async def scan_during_refund(scene: CheckInScene, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Scan a ticket while a refund holds its lock; return the status of the refund and the outcome of the scan."""
    ticket = await scene.ticket()
    pause = Pause(monkeypatch)
    pause.stop_after(updates, "lock_ticket")

    async def start_scan() -> asyncio.Task[dict[str, Any]]:
        task = asyncio.create_task(scene.scan(ticket))
        await asyncio.wait([task], timeout=0.5)
        return task

    refund = scene.organizer.put(f"/tickets/{ticket.id}", {"status": "Refunded"})
    refunded, scan = await pause.during(refund, start_scan())
    return refunded.status_code, outcome_or_code(await scan)


async def test_scan_waits_for_a_refund_in_progress(scene: CheckInScene, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await scan_during_refund(scene, monkeypatch) == (200, "TICKET_NOT_VALID")
    assert await CheckIn.all().count() == 0


@pytest.mark.backend("postgres")
async def test_scan_during_a_refund_is_admitted_without_the_lock(
    scene: CheckInScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QuerySet, "select_for_update", lambda queryset, **_options: queryset)
    assert await scan_during_refund(scene, monkeypatch) == (200, "ADMITTED")


@pytest.mark.parametrize("what", ["events", "tickets"])
async def test_deletion_waits_for_a_scan_in_progress(
    scene: CheckInScene, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """They cannot deadlock, because a scan does not lock the event."""
    ticket = await scene.ticket()
    pause = Pause(monkeypatch)
    pause.stop_after(check_in, "lock_ticket")

    async def start_deletion() -> asyncio.Task[httpx.Response]:
        path = f"/events/{scene.event.id}" if what == "events" else f"/tickets/{ticket.id}"
        task = asyncio.create_task(scene.organizer.delete(path))
        await asyncio.wait([task], timeout=0.5)
        return task

    scan = scene.organizer.graphql_response(CHECK_IN, code=ticket.code)
    scanned, deletion = await pause.during(scan, start_deletion())
    assert outcome_or_code(scanned.json()) == "ADMITTED"
    assert (await deletion).status_code == 200
    assert [await model.all().count() for model in (CheckIn, Ticket)] == [0, 0]
    assert await Event.all().count() == (0 if what == "events" else 1)
    assert await find_inconsistencies() == {}


async def test_scans_and_concurrent_changes_of_their_tickets_all_get_responses(scene: CheckInScene) -> None:
    tickets = [await scene.ticket() for _ in range(12)]
    work: list[Any] = []  # Any: coroutines with different results
    for number, ticket in enumerate(tickets):
        work += [scene.scan(ticket), scene.scan(ticket, scanId=str(number)), scene.undo(ticket)]
        if number % 3 == 0:
            work.append(scene.organizer.put(f"/tickets/{ticket.id}", {"status": "Failed"}))
        if number % 3 == 1:
            work.append(scene.organizer.delete(f"/tickets/{ticket.id}"))
    answers = await asyncio.gather(*work)
    assert {one.status_code for one in answers if isinstance(one, httpx.Response)} <= {200, 404}
    refused = [one for one in answers if isinstance(one, dict) and "errors" in one]
    codes = {one["errors"][0]["extensions"]["code"] for one in refused}
    assert codes <= {"NOT_FOUND", "TICKET_NOT_VALID", "NOT_CHECKED_IN", "SCAN_UNDONE"}
    assert await find_inconsistencies() == {}
