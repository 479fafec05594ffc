"""Private events and their parts, which do not exist for other accounts (decisions 4.1, 6.9)."""

import datetime
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from amarevents.models import ApiKey, CustomValue, Donation, Event, Session, Ticket, TicketType, User
from amarevents.models.enums import Category, KeyType, Privacy, TicketStatus
from amarevents.rest.routes import ROUTES
from tests.rest.conftest import Stage
from tests.support.rest_answers import data_of, error_in, refused
from tests.support.world import Caller, World, hashed, snapshot

MISSING = 999_999
OTHERS = ["anonymous", "buyer", "rival", "buyer session", "rival session"]
# Texts that only the rows of the private event contain.
SECRETS = [
    "Hidden supper", "Lalmatia", "behind the blue door", "hidden notice", "01911111111", "hidden title", "Balcony",
    "Allergies", "peanuts", "hidden-picture", "Zohra", "zohra@private.example", "01922222222", "TXHIDDEN1",
    "no onions", "AEHIDDENCODE",
]  # fmt: skip


@dataclass
class Secret:
    """A private, sold-out event that is over, of an organization that also has public ones."""

    event: Event
    ticket_type: TicketType
    ticket: Ticket


async def make_secret(world: World, stage: Stage) -> Secret:
    event = await world.event(
        stage.organization, name="Hidden supper", location="Lalmatia", description="behind the blue door",
        notice="hidden notice", wallets={"bkash": "01911111111"}, emailtitle="hidden title", privacy=Privacy.PRIVATE,
        category=Category.FESTIVAL, date=datetime.date(2001, 2, 3),
    )  # fmt: skip
    kind = await world.ticket_type(event, name="Balcony", capacity=1, price="700")
    question = await world.custom_field(event, "Allergies", required=True)
    await world.gallery_image(event, url="https://example.com/hidden-picture.png")
    ticket = await world.ticket(
        event, await world.user(username="zohra"), ticket_type=kind, name="Zohra", email="zohra@private.example",
        number="01922222222", transaction_id="TXHIDDEN1", note="no onions", code="AEHIDDENCODE",
    )  # fmt: skip
    await CustomValue.create(ticket=ticket, field=question, value="peanuts")
    return Secret(event, kind, ticket)


async def other_callers(world: World, stage: Stage) -> dict[str, Caller]:
    assert stage.rival.user is not None
    return {
        "anonymous": world.anonymous,
        "buyer": stage.buyer,
        "rival": stage.rival,
        "buyer session": await world.session(stage.buyer_account),
        "rival session": await world.session(stage.rival.user),
    }


# Hidden and missing ---------------------------------------------------------------------------------------------

Answer = Awaitable[httpx.Response]
Ids = dict[str, Any]  # Any: ids, and the code of a ticket

