"""Two gates, one ticket: exactly one scan lets in, whatever else happens to the ticket at the same time."""

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
from tests.support.door import CHECK_IN, Door, open_door, told
from tests.support.orphans import unbalanced
from tests.support.pauses import Pause
from tests.support.world import World

SCANS = 50


@pytest.fixture
async def door(world: World) -> Door:
    return await open_door(world)


async def scan_at_once(door: Door, tickets: list[Ticket], **arguments: Any) -> Counter[str]:  # Any: variables
    answers = await asyncio.gather(
        *(door.scan(ticket, gate=f"Gate {number % 2}", **arguments) for number, ticket in enumerate(tickets))
    )
    return Counter(told(answer) for answer in answers)


@pytest.fixture
def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody has looked before anybody writes, as if each were alone."""
    write = check_in._create_check_in

    async def write_late(*arguments: Any) -> AdmissionView:  # Any: passed on as they are
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


async def test_of_fifty_scans_at_once_one_lets_in(door: Door) -> None:
    ticket = await door.ticket()
    assert await scan_at_once(door, [ticket] * SCANS) == {"ADMITTED": 1, "ALREADY_CHECKED_IN": SCANS - 1}
    assert await CheckIn.all().count() == 1


@pytest.mark.usefixtures("without_index")
async def test_the_lock_alone_lets_in_once(door: Door) -> None:
    ticket = await door.ticket()
    assert (await scan_at_once(door, [ticket] * SCANS))["ADMITTED"] == 1


@pytest.mark.usefixtures("without_locks")
async def test_the_database_itself_lets_in_once(door: Door) -> None:
    ticket = await door.ticket()
    assert await scan_at_once(door, [ticket] * 10) == {"ADMITTED": 1, "INTERNAL": 9}
    assert await CheckIn.all().count() == 1


@pytest.mark.usefixtures("without_locks", "without_index")
async def test_without_either_several_would_get_in(door: Door) -> None:
    """Negative control."""
    ticket = await door.ticket()
    assert (await scan_at_once(door, [ticket] * 10))["ADMITTED"] > 1


async def test_one_scan_sent_many_times_at_once_is_one_scan(door: Door) -> None:
    ticket = await door.ticket()
    assert await scan_at_once(door, [ticket] * 20, scanId="a") == {"ADMITTED": 20}
    assert await CheckIn.all().count() == 1


async def test_one_scan_of_many_tickets_at_once_lets_one_in(door: Door) -> None:
    tickets = [await door.ticket() for _ in range(10)]
    assert await scan_at_once(door, tickets, scanId="a") == {"ADMITTED": 1, "SCAN_MISMATCH": 9}
    assert await CheckIn.all().count() == 1


async def test_undone_once_however_many_undo_it(door: Door) -> None:
    ticket = await door.ticket()
    await door.scan(ticket)
    answers = await asyncio.gather(*(door.undo(ticket) for _ in range(10)))
    assert Counter("errors" in answer for answer in answers) == {False: 1, True: 9}


# Refunds and deletions ------------------------------------------------------------------------------------------


async def scan_during_refund(door: Door, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """The statuses of a refund that has locked its ticket, and of a scan that comes then."""
    ticket = await door.ticket()
    pause = Pause(monkeypatch)
    pause.stop_after(updates, "lock_ticket")

    async def begin_scan() -> asyncio.Task[dict[str, Any]]:
        task = asyncio.create_task(door.scan(ticket))
        await asyncio.wait([task], timeout=0.5)
        return task

    refund = door.organizer.put(f"/tickets/{ticket.id}", {"status": "Refunded"})
    refunded, scan = await pause.during(refund, begin_scan())
    return refunded.status_code, told(await scan)


async def test_a_scan_waits_for_a_refund_under_way(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await scan_during_refund(door, monkeypatch) == (200, "TICKET_NOT_VALID")
    assert await CheckIn.all().count() == 0


@pytest.mark.backend("postgres")
async def test_without_the_lock_it_would_let_in(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QuerySet, "select_for_update", lambda queryset, **_options: queryset)
    assert await scan_during_refund(door, monkeypatch) == (200, "ADMITTED")


@pytest.mark.parametrize("what", ["events", "tickets"])
async def test_a_deletion_waits_for_a_scan_under_way(door: Door, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """And neither waits for the other in a circle: a scan locks nothing of the event."""
    ticket = await door.ticket()
    pause = Pause(monkeypatch)
    pause.stop_after(check_in, "lock_ticket")

    async def begin_deletion() -> asyncio.Task[httpx.Response]:
        path = f"/events/{door.event.id}" if what == "events" else f"/tickets/{ticket.id}"
        task = asyncio.create_task(door.organizer.delete(path))
        await asyncio.wait([task], timeout=0.5)
        return task

    scan = door.organizer.graphql_response(CHECK_IN, code=ticket.code)
    scanned, deletion = await pause.during(scan, begin_deletion())
    assert told(scanned.json()) == "ADMITTED"
    assert (await deletion).status_code == 200
    assert [await model.all().count() for model in (CheckIn, Ticket)] == [0, 0]
    assert await Event.all().count() == (0 if what == "events" else 1)
    assert await unbalanced() == {}


async def test_scans_amid_changes_of_their_tickets_are_answered(door: Door) -> None:
    tickets = [await door.ticket() for _ in range(12)]
    work: list[Any] = []  # Any: coroutines of different answers
    for number, ticket in enumerate(tickets):
        work += [door.scan(ticket), door.scan(ticket, scanId=str(number)), door.undo(ticket)]
        if number % 3 == 0:
            work.append(door.organizer.put(f"/tickets/{ticket.id}", {"status": "Failed"}))
        if number % 3 == 1:
            work.append(door.organizer.delete(f"/tickets/{ticket.id}"))
    answers = await asyncio.gather(*work)
    assert {one.status_code for one in answers if isinstance(one, httpx.Response)} <= {200, 404}
    refused = [one for one in answers if isinstance(one, dict) and "errors" in one]
    codes = {one["errors"][0]["extensions"]["code"] for one in refused}
    assert codes <= {"NOT_FOUND", "TICKET_NOT_VALID", "NOT_CHECKED_IN", "SCAN_UNDONE"}
    assert await unbalanced() == {}
