"""Bulk decisions on payments, in the modes EACH and ALL."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from tortoise.queryset import QuerySet

from amarevents.mail import outbox
from amarevents.models import OutgoingMail, Ticket, TicketType
from amarevents.models.enums import MailKind, TicketStatus
from amarevents.resolvers.events import ticket_types
from amarevents.resolvers.tickets import updates
from tests.schema.types.payment_decisions import (
    APPROVE,
    DECIDE,
    FIELDS,
    INPUTS,
    REJECT,
    decide,
    decided,
    pending,
    statuses,
)
from tests.support.check_in import CheckInScene, check_in_scene
from tests.support.consistency import find_inconsistencies
from tests.support.graphql_answers import error_code_and_status
from tests.support.statements import counted_statements
from tests.support.world import World, snapshot

# Any throughout: JSON, and models' fields as keyword arguments.

DECISION = "query($id: ID!) { ticket(id: $id) { status decision { reason decidedAt } } }"
APPROVE_AND_REJECT = pytest.mark.parametrize("field", [APPROVE, REJECT])
STATUS = {APPROVE: "SUCCESS", REJECT: "FAILED"}


@pytest.fixture
async def scene(world: World) -> CheckInScene:
    return await check_in_scene(world)


@APPROVE_AND_REJECT
@pytest.mark.parametrize("mode", [None, "EACH", "ALL"])
async def test_pending_payments_are_decided(scene: CheckInScene, field: str, mode: str | None) -> None:
    ticket_type = await scene.world.ticket_type(scene.event, price="100", capacity=9)
    tickets = await pending(scene, 3, ticket_type=ticket_type)
    answer = await decide(scene.organizer, field, tickets[::-1], mode=mode)
    assert decided(answer) == ([ticket.id for ticket in tickets[::-1]], [])
    assert {one["status"] for one in answer["data"]["answer"]["decided"]} == {STATUS[field]}
    await ticket_type.refresh_from_db()
    assert ticket_type.sold == (3 if field == APPROVE else 0)
    assert await find_inconsistencies() == {}


async def test_reason_is_visible_to_organizer_admin_and_attendee(scene: CheckInScene) -> None:
    [ticket] = await pending(scene, 1)
    answer = await decide(scene.organizer, REJECT, [ticket], reason=" No such payment ")
    [rejected] = answer["data"]["answer"]["decided"]
    assert rejected["decision"]["reason"] == "No such payment"
    for caller in (scene.organizer, await scene.world.admin_key(), scene.attendee):
        result = (await caller.graphql(DECISION, id=ticket.id))["data"]["ticket"]
        assert result == {"status": "FAILED", "decision": rejected["decision"]}


async def test_undecided_ticket_has_no_decision(scene: CheckInScene) -> None:
    [ticket] = await pending(scene, 1)
    assert (await scene.attendee.graphql(DECISION, id=ticket.id))["data"]["ticket"]["decision"] is None


async def test_reason_is_removed_by_the_next_decision(scene: CheckInScene) -> None:
    [ticket] = await pending(scene, 1)
    await decide(scene.organizer, REJECT, [ticket], reason="No such payment")
    first = (await scene.attendee.graphql(DECISION, id=ticket.id))["data"]["ticket"]["decision"]
    await scene.organizer.put(f"/tickets/{ticket.id}", {"status": "Failed", "note": "seen"})
    assert (await scene.attendee.graphql(DECISION, id=ticket.id))["data"]["ticket"]["decision"] == first
    await scene.organizer.put(f"/tickets/{ticket.id}", {"status": "Success"})
    second = (await scene.attendee.graphql(DECISION, id=ticket.id))["data"]["ticket"]["decision"]
    assert second["reason"] is None
    assert second["decidedAt"] >= first["decidedAt"]


@APPROVE_AND_REJECT
async def test_attendees_are_notified_of_the_decision_by_email(scene: CheckInScene, field: str) -> None:
    tickets = await pending(scene, 2)
    await decide(scene.organizer, field, tickets, reason="Paid {name} twice", mode="ALL")
    mails = await OutgoingMail.all().order_by("ticket_id")
    assert [mail.ticket_id for mail in mails] == [ticket.id for ticket in tickets]
    kind = MailKind.TICKET_CONFIRMED if field == APPROVE else MailKind.PAYMENT_REJECTED
    assert {mail.kind for mail in mails} == {kind}
    assert all(("Paid {name} twice" in mail.body) is (field == REJECT) for mail in mails)


@APPROVE_AND_REJECT
@pytest.mark.parametrize("status", [status for status in TicketStatus if status is not TicketStatus.PENDING])
async def test_only_pending_payments_can_be_decided(scene: CheckInScene, field: str, status: TicketStatus) -> None:
    tickets = [*await pending(scene, 1), await scene.ticket(status=status), *await pending(scene, 1)]
    before = await snapshot()
    refused = await decide(scene.organizer, field, tickets, mode="ALL")
    assert error_code_and_status(refused) == ("NOT_PENDING", 400)
    assert status in refused["errors"][0]["message"]
    assert refused["errors"][0]["extensions"]["fields"].keys() == {"ticketIds.1"}
    assert await snapshot() == before
    answer = await decide(scene.organizer, field, tickets)
    assert decided(answer) == ([tickets[0].id, tickets[2].id], [(tickets[1].id, "NOT_PENDING")])
    assert (await statuses(tickets))[1] is status


@APPROVE_AND_REJECT
async def test_tickets_of_other_organizers_fail_as_a_single_update_does(scene: CheckInScene, field: str) -> None:
    world, foreign = scene.world, await scene.world.organizer_key()
    assert foreign.user
    own = await world.ticket(await world.event(foreign.user), await world.user(), status=TicketStatus.PENDING)
    held = await world.ticket(scene.event, foreign.user, status=TicketStatus.PENDING)
    hidden = (await pending(scene, 1))[0]
    deleted = await scene.ticket()
    await deleted.delete()
    before = await snapshot()
    for refused, code, status in ((held, "FORBIDDEN", 403), (hidden, "NOT_FOUND", 404), (deleted, "NOT_FOUND", 404)):
        answer = await decide(foreign, field, [own, refused], mode="ALL")
        assert error_code_and_status(answer) == (code, status)
        assert answer["errors"][0]["extensions"]["fields"].keys() == {"ticketIds.1"}
        alone = await foreign.put(f"/tickets/{refused.id}", {"note": "x"})
        assert (alone.json()["code"], alone.status_code) == (code, status)
    codes = [(held.id, "FORBIDDEN"), (hidden.id, "NOT_FOUND"), (deleted.id, "NOT_FOUND")]
    assert decided(await decide(foreign, field, [held, hidden, deleted])) == ([], codes)
    assert await snapshot() == before
    assert decided(await decide(foreign, field, [held, own, hidden, deleted])) == ([own.id], codes)


@APPROVE_AND_REJECT
@pytest.mark.parametrize(
    "ids", [[], [1, 1], ["1", "01"], [0], ["x"], list(range(1, 102))], ids=["none", "twice", "alike", "0", "x", "101"]
)
async def test_invalid_list_of_tickets_is_rejected(scene: CheckInScene, field: str, ids: list[Any]) -> None:
    before = await snapshot()
    document = DECIDE % (INPUTS[field], field, FIELDS)
    answer = await scene.organizer.graphql(document, input={"ticketIds": ids})
    assert error_code_and_status(answer) == ("VALIDATION_ERROR", 400)
    [named] = answer["errors"][0]["extensions"]["fields"]
    assert named.startswith("ticketIds")
    assert await snapshot() == before


async def test_too_long_reason_is_rejected(scene: CheckInScene) -> None:
    tickets = await pending(scene, 1)
    answer = await decide(scene.organizer, REJECT, tickets, reason="x" * 256)
    assert error_code_and_status(answer) == ("VALIDATION_ERROR", 400)
    assert await statuses(tickets) == [TicketStatus.PENDING]


@APPROVE_AND_REJECT
@pytest.mark.parametrize("mode", ["EACH", "ALL"])
async def test_statements_for_a_hundred_tickets_are_bounded(scene: CheckInScene, field: str, mode: str) -> None:
    types = [await scene.world.ticket_type(scene.event, price="100") for _ in range(2)]
    tickets = [
        (await pending(scene, 1, ticket_type=types[number % 2], transaction_id=f"PAID{number}"))[0]
        for number in range(100)
    ]
    with counted_statements() as statements:
        answer = await decide(scene.organizer, field, tickets, mode=mode)
    assert len(decided(answer)[0]) == 100
    # Two for the key and the returned decisions, and those of the resolver.
    assert len(statements) <= 2 + (100 * 8 if mode == "EACH" else 100 * 5 + 3)
    assert await find_inconsistencies() == {}


async def test_failure_halfway_rolls_back_all_decisions(scene: CheckInScene, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket_type = await scene.world.ticket_type(scene.event)
    tickets = await pending(scene, 3, ticket_type=ticket_type)
    enqueue, written = outbox.enqueue, Counter[str]()

    async def fail_at_the_second(*arguments: Any, **options: Any) -> None:
        written["mails"] += 1
        if written["mails"] == 2:
            raise ZeroDivisionError
        await enqueue(*arguments, **options)

    monkeypatch.setattr(outbox, "enqueue", fail_at_the_second)
    before = await snapshot()
    assert error_code_and_status(await decide(scene.organizer, REJECT, tickets, mode="ALL")) == ("INTERNAL", 500)
    assert written["mails"] == 2
    assert await snapshot() == before


@APPROVE_AND_REJECT
@pytest.mark.usefixtures("cache_totals")
async def test_cached_totals_are_invalidated(scene: CheckInScene, field: str) -> None:
    async def waiting() -> int:
        listed = await scene.organizer.get("/tickets", event_id=scene.event.id, status="Pending")
        total: int = listed.json()["pagination"]["total"]
        return total

    tickets = await pending(scene, 2)
    assert await waiting() == 2
    await decide(scene.organizer, field, tickets[:1])
    assert await waiting() == 1


# Concurrency ----------------------------------------------------------------------------------------------------


async def decide_concurrently(scene: CheckInScene, mode: str, *fields: str) -> tuple[Counter[str], list[Ticket]]:
    """Let four callers per field decide the same twelve tickets; return the count of each decision and the tickets."""
    ticket_type = await scene.world.ticket_type(scene.event, price="100")
    tickets = await pending(scene, 12, ticket_type=ticket_type)
    work = [
        decide(scene.organizer, field, tickets[::step], mode=mode)
        for field in fields
        for step in (1, -1)
        for _ in range(2)
    ]
    answers = await asyncio.gather(*work)
    decisions = [one for answer in answers if "errors" not in answer for one in answer["data"]["answer"]["decided"]]
    codes = {answer["errors"][0]["extensions"]["code"] for answer in answers if "errors" in answer}
    assert codes <= {"NOT_PENDING"}
    return Counter(one["status"] for one in decisions), tickets


@pytest.mark.parametrize("mode", ["EACH", "ALL"])
async def test_payment_is_decided_once(scene: CheckInScene, mode: str) -> None:
    counts, tickets = await decide_concurrently(scene, mode, APPROVE, REJECT)
    assert counts.total() == 12
    assert Counter(status.name for status in await statuses(tickets)) == counts
    assert len(counts) == 1 or mode == "EACH"
    assert await OutgoingMail.all().count() == 12
    assert await find_inconsistencies() == {}


@pytest.mark.backend("postgres")
async def test_payment_is_decided_twice_without_the_lock(scene: CheckInScene, monkeypatch: pytest.MonkeyPatch) -> None:
    save = updates._save

    async def save_late(ticket: Ticket, fields: list[str]) -> None:
        await asyncio.sleep(0.1)
        await save(ticket, fields)

    monkeypatch.setattr(updates, "_save", save_late)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda queryset, **_options: queryset)
    counts, _ = await decide_concurrently(scene, "EACH", APPROVE)
    assert counts.total() > 12


async def reject_crosswise(scene: CheckInScene, monkeypatch: pytest.MonkeyPatch) -> Counter[bool]:
    """Reject tickets of two types concurrently, in opposite orders; return how many requests failed."""

    async def release_slowly(ticket_type_id: int) -> None:
        await ticket_types.release_place(ticket_type_id)
        await asyncio.sleep(0.3)

    monkeypatch.setattr(updates, "release_place", release_slowly)
    types = [await scene.world.ticket_type(scene.event) for _ in range(2)]
    pairs = [
        [(await pending(scene, 1, ticket_type=ticket_type))[0] for ticket_type in types[::step]] for step in (1, -1)
    ]
    answers = await asyncio.gather(*(decide(scene.organizer, REJECT, pair, mode="ALL") for pair in pairs))
    return Counter("errors" in answer for answer in answers)


async def test_concurrent_rejections_do_not_deadlock(scene: CheckInScene, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await reject_crosswise(scene, monkeypatch) == {False: 2}
    assert {ticket_type.sold for ticket_type in await TicketType.all()} == {0}


@pytest.mark.backend("postgres")
async def test_concurrent_rejections_deadlock_without_a_fixed_order(
    scene: CheckInScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsorted(steps: list[Any], key: object) -> list[Any]:
        return steps

    monkeypatch.setattr(updates, "sorted", unsorted, raising=False)
    assert (await reject_crosswise(scene, monkeypatch))[True] == 1
    assert await find_inconsistencies() == {}