REQUESTS: dict[str, Callable[[Caller, Ids], Answer]] = {
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


@pytest.mark.parametrize("who", OTHERS)
@pytest.mark.parametrize("what", REQUESTS)
async def test_hidden_rows_get_the_same_response_as_missing_ones(
    world: World, stage: Stage, what: str, who: str
) -> None:
    secret = await make_secret(world, stage)
    caller = (await other_callers(world, stage))[who]
    hidden = {
        "event": secret.event.id, "type": secret.ticket_type.id, "ticket": secret.ticket.id, "code": "AEHIDDENCODE",
        "public event": stage.event.id,
    }  # fmt: skip
    missing = {**dict.fromkeys(hidden, MISSING), "code": "AENEVERISSUED", "public event": stage.event.id}
    before = await snapshot()
    answers = [await REQUESTS[what](caller, ids) for ids in (hidden, missing)]
    assert await snapshot() == before
    assert answers[0].status_code == answers[1].status_code >= 400
    assert answers[0].json() == answers[1].json()
    assert answers[0].headers.keys() == answers[1].headers.keys()


async def test_owner_gets_other_responses_to_the_same_requests(world: World, stage: Stage) -> None:
    """Control of the test above: for the owner, the requests succeed."""
    secret = await make_secret(world, stage)
    ids = {"event": secret.event.id, "type": secret.ticket_type.id, "ticket": secret.ticket.id, "code": "AEHIDDENCODE"}
    owned = {"event", "its tickets", "its stats", "its gallery", "its fields", "its types", "tickets of it", "ticket"}
    for what in sorted(owned | {"verify a ticket", "verify a code", "paid tickets of it"}):
        assert (await REQUESTS[what](stage.organizer, ids)).status_code == 200


async def test_own_ticket_cannot_be_moved_to_a_hidden_type(world: World, stage: Stage) -> None:
    assert stage.rival.user is not None
    secret = await make_secret(world, stage)
    own = await world.ticket(await world.event(stage.rival.user), stage.rival.user)
    bodies = [{"ticket_type_id": kind} for kind in (secret.ticket_type.id, MISSING)]
    answers = [await stage.rival.put(f"/tickets/{own.id}", body) for body in bodies]
    assert [set(error_in(answer, 400, "VALIDATION_ERROR")) for answer in answers] == [{"ticket_type_id"}] * 2
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize("who", ["rival", "rival session"])
async def test_donations_and_keys_of_others_are_not_found(world: World, stage: Stage, who: str) -> None:
    donation, other = await world.donation(stage.organization), stage.buyer.key
    assert other is not None
    caller = (await other_callers(world, stage))[who]
    requests: list[Callable[[int], Answer]] = [
        lambda row: caller.put(f"/donations/{row}", {"status": "verified"}),
        lambda row: caller.put(f"/keys/{row}", {"name": "x"}),
        lambda row: caller.delete(f"/keys/{row}"),
    ]
    before = await snapshot()
    for request, hidden in zip(requests, (donation.id, other.id, other.id), strict=True):
        answers = [await request(row) for row in (hidden, MISSING)]
        assert answers[0].status_code == answers[1].status_code == 404
        assert answers[0].json() == answers[1].json()
    assert await snapshot() == before


# Lists and counts -----------------------------------------------------------------------------------------------

SEARCHES = ["/events", "/organizations"]


async def all_lists(caller: Caller, organization_id: int) -> dict[str, Any]:
    """Return the responses of every list, with every filter that could find the private event."""
    queries: list[tuple[str, dict[str, Any]]] = [
        *((path, {"search": word}) for path in SEARCHES for word in ("", *SECRETS)),
        ("/events", {"organization_id": organization_id}), ("/events", {"category": "festival"}),
        ("/events", {"limit": 1, "page": 2}), (f"/organizations/{organization_id}", {}), ("/tickets", {}),
        *(("/tickets", {"status": status}) for status in TicketStatus), ("/users/me", {}), ("/users/me/tickets", {}),
        *(("/donations", {"status": status}) for status in ("", "pending", "verified", "rejected")),
    ]  # fmt: skip
    return {f"{path} {query}": (await caller.get(path, **query)).json() for path, query in queries}


@pytest.mark.parametrize("who", OTHERS)
async def test_private_event_changes_no_list_and_no_total(world: World, stage: Stage, who: str) -> None:
    caller = (await other_callers(world, stage))[who]
    before = await all_lists(caller, stage.organization.id)
    await make_secret(world, stage)
    await world.donation(stage.organization, email="zohra@private.example")
    assert await all_lists(caller, stage.organization.id) == before


async def test_public_event_changes_lists_and_totals(world: World, stage: Stage) -> None:
    """Control of the test above."""
    before = await all_lists(world.anonymous, stage.organization.id)
    secret = await make_secret(world, stage)
    await Event.filter(id=secret.event.id).update(privacy=Privacy.PUBLIC)
    after = await all_lists(world.anonymous, stage.organization.id)
    changed = {name for name in before if before[name] != after[name]}
    assert changed > {"/events {'search': ''}", "/events {'category': 'festival'}", "/events {'search': 'Lalmatia'}"}
    assert changed > {f"/organizations/{stage.organization.id} {{}}", "/organizations {'search': ''}"}


# Every route ----------------------------------------------------------------------------------------------------


async def read_every_route(caller: Caller, ids: dict[str, list[int]]) -> dict[str, httpx.Response]:
    """Return the responses of every GET route, for each ID of its resource."""
    answers = {}
    for path in [path for route in ROUTES if route.method == "GET" for path in paths_of(route.path, ids)]:
        query = {"event_id": ids["events"][0]} if path == "/ticket-types" else {}
        answers[path] = await caller.get(path, **query)
    return answers


def paths_of(path: str, ids: dict[str, list[int]]) -> list[str]:
    noun = path.removeprefix("/admin").split("/")[1]
    return [path.replace("{id}", str(row)) for row in ids[noun]] if "{id}" in path else [path]


async def all_ids() -> dict[str, list[int]]:
    """Return the IDs of each resource, newest first, so that the private event comes before the public one."""
    nouns = {"events": Event, "tickets": Ticket, "users": User}
    ids = {noun: [row.pk for row in await model.all().order_by("-id")] for noun, model in nouns.items()}
    return {**ids, "organizations": [event.organization_id for event in await Event.all()]}


@pytest.mark.parametrize("who", OTHERS)
async def test_no_route_reveals_a_private_event(world: World, stage: Stage, who: str) -> None:
    await make_secret(world, stage)
    caller = (await other_callers(world, stage))[who]
    answers = await read_every_route(caller, await all_ids())
    found = {path: word for path, answer in answers.items() for word in SECRETS if word in answer.text}
    assert found == {}


async def test_routes_show_the_private_event_to_its_owner(world: World, stage: Stage) -> None:
    """Control of the test above: each text occurs in the owner's responses."""
    await make_secret(world, stage)
    texts = "".join(answer.text for answer in (await read_every_route(stage.organizer, await all_ids())).values())
    assert [word for word in SECRETS if word not in texts] == []


async def test_attendees_of_public_events_are_private(world: World, stage: Stage) -> None:
    secret = await make_secret(world, stage)
    await Event.filter(id=secret.event.id).update(privacy=Privacy.PUBLIC)
    personal = ["Zohra", "zohra@private.example", "01922222222", "TXHIDDEN1", "no onions", "peanuts", "AEHIDDENCODE"]
    ids = await all_ids()
    for who, caller in (await other_callers(world, stage)).items():
        for path, answer in (await read_every_route(caller, ids)).items():
            assert [word for word in personal if word in answer.text] == [], (who, path)


@pytest.mark.parametrize("who", ["admin", "organizer", "buyer", "rival session"])
async def test_no_response_contains_a_password_hash_or_a_digest(world: World, stage: Stage, who: str) -> None:
    await make_secret(world, stage)
    await User.all().update(password_hash=hashed("correct horse"))
    callers = {**await other_callers(world, stage), "admin": stage.admin, "organizer": stage.organizer}
    stored = [session.digest for session in await Session.all()] + [key.digest for key in await ApiKey.all()]
    answers = await read_every_route(callers[who], await all_ids())
    texts = "".join(answer.text for answer in answers.values())
    assert [word for word in ("$argon2", "password", "digest", *stored) if word in texts] == []


# Payments -------------------------------------------------------------------------------------------------------


async def test_error_for_a_used_transaction_id_does_not_reveal_its_ticket(world: World, stage: Stage) -> None:
    await make_secret(world, stage)
    await world.ticket(stage.event, await world.user(), transaction_id="TXPUBLIC1")
    await world.ticket(stage.event, stage.buyer_account, transaction_id="TXOWN1")
    answers = []
    for used in ("TXHIDDEN1", "TXPUBLIC1", "TXOWN1"):
        answer = await stage.buyer.post("/tickets", {"event_id": stage.event.id, "transaction_id": used})
        assert set(error_in(answer, 400, "DUPLICATE_TRANSACTION")) == {"transaction_id"}
        answers.append(answer.json())
    assert answers[0] == answers[1] == answers[2]


async def test_error_for_a_used_transaction_id_does_not_reveal_its_donation(world: World, stage: Stage) -> None:
    await world.donation(stage.organization, transaction_id="GIFTED1")
    await world.donation(transaction_id="GIFTED2")
    body = {"email": "giver@example.com", "number": "01700000000", "amount": 5, "type": "bkash"}
    answers = [await world.anonymous.post("/donations", {**body, "transaction_id": f"GIFTED{n}"}) for n in (1, 2)]
    assert set(error_in(answers[0], 400, "DUPLICATE_TRANSACTION")) == {"transaction_id"}
    assert answers[0].json() == answers[1].json()
    assert await Donation.all().count() == 2


async def test_event_is_checked_before_the_transaction_id(world: World, stage: Stage) -> None:
    """Otherwise callers could probe transaction IDs with events that do not exist."""
    await make_secret(world, stage)
    request = stage.buyer.post("/tickets", {"event_id": MISSING, "transaction_id": "TXHIDDEN1"})
    await refused(request, 404, "NOT_FOUND")


async def test_owner_without_the_scope_does_not_see_a_private_event(world: World, stage: Stage) -> None:
    assert stage.organizer.user is not None
    secret = await make_secret(world, stage)
    without_scope = await world.key(
        stage.organizer.user, KeyType.ORGANIZER, permissions=["users:read", "donations:read"]
    )
    hidden, missing = [await without_scope.get(f"/events/{event}") for event in (secret.event.id, MISSING)]
    assert hidden.status_code == 404
    assert hidden.json() == missing.json()
    assert data_of(await without_scope.get("/users/me"))["organization"]["events_used"] == 2
