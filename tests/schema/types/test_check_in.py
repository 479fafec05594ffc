"""Check-in: a ticket admits once, a repeated scan counts as the same scan, and a check-in can be undone."""

import pytest

from amarevents.models import CheckIn, Ticket, User
from amarevents.models.enums import KeyType, TicketStatus
from tests.support.check_in import CHECK_IN, CheckInScene, check_in_result, check_in_scene, outcome_or_code
from tests.support.consistency import find_inconsistencies
from tests.support.graphql_answers import error_code_and_status
from tests.support.statements import counted_statements
from tests.support.world import World, snapshot

ATTENDANCE = "query($id: ID!) { event(id: $id) { id attendance { checkedIn expected } } }"
TICKET = "query($id: ID!) { ticket(id: $id) { checkIn { checkedInAt gate checkedInBy } } }"


@pytest.fixture
async def scene(world: World) -> CheckInScene:
    return await check_in_scene(world)


async def test_approved_ticket_is_admitted(scene: CheckInScene) -> None:
    ticket = await scene.ticket()
    result = check_in_result(await scene.scan(ticket, gate="North", scanId="scan 1"))
    row = await CheckIn.get()
    assert result == {
        "outcome": "ADMITTED",
        "gate": "North",
        "checkedInAt": row.checked_in_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "checkedInBy": "gatekeeper",
        "ticket": {"id": str(ticket.id), "status": "SUCCESS", "checkIn": {"gate": "North"}},
    }
    assert (row.ticket_id, row.event_id, row.scan_id) == (ticket.id, scene.event.id, "scan 1")


async def test_gate_and_scan_id_are_optional(scene: CheckInScene) -> None:
    result = check_in_result(await scene.scan(await scene.ticket(), gate="  "))
    assert (result["outcome"], result["gate"]) == ("ADMITTED", None)


@pytest.mark.parametrize("first", [None, "a"])
@pytest.mark.parametrize("second", [None, "b"])
async def test_second_scan_returns_the_first_check_in(
    scene: CheckInScene, first: str | None, second: str | None
) -> None:
    ticket = await scene.ticket()
    admitted = check_in_result(await scene.scan(ticket, gate="North", scanId=first))
    admin = await scene.world.admin_key()
    before = await snapshot()
    answer = await admin.graphql(CHECK_IN, code=ticket.code, gate="South", scanId=second)
    assert check_in_result(answer) == {**admitted, "outcome": "ALREADY_CHECKED_IN"}
    assert await snapshot() == before


async def test_repeated_scan_returns_the_same_result(scene: CheckInScene) -> None:
    ticket = await scene.ticket()
    admitted = check_in_result(await scene.scan(ticket, gate="North", scanId="a"))
    before = await snapshot()
    assert check_in_result(await scene.scan(ticket, gate="North", scanId="a")) == admitted
    assert check_in_result(await scene.scan(ticket, gate="South", scanId=" a ")) == admitted
    assert await snapshot() == before


async def test_scan_id_belongs_to_one_ticket(scene: CheckInScene) -> None:
    await scene.scan(await scene.ticket(), scanId="a")
    other = await scene.ticket()
    before = await snapshot()
    answer = await scene.scan(other, scanId="a")
    assert error_code_and_status(answer) == ("SCAN_MISMATCH", 400)
    assert answer["errors"][0]["extensions"]["fields"].keys() == {"scanId"}
    assert await snapshot() == before
    assert outcome_or_code(await scene.scan(other, scanId="b")) == "ADMITTED"


async def test_events_have_separate_scan_ids(world: World, scene: CheckInScene) -> None:
    await scene.scan(await scene.ticket(), scanId="1")
    elsewhere = await world.event(await world.organizer())
    ticket = await world.ticket(elsewhere, await world.user())
    answer = await (await world.admin_key()).graphql(CHECK_IN, code=ticket.code, scanId="1")
    assert outcome_or_code(answer) == "ADMITTED"


@pytest.mark.parametrize("status", [status for status in TicketStatus if status is not TicketStatus.SUCCESS])
async def test_ticket_that_is_not_approved_is_not_admitted(scene: CheckInScene, status: TicketStatus) -> None:
    ticket = await scene.ticket(status=status)
    before = await snapshot()
    answer = await scene.scan(ticket, scanId="a")
    assert error_code_and_status(answer) == ("TICKET_NOT_VALID", 400)
    assert status in answer["errors"][0]["message"]
    assert await snapshot() == before


async def test_unknown_code_is_not_found(scene: CheckInScene) -> None:
    ticket = await scene.ticket()
    for code in ("AENOTHING", str(ticket.id)):
        assert error_code_and_status(await scene.organizer.graphql(CHECK_IN, code=code)) == ("NOT_FOUND", 404)


