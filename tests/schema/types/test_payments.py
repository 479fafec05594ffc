"""Payments decided many at once: each for itself, or all or none."""

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
from tests.support.door import Door, open_door
from tests.support.graphql_answers import refusal
from tests.support.orphans import unbalanced
from tests.support.statements import counted_statements
from tests.support.world import Caller, World, snapshot

# Any throughout: JSON, and models' fields as keyword arguments.

FIELDS = "decided { id status decision { reason decidedAt } } failed { ticketId code message }"
DECIDE = "mutation($input: DecidePaymentsInput!) { answer: %s(input: $input) { %s } }"
DECISION = "query($id: ID!) { ticket(id: $id) { status decision { reason decidedAt } } }"
APPROVE, REJECT = "approvePayments", "rejectPayments"
BOTH = pytest.mark.parametrize("field", [APPROVE, REJECT])
STATUS = {APPROVE: "SUCCESS", REJECT: "FAILED"}


@pytest.fixture
async def door(world: World) -> Door:
    return await open_door(world)


async def decide(caller: Caller, field: str, tickets: list[Ticket], **options: Any) -> dict[str, Any]:
    """The whole answer."""
    data = {"ticketIds": [ticket.id for ticket in tickets], **options}
    return await caller.graphql(DECIDE % (field, FIELDS), input=data)


def decided(answer: dict[str, Any]) -> tuple[list[int], list[tuple[int, str]]]:
    """The ids of the decided tickets, and those of the others with their codes."""
    assert "errors" not in answer, answer
    told = answer["data"]["answer"]
    failed = [(int(one["ticketId"]), one["code"]) for one in told["failed"]]
    return [int(one["id"]) for one in told["decided"]], failed


async def pending(door: Door, count: int, **fields: Any) -> list[Ticket]:
    return [await door.ticket(status=TicketStatus.PENDING, **fields) for _ in range(count)]


async def statuses(tickets: list[Ticket]) -> list[TicketStatus]:
    return [(await Ticket.get(id=ticket.id)).status for ticket in tickets]


@BOTH
@pytest.mark.parametrize("mode", [None, "EACH", "ALL"])
async def test_pending_payments_are_decided(door: Door, field: str, mode: str | None) -> None:
    kind = await door.world.ticket_type(door.event, price="100", capacity=9)
    tickets = await pending(door, 3, ticket_type=kind)
    answer = await decide(door.organizer, field, tickets[::-1], mode=mode)
    assert decided(answer) == ([ticket.id for ticket in tickets[::-1]], [])
    assert {one["status"] for one in answer["data"]["answer"]["decided"]} == {STATUS[field]}
    await kind.refresh_from_db()
    assert kind.sold == (3 if field == APPROVE else 0)
    assert await unbalanced() == {}


async def test_the_reason_is_kept_and_shown_to_organizer_admin_and_attendee(door: Door) -> None:
    [ticket] = await pending(door, 1)
    answer = await decide(door.organizer, REJECT, [ticket], reason=" No such payment ")
    [told] = answer["data"]["answer"]["decided"]
    assert told["decision"]["reason"] == "No such payment"
    for caller in (door.organizer, await door.world.admin_key(), door.attendee):
        shown = (await caller.graphql(DECISION, id=ticket.id))["data"]["ticket"]
        assert shown == {"status": "FAILED", "decision": told["decision"]}


async def test_a_ticket_that_is_as_it_was_issued_has_no_decision(door: Door) -> None:
    [ticket] = await pending(door, 1)
    assert (await door.attendee.graphql(DECISION, id=ticket.id))["data"]["ticket"]["decision"] is None


async def test_the_reason_goes_with_the_decision_that_it_was_given_for(door: Door) -> None:
    [ticket] = await pending(door, 1)
    await decide(door.organizer, REJECT, [ticket], reason="No such payment")
    first = (await door.attendee.graphql(DECISION, id=ticket.id))["data"]["ticket"]["decision"]
    await door.organizer.put(f"/tickets/{ticket.id}", {"status": "Failed", "note": "seen"})
    assert (await door.attendee.graphql(DECISION, id=ticket.id))["data"]["ticket"]["decision"] == first
    await door.organizer.put(f"/tickets/{ticket.id}", {"status": "Success"})
    second = (await door.attendee.graphql(DECISION, id=ticket.id))["data"]["ticket"]["decision"]
    assert second["reason"] is None
    assert second["decidedAt"] >= first["decidedAt"]


