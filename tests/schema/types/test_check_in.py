"""At the door: a ticket lets in once, a retried scan is the same scan, and a mistake can be taken back."""

import pytest

from amarevents.models import CheckIn, Ticket, User
from amarevents.models.enums import KeyType, TicketStatus
from tests.support.door import CHECK_IN, Door, admission, open_door, told
from tests.support.graphql_answers import refusal
from tests.support.orphans import unbalanced
from tests.support.statements import counted_statements
from tests.support.world import World, snapshot

ATTENDANCE = "query($id: ID!) { event(id: $id) { id attendance { checkedIn expected } } }"
TICKET = "query($id: ID!) { ticket(id: $id) { checkIn { checkedInAt gate checkedInBy } } }"


@pytest.fixture
async def door(world: World) -> Door:
    return await open_door(world)


async def test_a_good_ticket_lets_in(door: Door) -> None:
    ticket = await door.ticket()
    shown = admission(await door.scan(ticket, gate="North", scanId="scan 1"))
    row = await CheckIn.get()
    assert shown == {
        "outcome": "ADMITTED",
        "gate": "North",
        "checkedInAt": row.checked_in_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "checkedInBy": "gatekeeper",
        "ticket": {"id": str(ticket.id), "status": "SUCCESS", "checkIn": {"gate": "North"}},
    }
    assert (row.ticket_id, row.event_id, row.scan_id) == (ticket.id, door.event.id, "scan 1")


async def test_the_code_is_enough(door: Door) -> None:
    shown = admission(await door.scan(await door.ticket(), gate="  "))
    assert (shown["outcome"], shown["gate"]) == ("ADMITTED", None)


@pytest.mark.parametrize("first", [None, "a"])
@pytest.mark.parametrize("second", [None, "b"])
async def test_a_second_scan_is_told_of_the_first(door: Door, first: str | None, second: str | None) -> None:
    ticket = await door.ticket()
    admitted = admission(await door.scan(ticket, gate="North", scanId=first))
    admin = await door.world.admin_key()
    before = await snapshot()
    answer = await admin.graphql(CHECK_IN, code=ticket.code, gate="South", scanId=second)
    assert admission(answer) == {**admitted, "outcome": "ALREADY_CHECKED_IN"}
    assert await snapshot() == before


async def test_the_same_scan_again_is_the_same_scan(door: Door) -> None:
    ticket = await door.ticket()
    admitted = admission(await door.scan(ticket, gate="North", scanId="a"))
    before = await snapshot()
    assert admission(await door.scan(ticket, gate="North", scanId="a")) == admitted
    assert admission(await door.scan(ticket, gate="South", scanId=" a ")) == admitted
    assert await snapshot() == before


async def test_a_scan_is_of_one_ticket(door: Door) -> None:
    await door.scan(await door.ticket(), scanId="a")
    other = await door.ticket()
    before = await snapshot()
    answer = await door.scan(other, scanId="a")
    assert refusal(answer) == ("SCAN_MISMATCH", 400)
    assert answer["errors"][0]["extensions"]["fields"].keys() == {"scanId"}
    assert await snapshot() == before
    assert told(await door.scan(other, scanId="b")) == "ADMITTED"


async def test_devices_of_another_event_number_their_scans_themselves(world: World, door: Door) -> None:
    await door.scan(await door.ticket(), scanId="1")
    elsewhere = await world.event(await world.organizer())
    ticket = await world.ticket(elsewhere, await world.user())
    answer = await (await world.admin_key()).graphql(CHECK_IN, code=ticket.code, scanId="1")
    assert told(answer) == "ADMITTED"


@pytest.mark.parametrize("status", [status for status in TicketStatus if status is not TicketStatus.SUCCESS])
async def test_a_ticket_that_is_not_approved_lets_nobody_in(door: Door, status: TicketStatus) -> None:
    ticket = await door.ticket(status=status)
    before = await snapshot()
    answer = await door.scan(ticket, scanId="a")
    assert refusal(answer) == ("TICKET_NOT_VALID", 400)
    assert status in answer["errors"][0]["message"]
    assert await snapshot() == before


async def test_a_code_that_is_none_is_not_found(door: Door) -> None:
    ticket = await door.ticket()
    for code in ("AENOTHING", str(ticket.id)):
        assert refusal(await door.organizer.graphql(CHECK_IN, code=code)) == ("NOT_FOUND", 404)