@pytest.mark.parametrize("arguments", [{"gate": "x" * 256}, {"scanId": "x" * 256}, {"gate": "a\nb"}])
async def test_invalid_argument_is_rejected_by_name(scene: CheckInScene, arguments: dict[str, str]) -> None:
    ticket = await scene.ticket()
    answer = await scene.scan(ticket, **arguments)
    assert error_code_and_status(answer) == ("VALIDATION_ERROR", 400)
    assert answer["errors"][0]["extensions"]["fields"].keys() == arguments.keys()
    assert await CheckIn.all().count() == 0


@pytest.mark.parametrize("scanned_again", ["a", "b"])
async def test_refunded_ticket_is_not_admitted_again_but_keeps_its_check_in(
    scene: CheckInScene, scanned_again: str
) -> None:
    """A retried scan fails as well, because the ticket is no longer valid."""
    ticket = await scene.ticket()
    await scene.scan(ticket, gate="North", scanId="a")
    await scene.organizer.put(f"/tickets/{ticket.id}", {"status": "Refunded"})
    before = await snapshot()
    assert error_code_and_status(await scene.scan(ticket, scanId=scanned_again)) == ("TICKET_NOT_VALID", 400)
    assert await snapshot() == before
    result = (await scene.organizer.graphql(TICKET, id=ticket.id))["data"]["ticket"]["checkIn"]
    assert result["gate"] == "North"
    attendance = (await scene.organizer.graphql(ATTENDANCE, id=scene.event.id))["data"]["event"]["attendance"]
    assert attendance == {"checkedIn": 1, "expected": 0}


async def test_verification_is_independent_of_check_ins(scene: CheckInScene) -> None:
    """See decisions 6.10."""
    ticket = await scene.ticket()
    verified = await scene.organizer.graphql("query($c: String) { verifyTicket(code: $c) { valid } }", c=ticket.code)
    await scene.scan(ticket)
    before = await snapshot()
    assert (await scene.organizer.post(f"/tickets/{ticket.code}/verify")).json()["data"]["valid"] is True
    again = await scene.organizer.graphql("query($c: String) { verifyTicket(code: $c) { valid } }", c=ticket.code)
    assert again == verified
    assert await snapshot() == before


# Undoing --------------------------------------------------------------------------------------------------------


async def test_ticket_is_admitted_again_after_undo(scene: CheckInScene) -> None:
    ticket = await scene.ticket()
    await scene.scan(ticket, gate="North", scanId="a")
    assert (await scene.undo(ticket))["data"]["undoCheckIn"] == {"id": str(ticket.id), "checkIn": None}
    assert check_in_result(await scene.scan(ticket, gate="South", scanId="b"))["gate"] == "South"
    assert outcome_or_code(await scene.scan(ticket)) == "ALREADY_CHECKED_IN"
    assert (await CheckIn.get(undone_at__isnull=True)).scan_id == "b"


@pytest.mark.parametrize("admitted_since", [False, True])
async def test_late_retry_of_an_undone_scan_is_rejected(scene: CheckInScene, admitted_since: bool) -> None:
    ticket = await scene.ticket()
    await scene.scan(ticket, scanId="a")
    await scene.undo(ticket)
    if admitted_since:
        await scene.scan(ticket, scanId="b")
    before = await snapshot()
    assert error_code_and_status(await scene.scan(ticket, scanId="a")) == ("SCAN_UNDONE", 400)
    assert await snapshot() == before


async def test_undone_scan_id_cannot_be_used_for_another_ticket(scene: CheckInScene) -> None:
    ticket, other = await scene.ticket(), await scene.ticket()
    await scene.scan(ticket, scanId="a")
    await scene.undo(ticket)
    assert error_code_and_status(await scene.scan(other, scanId="a")) == ("SCAN_MISMATCH", 400)


async def test_only_an_existing_check_in_can_be_undone(scene: CheckInScene) -> None:
    ticket = await scene.ticket()
    assert error_code_and_status(await scene.undo(ticket)) == ("NOT_CHECKED_IN", 400)
    await scene.scan(ticket)
    await scene.undo(ticket)
    before = await snapshot()
    assert error_code_and_status(await scene.undo(ticket)) == ("NOT_CHECKED_IN", 400)
    assert await snapshot() == before


# Deletion -------------------------------------------------------------------------------------------------------


async def test_check_ins_are_deleted_with_their_ticket(scene: CheckInScene) -> None:
    ticket, other = await scene.ticket(), await scene.ticket()
    await scene.scan(ticket)
    await scene.scan(other)
    await scene.organizer.delete(f"/tickets/{ticket.id}")
    assert (await CheckIn.get()).ticket_id == other.id