@BOTH
async def test_attendees_are_mailed_what_has_been_decided(door: Door, field: str) -> None:
    tickets = await pending(door, 2)
    await decide(door.organizer, field, tickets, reason="Paid {name} twice", mode="ALL")
    mails = await OutgoingMail.all().order_by("ticket_id")
    assert [mail.ticket_id for mail in mails] == [ticket.id for ticket in tickets]
    kind = MailKind.TICKET_CONFIRMED if field == APPROVE else MailKind.PAYMENT_REJECTED
    assert {mail.kind for mail in mails} == {kind}
    assert all(("Paid {name} twice" in mail.body) is (field == REJECT) for mail in mails)


@BOTH
@pytest.mark.parametrize("status", [status for status in TicketStatus if status is not TicketStatus.PENDING])
async def test_only_pending_payments_are_decided(door: Door, field: str, status: TicketStatus) -> None:
    tickets = [*await pending(door, 1), await door.ticket(status=status), *await pending(door, 1)]
    before = await snapshot()
    refused = await decide(door.organizer, field, tickets, mode="ALL")
    assert refusal(refused) == ("NOT_PENDING", 400)
    assert status in refused["errors"][0]["message"]
    assert refused["errors"][0]["extensions"]["fields"].keys() == {"ticketIds.1"}
    assert await snapshot() == before
    answer = await decide(door.organizer, field, tickets)
    assert decided(answer) == ([tickets[0].id, tickets[2].id], [(tickets[1].id, "NOT_PENDING")])
    assert (await statuses(tickets))[1] is status


@BOTH
async def test_tickets_of_others_events_are_refused_as_one_alone_would_be(door: Door, field: str) -> None:
    world, foreign = door.world, await door.world.organizer_key()
    assert foreign.user
    own = await world.ticket(await world.event(foreign.user), await world.user(), status=TicketStatus.PENDING)
    held = await world.ticket(door.event, foreign.user, status=TicketStatus.PENDING)
    hidden = (await pending(door, 1))[0]
    gone = await door.ticket()
    await gone.delete()
    before = await snapshot()
    for refused, code, status in ((held, "FORBIDDEN", 403), (hidden, "NOT_FOUND", 404), (gone, "NOT_FOUND", 404)):
        answer = await decide(foreign, field, [own, refused], mode="ALL")
        assert refusal(answer) == (code, status)
        assert answer["errors"][0]["extensions"]["fields"].keys() == {"ticketIds.1"}
        alone = await foreign.put(f"/tickets/{refused.id}", {"note": "x"})
        assert (alone.json()["code"], alone.status_code) == (code, status)
    codes = [(held.id, "FORBIDDEN"), (hidden.id, "NOT_FOUND"), (gone.id, "NOT_FOUND")]
    assert decided(await decide(foreign, field, [held, hidden, gone])) == ([], codes)
    assert await snapshot() == before
    assert decided(await decide(foreign, field, [held, own, hidden, gone])) == ([own.id], codes)


@BOTH
@pytest.mark.parametrize(
    "ids", [[], [1, 1], ["1", "01"], [0], ["x"], list(range(1, 102))], ids=["none", "twice", "alike", "0", "x", "101"]
)
async def test_between_one_and_a_hundred_tickets_each_once(door: Door, field: str, ids: list[Any]) -> None:
    before = await snapshot()
    answer = await door.organizer.graphql(DECIDE % (field, FIELDS), input={"ticketIds": ids})
    assert refusal(answer) == ("VALIDATION_ERROR", 400)
    [named] = answer["errors"][0]["extensions"]["fields"]
    assert named.startswith("ticketIds")
    assert await snapshot() == before


async def test_a_reason_that_does_not_fit_is_refused(door: Door) -> None:
    tickets = await pending(door, 1)
    answer = await decide(door.organizer, REJECT, tickets, reason="x" * 256)
    assert refusal(answer) == ("VALIDATION_ERROR", 400)
    assert await statuses(tickets) == [TicketStatus.PENDING]


@BOTH
@pytest.mark.parametrize("mode", ["EACH", "ALL"])
async def test_a_hundred_are_decided_at_once(door: Door, field: str, mode: str) -> None:
    kinds = [await door.world.ticket_type(door.event, price="100") for _ in range(2)]
    tickets = [ticket for kind in kinds for ticket in await pending(door, 50, ticket_type=kind)]
    with counted_statements() as statements:
        answer = await decide(door.organizer, field, tickets, mode=mode)
    assert len(decided(answer)[0]) == 100
    # The key and the decisions shown, and as the resolver says.
    assert len(statements) <= 2 + (100 * 8 if mode == "EACH" else 100 * 5 + 3)
    assert await unbalanced() == {}