@pytest.mark.parametrize("arguments", [{"gate": "x" * 256}, {"scanId": "x" * 256}, {"gate": "a\nb"}])
async def test_what_does_not_fit_is_refused_by_name(door: Door, arguments: dict[str, str]) -> None:
    ticket = await door.ticket()
    answer = await door.scan(ticket, **arguments)
    assert refusal(answer) == ("VALIDATION_ERROR", 400)
    assert answer["errors"][0]["extensions"]["fields"].keys() == arguments.keys()
    assert await CheckIn.all().count() == 0


@pytest.mark.parametrize("scanned_again", ["a", "b"])
async def test_a_refund_closes_the_door_and_keeps_the_history(door: Door, scanned_again: str) -> None:
    """Also to a retry: the door must not be told that a ticket is good which is not any more."""
    ticket = await door.ticket()
    await door.scan(ticket, gate="North", scanId="a")
    await door.organizer.put(f"/tickets/{ticket.id}", {"status": "Refunded"})
    before = await snapshot()
    assert refusal(await door.scan(ticket, scanId=scanned_again)) == ("TICKET_NOT_VALID", 400)
    assert await snapshot() == before
    shown = (await door.organizer.graphql(TICKET, id=ticket.id))["data"]["ticket"]["checkIn"]
    assert shown["gate"] == "North"
    attendance = (await door.organizer.graphql(ATTENDANCE, id=door.event.id))["data"]["event"]["attendance"]
    assert attendance == {"checkedIn": 1, "expected": 0}


async def test_verification_neither_knows_nor_changes_who_is_in(door: Door) -> None:
    """decisions 6.10"""
    ticket = await door.ticket()
    verified = await door.organizer.graphql("query($c: String) { verifyTicket(code: $c) { valid } }", c=ticket.code)
    await door.scan(ticket)
    before = await snapshot()
    assert (await door.organizer.post(f"/tickets/{ticket.code}/verify")).json()["data"]["valid"] is True
    again = await door.organizer.graphql("query($c: String) { verifyTicket(code: $c) { valid } }", c=ticket.code)
    assert again == verified
    assert await snapshot() == before


# Undoing --------------------------------------------------------------------------------------------------------


async def test_an_undone_ticket_lets_in_again(door: Door) -> None:
    ticket = await door.ticket()
    await door.scan(ticket, gate="North", scanId="a")
    assert (await door.undo(ticket))["data"]["undoCheckIn"] == {"id": str(ticket.id), "checkIn": None}
    assert admission(await door.scan(ticket, gate="South", scanId="b"))["gate"] == "South"
    assert told(await door.scan(ticket)) == "ALREADY_CHECKED_IN"
    assert (await CheckIn.get(undone_at__isnull=True)).scan_id == "b"


@pytest.mark.parametrize("let_in_since", [False, True])
async def test_a_late_retry_of_an_undone_scan_lets_nobody_in(door: Door, let_in_since: bool) -> None:
    ticket = await door.ticket()
    await door.scan(ticket, scanId="a")
    await door.undo(ticket)
    if let_in_since:
        await door.scan(ticket, scanId="b")
    before = await snapshot()
    assert refusal(await door.scan(ticket, scanId="a")) == ("SCAN_UNDONE", 400)
    assert await snapshot() == before


async def test_an_undone_scan_does_not_let_another_ticket_in(door: Door) -> None:
    ticket, other = await door.ticket(), await door.ticket()
    await door.scan(ticket, scanId="a")
    await door.undo(ticket)
    assert refusal(await door.scan(other, scanId="a")) == ("SCAN_MISMATCH", 400)


async def test_only_a_check_in_is_undone_and_only_once(door: Door) -> None:
    ticket = await door.ticket()
    assert refusal(await door.undo(ticket)) == ("NOT_CHECKED_IN", 400)
    await door.scan(ticket)
    await door.undo(ticket)
    before = await snapshot()
    assert refusal(await door.undo(ticket)) == ("NOT_CHECKED_IN", 400)
    assert await snapshot() == before


# What hangs on it -----------------------------------------------------------------------------------------------


async def test_a_deleted_ticket_takes_its_check_ins_along(door: Door) -> None:
    ticket, other = await door.ticket(), await door.ticket()
    await door.scan(ticket)
    await door.scan(other)
    await door.organizer.delete(f"/tickets/{ticket.id}")
    assert (await CheckIn.get()).ticket_id == other.id