async def test_check_in_remains_after_deletion_of_the_account_that_scanned(scene: CheckInScene) -> None:
    ticket = await scene.ticket()
    admin, other_admin = await scene.world.admin_key(), await scene.world.admin_key()
    await admin.graphql(CHECK_IN, code=ticket.code, gate="North")
    assert admin.user
    await other_admin.delete(f"/admin/users/{admin.user.id}")
    assert not await User.exists(id=admin.user.id)
    result = check_in_result(await scene.scan(ticket))
    assert (result["outcome"], result["gate"], result["checkedInBy"]) == ("ALREADY_CHECKED_IN", "North", None)
    assert await find_inconsistencies() == {}


# Visibility -----------------------------------------------------------------------------------------------------


async def test_attendee_sees_the_check_in_and_managers_also_who_scanned(scene: CheckInScene) -> None:
    ticket = await scene.ticket()
    await scene.scan(ticket, gate="North")
    for caller, checked_in_by in (
        (scene.organizer, "gatekeeper"),
        (await scene.world.admin_key(), "gatekeeper"),
        (scene.attendee, None),
    ):
        result = (await caller.graphql(TICKET, id=ticket.id))["data"]["ticket"]["checkIn"]
        assert (result["gate"], result["checkedInBy"]) == ("North", checked_in_by)
        assert result["checkedInAt"]


async def test_ticket_that_was_not_scanned_has_no_check_in(scene: CheckInScene) -> None:
    answer = await scene.attendee.graphql(TICKET, id=(await scene.ticket()).id)
    assert answer["data"] == {"ticket": {"checkIn": None}}


async def test_attendance_counts_check_ins_and_approved_tickets(scene: CheckInScene) -> None:
    tickets = [await scene.ticket() for _ in range(3)]
    await scene.ticket(status=TicketStatus.PENDING)
    for ticket in tickets[:2]:
        await scene.scan(ticket)
    await scene.undo(tickets[1])
    for caller in (scene.organizer, await scene.world.admin_key()):
        answer = await caller.graphql(ATTENDANCE, id=scene.event.id)
        assert answer["data"]["event"]["attendance"] == {"checkedIn": 1, "expected": 3}


async def test_attendance_requires_the_permission_for_statistics(scene: CheckInScene) -> None:
    world, owner = scene.world, scene.organizer.user
    assert owner
    refused = {
        "UNAUTHENTICATED": world.anonymous,
        "FORBIDDEN": await world.organizer_key(),
        "WRONG_KEY_TYPE": scene.attendee,
        "MISSING_SCOPE": await world.key(owner, KeyType.ORGANIZER, permissions=["events:read"]),
    }
    before = await snapshot()
    for code, caller in refused.items():
        answer = await caller.graphql(ATTENDANCE, id=scene.event.id)
        assert answer["data"] == {"event": {"id": str(scene.event.id), "attendance": None}}
        assert error_code_and_status(answer)[0] == code
    assert await snapshot() == before


LISTED = """{ events(limit: 9) { items { attendance { checkedIn } tickets(limit: 9) { items {
    checkIn { gate checkedInBy } decision { reason }
} } } } }"""


async def test_statements_do_not_depend_on_the_number_of_tickets(scene: CheckInScene) -> None:
    async def statements() -> int:
        with counted_statements() as issued:
            answer = await scene.organizer.graphql(LISTED)
        assert "errors" not in answer
        return len(issued)

    assert scene.organizer.user
    await scene.scan(await scene.ticket())
    few = await statements()
    for _ in range(4):
        scene.event = await scene.world.event(scene.organizer.user)
        for _ in range(3):
            await scene.scan(await scene.ticket())
    assert await statements() == few


async def test_each_mutation_of_a_document_returns_its_own_result(scene: CheckInScene) -> None:
    ticket = await scene.ticket()
    document = """mutation($code: String!, $id: ID!) {
        first: checkInTicket(code: $code, gate: "North") { ticket { checkIn { gate } } }
        undone: undoCheckIn(ticketId: $id) { checkIn { gate } }
        second: checkInTicket(code: $code, gate: "South") { ticket { checkIn { gate } } }
    }"""
    data = (await scene.organizer.graphql(document, code=ticket.code, id=ticket.id))["data"]
    assert data["first"]["ticket"]["checkIn"] == {"gate": "North"}
    assert data["undone"]["checkIn"] is None
    assert data["second"]["ticket"]["checkIn"] == {"gate": "South"}


# The key, the ticket, its lock, the scan ID, another check-in, the new check-in.
STATEMENTS_PER_SCAN = 6


async def test_statements_of_a_scan_do_not_depend_on_the_number_of_tickets(scene: CheckInScene) -> None:
    for _ in range(10):
        await scene.scan(await scene.ticket())
    ticket = await scene.ticket()
    with counted_statements() as statements:
        await scene.organizer.graphql(
            'mutation($c: String!) { checkInTicket(code: $c, scanId: "x") { outcome checkedInBy } }', c=ticket.code
        )
    assert len(statements) == STATEMENTS_PER_SCAN
    assert await Ticket.all().count() == 11
