"""Tickets from registration and payment to check-in, as an organizer and two buyers see them over GraphQL."""

from typing import Any

import pytest

from tests.support.check_in import check_in_result, check_in_scene, outcome_or_code
from tests.support.world import Caller, World

# Any throughout: JSON.

REGISTER = """mutation($event: ID!, $paid: String!) {
    registerForEvent(input: {eventId: $event, transactionId: $paid}) { id code status checkIn { gate } }
}"""
DECIDE = """mutation($good: ID!, $bad: ID!) {
    approvePayments(input: {ticketIds: [$good]}) { decided { id } }
    rejectPayments(input: {ticketIds: [$bad, $good], reason: "No such payment"}) { decided { id } failed { code } }
}"""
MINE = "{ myTickets { items { status checkIn { gate } decision { reason } } } }"
EVENT = """query($event: ID!) { event(id: $event) {
    attendance { checkedIn expected } ticketTypes { sold }
    tickets(status: SUCCESS) { items { checkIn { checkedInBy } } }
} }"""
SCAN = """mutation($code: String!, $scanId: String) {
    checkInTicket(code: $code, scanId: $scanId) { outcome ticket { name } }
}"""


async def _data(caller: Caller, document: str, **variables: Any) -> Any:
    answer = await caller.graphql(document, **variables)
    assert "errors" not in answer, answer
    return answer["data"]


@pytest.fixture
async def buyers(world: World) -> list[Caller]:
    return [await world.user_key(username=name) for name in ("rahim", "karim")]


async def test_approved_ticket_is_admitted_once_and_rejected_ticket_is_not(world: World, buyers: list[Caller]) -> None:
    scene = await check_in_scene(world)
    await world.ticket_type(scene.event, price="250", capacity=2)
    tickets = [
        (await _data(buyer, REGISTER, event=scene.event.id, paid=f"TX{number}"))["registerForEvent"]
        for number, buyer in enumerate(buyers)
    ]
    assert [ticket["status"] for ticket in tickets] == ["PENDING", "PENDING"]
    good, bad = tickets
    assert outcome_or_code(await scene.organizer.graphql(SCAN, code=good["code"])) == "TICKET_NOT_VALID"
    decisions = await _data(scene.organizer, DECIDE, good=good["id"], bad=bad["id"])
    assert decisions["rejectPayments"] == {"decided": [{"id": bad["id"]}], "failed": [{"code": "NOT_PENDING"}]}
    first = check_in_result(await scene.organizer.graphql(SCAN, code=good["code"], scanId="1"))
    assert first == {"outcome": "ADMITTED", "ticket": {"name": "rahim"}}
    assert outcome_or_code(await scene.organizer.graphql(SCAN, code=good["code"], scanId="1")) == "ADMITTED"
    assert outcome_or_code(await scene.organizer.graphql(SCAN, code=good["code"], scanId="2")) == "ALREADY_CHECKED_IN"
    assert outcome_or_code(await scene.organizer.graphql(SCAN, code=bad["code"], scanId="3")) == "TICKET_NOT_VALID"
    seen = [(await _data(buyer, MINE))["myTickets"]["items"] for buyer in buyers]
    assert seen == [
        [{"status": "SUCCESS", "checkIn": {"gate": None}, "decision": {"reason": None}}],
        [{"status": "FAILED", "checkIn": None, "decision": {"reason": "No such payment"}}],
    ]
    assert (await _data(scene.organizer, EVENT, event=scene.event.id))["event"] == {
        "attendance": {"checkedIn": 1, "expected": 1},
        "ticketTypes": [{"sold": 1}],
        "tickets": {"items": [{"checkIn": {"checkedInBy": "gatekeeper"}}]},
    }