async def test_a_check_in_outlives_the_account_that_scanned(door: Door) -> None:
    ticket = await door.ticket()
    admin, other_admin = await door.world.admin_key(), await door.world.admin_key()
    await admin.graphql(CHECK_IN, code=ticket.code, gate="North")
    assert admin.user
    await other_admin.delete(f"/admin/users/{admin.user.id}")
    assert not await User.exists(id=admin.user.id)
    shown = admission(await door.scan(ticket))
    assert (shown["outcome"], shown["gate"], shown["checkedInBy"]) == ("ALREADY_CHECKED_IN", "North", None)
    assert await unbalanced() == {}


# Who sees it ----------------------------------------------------------------------------------------------------


async def test_attendees_see_that_they_are_in_and_managers_by_whom(door: Door) -> None:
    ticket = await door.ticket()
    await door.scan(ticket, gate="North")
    for caller, by_whom in (
        (door.organizer, "gatekeeper"),
        (await door.world.admin_key(), "gatekeeper"),
        (door.attendee, None),
    ):
        shown = (await caller.graphql(TICKET, id=ticket.id))["data"]["ticket"]["checkIn"]
        assert (shown["gate"], shown["checkedInBy"]) == ("North", by_whom)
        assert shown["checkedInAt"]


async def test_who_is_not_in_has_no_check_in(door: Door) -> None:
    answer = await door.attendee.graphql(TICKET, id=(await door.ticket()).id)
    assert answer["data"] == {"ticket": {"checkIn": None}}


async def test_attendance_counts_who_is_in_and_who_may_come(door: Door) -> None:
    tickets = [await door.ticket() for _ in range(3)]
    await door.ticket(status=TicketStatus.PENDING)
    for ticket in tickets[:2]:
        await door.scan(ticket)
    await door.undo(tickets[1])
    for caller in (door.organizer, await door.world.admin_key()):
        answer = await caller.graphql(ATTENDANCE, id=door.event.id)
        assert answer["data"]["event"]["attendance"] == {"checkedIn": 1, "expected": 3}


async def test_attendance_is_shown_to_whom_statistics_are(door: Door) -> None:
    world, owner = door.world, door.organizer.user
    assert owner
    refused = {
        "UNAUTHENTICATED": world.anonymous,
        "FORBIDDEN": await world.organizer_key(),
        "WRONG_KEY_TYPE": door.attendee,
        "MISSING_SCOPE": await world.key(owner, KeyType.ORGANIZER, permissions=["events:read"]),
    }
    before = await snapshot()
    for code, caller in refused.items():
        answer = await caller.graphql(ATTENDANCE, id=door.event.id)
        assert answer["data"] == {"event": {"id": str(door.event.id), "attendance": None}}
        assert refusal(answer)[0] == code
    assert await snapshot() == before


LISTED = """{ events(limit: 9) { items { attendance { checkedIn } tickets(limit: 9) { items {
    checkIn { gate checkedInBy } decision { reason }
} } } } }"""


async def test_statements_do_not_depend_on_the_number_of_tickets(door: Door) -> None:
    async def statements() -> int:
        with counted_statements() as issued:
            answer = await door.organizer.graphql(LISTED)
        assert "errors" not in answer
        return len(issued)

    assert door.organizer.user
    await door.scan(await door.ticket())
    few = await statements()
    for _ in range(4):
        door.event = await door.world.event(door.organizer.user)
        for _ in range(3):
            await door.scan(await door.ticket())
    assert await statements() == few


async def test_each_scan_of_one_document_shows_what_it_has_done(door: Door) -> None:
    ticket = await door.ticket()
    document = """mutation($code: String!, $id: ID!) {
        first: checkInTicket(code: $code, gate: "North") { ticket { checkIn { gate } } }
        undone: undoCheckIn(ticketId: $id) { checkIn { gate } }
        second: checkInTicket(code: $code, gate: "South") { ticket { checkIn { gate } } }
    }"""
    data = (await door.organizer.graphql(document, code=ticket.code, id=ticket.id))["data"]
    assert data["first"]["ticket"]["checkIn"] == {"gate": "North"}
    assert data["undone"]["checkIn"] is None
    assert data["second"]["ticket"]["checkIn"] == {"gate": "South"}


# The key, the ticket, its lock, the scan, another check-in, the check-in.
SCAN = 6


async def test_a_scan_costs_the_same_at_an_event_of_any_size(door: Door) -> None:
    for _ in range(10):
        await door.scan(await door.ticket())
    ticket = await door.ticket()
    with counted_statements() as statements:
        await door.organizer.graphql(
            'mutation($c: String!) { checkInTicket(code: $c, scanId: "x") { outcome checkedInBy } }', c=ticket.code
        )
    assert len(statements) == SCAN
    assert await Ticket.all().count() == 11
