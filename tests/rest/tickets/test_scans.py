"""What scanners read: codes in other spellings, codes of other systems, and tickets for another event."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import pytest

from amarevents.models import CheckIn, Event, Ticket
from amarevents.models.enums import TicketStatus
from tests.rest.conftest import Stage
from tests.support.graphql_answers import answer_of
from tests.support.graphql_answers import refused as refused_over_graphql
from tests.support.rest_answers import data_of, refused
from tests.support.world import Caller, World

CODE = "AEJ5XW4YTBMF2GS3LPNR6Q7ZKDC"

VERIFY = "query($scan: String, $event: ID) { verifyTicket(code: $scan, eventId: $event) { ticketId valid reason } }"
CHECK_IN = (
    "mutation($scan: String!, $event: ID) { checkInTicket(code: $scan, eventId: $event) { outcome ticket { id } } }"
)


@pytest.fixture
async def ticket(world: World, stage: Stage) -> Ticket:
    return await world.ticket(stage.event, stage.buyer_account, code=CODE)


@pytest.fixture
async def other_event(world: World, stage: Stage) -> Event:
    return await world.event(stage.organization, name="Boi Mela")


def _path(code: str) -> str:
    return f"/tickets/{quote(code, safe='')}/verify"


SPELLINGS = {
    "line end": f"{CODE}\n",
    "line end of a hand scanner": f"{CODE}\r\n",
    "tab": f"\t{CODE}\t",
    "lower case": CODE.lower(),
    "groups": "AEJ5-XW4Y-TBMF 2GS3 LPNR 6Q7Z KDC",
    "full width": "".join(chr(ord(letter) + 0xFEE0) for letter in CODE),
    "byte order mark": f"\ufeff{CODE}",
    "invisible characters": f"{CODE[:9]}\u200b\u2060{CODE[9:]}\u200e",
}


@pytest.mark.parametrize("code", SPELLINGS.values(), ids=SPELLINGS)
async def test_code_is_found_however_it_is_sent(stage: Stage, ticket: Ticket, code: str) -> None:
    assert data_of(await stage.organizer.post(_path(code)))["ticket_id"] == ticket.id
    assert (await answer_of(stage.organizer, VERIFY, scan=code))["ticketId"] == str(ticket.id)
    assert (await answer_of(stage.organizer, CHECK_IN, scan=code))["ticket"] == {"id": str(ticket.id)}


FOREIGN = {
    "web address": f"https://example.com/tickets/{CODE}?source=qr#top",
    "contact": "BEGIN:VCARD\nVERSION:3.0\nFN:Karim\nEND:VCARD",
    "one letter less": CODE[:-1],
    "one letter more": f"{CODE}A",
    "32 characters": "A" * 32,
    "33 characters": "A" * 33,
    "255 characters": "A" * 255,
    "256 characters": "A" * 256,
    "10,000 characters": "A" * 10_000,
    "long number": "9" * 5_000,
    "NUL": "\x00",
    "NUL inside": "AE\x00J5",
    "Bangla digits": "১২৩৪৫৬৭৮৯০",
    "Bangla": "টিকিট",
    "emoji": "🎫",
    "quotes": "' OR 1=1 --",
    "wildcard": "AE%",
    "other letters that look alike": "АЕ" + CODE[2:],
}


@pytest.mark.parametrize("code", FOREIGN.values(), ids=FOREIGN)
async def test_foreign_code_is_not_found(stage: Stage, ticket: Ticket, code: str) -> None:
    await refused(stage.organizer.post(_path(code)), 404, "NOT_FOUND")
    await refused(stage.organizer.post(_path(code), {"event_id": stage.event.id}), 404, "NOT_FOUND")
    for document in (VERIFY, CHECK_IN):
        await refused_over_graphql(stage.organizer, document, "NOT_FOUND", scan=code)
        await refused_over_graphql(stage.organizer, document, "NOT_FOUND", scan=code, event=stage.event.id)


async def test_empty_code_is_missing(stage: Stage) -> None:
    for code in ("", " \r\n"):
        for document in (VERIFY, CHECK_IN):
            await refused_over_graphql(stage.organizer, document, "VALIDATION_ERROR", scan=code)


# The event to enter ----------------------------------------------------------------------------------------------

Verify = Callable[[Caller, int | None], Awaitable[dict[str, Any]]]


async def _verify_over_rest(caller: Caller, event_id: int | None) -> dict[str, Any]:
    answer = data_of(await caller.post(_path(CODE), {} if event_id is None else {"event_id": event_id}))
    return {name: answer[name] for name in ("valid", "reason")}


async def _verify_over_graphql(caller: Caller, event_id: int | None) -> dict[str, Any]:
    answer = await answer_of(caller, VERIFY, scan=CODE, event=event_id)
    return {name: answer[name] for name in ("valid", "reason")}


@pytest.mark.parametrize("verify", [_verify_over_rest, _verify_over_graphql])
async def test_ticket_is_valid_for_its_own_event_alone(
    stage: Stage, ticket: Ticket, other_event: Event, verify: Verify
) -> None:
    for event_id in (None, stage.event.id):
        assert await verify(stage.organizer, event_id) == {"valid": True, "reason": None}
    for event_id in (other_event.id, 999_999):
        assert await verify(stage.organizer, event_id) == {"valid": False, "reason": "WRONG_EVENT"}
    await Ticket.filter(id=ticket.id).update(status=TicketStatus.REFUNDED)
    for event_id in (None, stage.event.id):
        assert await verify(stage.organizer, event_id) == {"valid": False, "reason": "TICKET_NOT_VALID"}
    assert await verify(stage.organizer, other_event.id) == {"valid": False, "reason": "WRONG_EVENT"}


async def test_ticket_is_checked_in_at_its_own_event_alone(stage: Stage, ticket: Ticket, other_event: Event) -> None:
    for event_id in (other_event.id, 999_999):
        await refused_over_graphql(stage.organizer, CHECK_IN, "WRONG_EVENT", scan=CODE, event=event_id)
    answer = await stage.organizer.graphql(CHECK_IN, scan=CODE, event=other_event.id)
    assert answer["errors"][0]["message"] == f"Ticket is for another event: {stage.event.name}"
    assert await CheckIn.all().count() == 0
    for outcome in ("ADMITTED", "ALREADY_CHECKED_IN"):
        assert (await answer_of(stage.organizer, CHECK_IN, scan=CODE, event=stage.event.id))["outcome"] == outcome
    await refused_over_graphql(stage.organizer, CHECK_IN, "WRONG_EVENT", scan=CODE, event=other_event.id)


async def test_tickets_of_others_remain_hidden_at_any_event(stage: Stage, world: World, ticket: Ticket) -> None:
    assert stage.rival.user
    own = await world.event(stage.rival.user)
    for event_id in (own.id, stage.event.id):
        await refused(stage.rival.post(_path(CODE), {"event_id": event_id}), 404, "NOT_FOUND")
        await refused_over_graphql(stage.rival, CHECK_IN, "NOT_FOUND", scan=CODE, event=event_id)


@pytest.mark.parametrize("body", ["", "{}", '{"event_id": null}', '{"event_id": %s}', '{"event_id": "%s"}'])
async def test_body_of_a_verification_is_optional(stage: Stage, ticket: Ticket, body: str) -> None:
    sent = body.replace("%s", str(stage.event.id))
    for headers in ({"Content-Type": "application/json"}, {"Content-Type": "application/json; charset=utf-8"}):
        answer = await stage.organizer.http.post(
            f"/api{_path(CODE)}", content=sent, headers={**stage.organizer.headers, **headers}
        )
        assert data_of(answer)["valid"] is True
    assert data_of(await stage.organizer.post(_path(CODE)))["valid"] is True


@pytest.mark.parametrize("event_id", ["x", 0, -1, 1.5, True, [1], 2**31])
async def test_invalid_event_is_refused_by_name(stage: Stage, ticket: Ticket, event_id: Any) -> None:
    answer = await refused(stage.organizer.post(_path(CODE), {"event_id": event_id}), 400, "VALIDATION_ERROR")
    assert set(answer) == {"event_id"}
