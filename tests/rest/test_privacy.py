"""Private events and their parts, which do not exist for other accounts (decisions 4.1, 6.9)."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from amarevents.models import Donation
from amarevents.models.enums import KeyType, Privacy
from tests.rest.conftest import Stage
from tests.rest.private_event import OTHER_CALLERS, create_private_event, other_callers
from tests.support.rest_answers import data_of, error_in, refused
from tests.support.world import Caller, World, snapshot

MISSING = 999_999


# Hidden and missing ---------------------------------------------------------------------------------------------

PendingResponse = Awaitable[httpx.Response]
Ids = dict[str, Any]  # Any: ids, and the code of a ticket

REQUESTS: dict[str, Callable[[Caller, Ids], PendingResponse]] = {
    "event": lambda caller, ids: caller.get(f"/events/{ids['event']}"),
    "its tickets": lambda caller, ids: caller.get(f"/events/{ids['event']}/tickets"),
    "its tickets by status": lambda caller, ids: caller.get(f"/events/{ids['event']}/tickets", status="Success"),
    "its stats": lambda caller, ids: caller.get(f"/events/{ids['event']}/stats"),
    "its gallery": lambda caller, ids: caller.get(f"/events/{ids['event']}/gallery"),
    "its fields": lambda caller, ids: caller.get(f"/events/{ids['event']}/fields"),
    "change it": lambda caller, ids: caller.put(f"/events/{ids['event']}", {"name": "x"}),
    "change nothing": lambda caller, ids: caller.put(f"/events/{ids['event']}", {}),
    "change it to an invalid state": lambda caller, ids: caller.put(
        f"/events/{ids['event']}", {"deadline": "2001-02-04"}
    ),
    "change it to an invalid type": lambda caller, ids: caller.put(f"/events/{ids['event']}", {"name": 5}),
    "delete it": lambda caller, ids: caller.delete(f"/events/{ids['event']}"),
    "its types": lambda caller, ids: caller.get("/ticket-types", event_id=ids["event"]),
    "add a type": lambda caller, ids: caller.post("/ticket-types", {"event_id": ids["event"], "name": "x"}),
    "change its type": lambda caller, ids: caller.put(f"/ticket-types/{ids['type']}", {"capacity": 0}),
    "lower its type": lambda caller, ids: caller.put(f"/ticket-types/{ids['type']}", {"capacity": 1}),
    "delete its type": lambda caller, ids: caller.delete(f"/ticket-types/{ids['type']}"),
    "tickets of it": lambda caller, ids: caller.get("/tickets", event_id=ids["event"]),
    "paid tickets of it": lambda caller, ids: caller.get("/tickets", event_id=ids["event"], status="Success"),
    "ticket": lambda caller, ids: caller.get(f"/tickets/{ids['ticket']}"),
    "change a ticket": lambda caller, ids: caller.put(f"/tickets/{ids['ticket']}", {"status": "Refunded"}),
    "retype a ticket": lambda caller, ids: caller.put(f"/tickets/{ids['ticket']}", {"ticket_type_id": MISSING}),
    "delete a ticket": lambda caller, ids: caller.delete(f"/tickets/{ids['ticket']}"),
    "verify a ticket": lambda caller, ids: caller.post(f"/tickets/{ids['ticket']}/verify"),
    "verify a code": lambda caller, ids: caller.post(f"/tickets/{ids['code']}/verify"),
    "register": lambda caller, ids: caller.post("/tickets", {"event_id": ids["event"]}),
    "register with its type": lambda caller, ids: caller.post(
        "/tickets", {"event_id": ids["event"], "ticket_type_id": ids["type"], "custom_fields": {"Allergies": "none"}}
    ),
    "register with its payment": lambda caller, ids: caller.post(
        "/tickets", {"event_id": ids["event"], "transaction_id": "TXHIDDEN1", "amount": 1}
    ),
    "register elsewhere with its type": lambda caller, ids: caller.post(
        "/tickets", {"event_id": ids["public event"], "ticket_type_id": ids["type"]}
    ),
}


@pytest.mark.parametrize("caller_name", OTHER_CALLERS)
@pytest.mark.parametrize("what", REQUESTS)
async def test_hidden_rows_get_the_same_response_as_missing_ones(
    world: World, stage: Stage, what: str, caller_name: str
) -> None:
    secret = await create_private_event(world, stage)
    caller = (await other_callers(world, stage))[caller_name]
    hidden = {
        "event": secret.event.id, "type": secret.ticket_type.id, "ticket": secret.ticket.id, "code": "AEHIDDENCODE",
        "public event": stage.event.id,
    }  # fmt: skip
    missing = {**dict.fromkeys(hidden, MISSING), "code": "AENEVERISSUED", "public event": stage.event.id}
    before = await snapshot()
    responses = [await REQUESTS[what](caller, ids) for ids in (hidden, missing)]
    assert await snapshot() == before
    assert responses[0].status_code == responses[1].status_code >= 400
    assert responses[0].json() == responses[1].json()
    assert responses[0].headers.keys() == responses[1].headers.keys()


async def test_owner_gets_other_responses_to_the_same_requests(world: World, stage: Stage) -> None:
    """Control of the test above: for the owner, the requests succeed."""
    secret = await create_private_event(world, stage)
    ids = {"event": secret.event.id, "type": secret.ticket_type.id, "ticket": secret.ticket.id, "code": "AEHIDDENCODE"}
    owned = {"event", "its tickets", "its stats", "its gallery", "its fields", "its types", "tickets of it", "ticket"}
    for what in sorted(owned | {"verify a ticket", "verify a code", "paid tickets of it"}):
        assert (await REQUESTS[what](stage.organizer, ids)).status_code == 200


async def test_own_ticket_cannot_be_moved_to_a_hidden_type(world: World, stage: Stage) -> None:
    assert stage.rival.user is not None
    secret = await create_private_event(world, stage)
    own = await world.ticket(await world.event(stage.rival.user), stage.rival.user)
    bodies = [{"ticket_type_id": ticket_type} for ticket_type in (secret.ticket_type.id, MISSING)]
    responses = [await stage.rival.put(f"/tickets/{own.id}", body) for body in bodies]
    assert [set(error_in(response, 400, "VALIDATION_ERROR")) for response in responses] == [{"ticket_type_id"}] * 2
    assert responses[0].json() == responses[1].json()


@pytest.mark.parametrize("caller_name", ["rival", "rival session"])
async def test_donations_and_keys_of_others_are_not_found(world: World, stage: Stage, caller_name: str) -> None:
    donation, other = await world.donation(stage.organization), stage.buyer.key
    assert other is not None
    caller = (await other_callers(world, stage))[caller_name]
    requests: list[Callable[[int], PendingResponse]] = [
        lambda row: caller.put(f"/donations/{row}", {"status": "verified"}),
        lambda row: caller.put(f"/keys/{row}", {"name": "x"}),
        lambda row: caller.delete(f"/keys/{row}"),
    ]
    before = await snapshot()
    for request, hidden in zip(requests, (donation.id, other.id, other.id), strict=True):
        responses = [await request(row) for row in (hidden, MISSING)]
        assert responses[0].status_code == responses[1].status_code == 404
        assert responses[0].json() == responses[1].json()
    assert await snapshot() == before


# Payments -------------------------------------------------------------------------------------------------------


async def test_error_for_a_used_transaction_id_does_not_reveal_its_ticket(world: World, stage: Stage) -> None:
    hidden = await world.event(stage.organization, privacy=Privacy.PRIVATE)
    amount = Decimal(5)
    await world.ticket(hidden, await world.user(), transaction_id="TXHIDDEN1", amount=amount)
    await world.ticket(stage.event, await world.user(), transaction_id="TXPUBLIC1", amount=amount)
    await world.ticket(stage.event, stage.buyer_account, transaction_id="TXOWN1", amount=amount)
    responses = []
    for used in ("TXHIDDEN1", "TXPUBLIC1", "TXOWN1"):
        body = {"event_id": stage.event.id, "transaction_id": used, "amount": 5}
        response = await stage.buyer.post("/tickets", body)
        assert set(error_in(response, 400, "DUPLICATE_TRANSACTION")) == {"transaction_id"}
        responses.append(response.json())
    assert responses[0] == responses[1] == responses[2]


async def test_error_for_a_used_transaction_id_does_not_reveal_its_donation(world: World, stage: Stage) -> None:
    await world.donation(stage.organization, transaction_id="GIFTED1")
    await world.ticket(stage.event, await world.user(), transaction_id="GIFTED2", amount=Decimal(5))
    to = {"organization_id": stage.organization.id}
    body = {"email": "giver@example.com", "number": "01700000000", "amount": 5, "type": "bkash", **to}
    responses = [await world.anonymous.post("/donations", {**body, "transaction_id": f"GIFTED{n}"}) for n in (1, 2)]
    assert set(error_in(responses[0], 400, "DUPLICATE_TRANSACTION")) == {"transaction_id"}
    assert responses[0].json() == responses[1].json()
    assert await Donation.all().count() == 1


async def test_event_is_checked_before_the_transaction_id(world: World, stage: Stage) -> None:
    """Otherwise callers could probe transaction IDs with events that do not exist."""
    await create_private_event(world, stage)
    request = stage.buyer.post("/tickets", {"event_id": MISSING, "transaction_id": "TXHIDDEN1"})
    await refused(request, 404, "NOT_FOUND")


async def test_owner_without_the_scope_does_not_see_a_private_event(world: World, stage: Stage) -> None:
    assert stage.organizer.user is not None
    secret = await create_private_event(world, stage)
    without_scope = await world.key(
        stage.organizer.user, KeyType.ORGANIZER, permissions=["users:read", "donations:read"]
    )
    hidden, missing = [await without_scope.get(f"/events/{event}") for event in (secret.event.id, MISSING)]
    assert hidden.status_code == 404
    assert hidden.json() == missing.json()
    assert data_of(await without_scope.get("/users/me"))["organization"]["events_used"] == 2