async def test_what_fails_half_way_leaves_nothing_of_all(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = await door.world.ticket_type(door.event)
    tickets = await pending(door, 3, ticket_type=kind)
    enqueue, written = outbox.enqueue, Counter[str]()

    async def break_at_the_second(*arguments: Any, **options: Any) -> None:
        written["mails"] += 1
        if written["mails"] == 2:
            raise ZeroDivisionError
        await enqueue(*arguments, **options)

    monkeypatch.setattr(outbox, "enqueue", break_at_the_second)
    before = await snapshot()
    assert refusal(await decide(door.organizer, REJECT, tickets, mode="ALL")) == ("INTERNAL", 500)
    assert written["mails"] == 2
    assert await snapshot() == before


@BOTH
@pytest.mark.usefixtures("remember")
async def test_totals_of_tickets_are_counted_anew(door: Door, field: str) -> None:
    async def waiting() -> int:
        listed = await door.organizer.get("/tickets", event_id=door.event.id, status="Pending")
        total: int = listed.json()["pagination"]["total"]
        return total

    tickets = await pending(door, 2)
    assert await waiting() == 2
    await decide(door.organizer, field, tickets[:1])
    assert await waiting() == 1


# At once --------------------------------------------------------------------------------------------------------


async def decide_at_once(door: Door, mode: str, *fields: str) -> tuple[Counter[str], list[Ticket]]:
    """How often a ticket was decided which way, by four for each of the fields who decide the same twelve."""
    kind = await door.world.ticket_type(door.event, price="100")
    tickets = await pending(door, 12, ticket_type=kind)
    work = [
        decide(door.organizer, field, tickets[::step], mode=mode)
        for field in fields
        for step in (1, -1)
        for _ in range(2)
    ]
    answers = await asyncio.gather(*work)
    told = [one for answer in answers if "errors" not in answer for one in answer["data"]["answer"]["decided"]]
    codes = {answer["errors"][0]["extensions"]["code"] for answer in answers if "errors" in answer}
    assert codes <= {"NOT_PENDING"}
    return Counter(one["status"] for one in told), tickets


@pytest.mark.parametrize("mode", ["EACH", "ALL"])
async def test_a_payment_is_decided_once(door: Door, mode: str) -> None:
    happened, tickets = await decide_at_once(door, mode, APPROVE, REJECT)
    assert happened.total() == 12
    assert Counter(status.name for status in await statuses(tickets)) == happened
    assert len(happened) == 1 or mode == "EACH"
    assert await OutgoingMail.all().count() == 12
    assert await unbalanced() == {}


@pytest.mark.backend("postgres")
async def test_without_the_lock_it_would_be_decided_twice(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    save = updates._save

    async def save_late(ticket: Ticket, fields: list[str]) -> None:
        await asyncio.sleep(0.1)
        await save(ticket, fields)

    monkeypatch.setattr(updates, "_save", save_late)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda queryset, **_options: queryset)
    happened, _ = await decide_at_once(door, "EACH", APPROVE)
    assert happened.total() > 12


async def reject_crosswise(door: Door, monkeypatch: pytest.MonkeyPatch) -> Counter[bool]:
    """Two reject tickets of two types at once, whose tickets come in opposite order; how many were refused."""

    async def give_back_slowly(ticket_type_id: int) -> None:
        await ticket_types.release_place(ticket_type_id)
        await asyncio.sleep(0.3)

    monkeypatch.setattr(updates, "release_place", give_back_slowly)
    kinds = [await door.world.ticket_type(door.event) for _ in range(2)]
    pairs = [[(await pending(door, 1, ticket_type=kind))[0] for kind in kinds[::step]] for step in (1, -1)]
    answers = await asyncio.gather(*(decide(door.organizer, REJECT, pair, mode="ALL") for pair in pairs))
    return Counter("errors" in answer for answer in answers)


async def test_two_who_reject_do_not_wait_for_each_other_in_a_circle(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await reject_crosswise(door, monkeypatch) == {False: 2}
    assert {kind.sold for kind in await TicketType.all()} == {0}


@pytest.mark.backend("postgres")
async def test_without_an_order_they_would(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsorted(steps: list[Any], key: object) -> list[Any]:
        return steps

    monkeypatch.setattr(updates, "sorted", unsorted, raising=False)
    assert (await reject_crosswise(door, monkeypatch))[True] == 1
    assert await unbalanced() == {}
