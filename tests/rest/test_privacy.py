"""What a stranger may not know of is answered, counted and named as if it did not exist (decisions 4.1, 6.9)."""

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
STRANGERS = ["anonymous", "buyer", "rival", "buyer session", "rival session"]
# Texts that stand in the secret's rows and nowhere else.
SECRETS = [
    "Hidden supper", "Lalmatia", "behind the blue door", "hidden notice", "01911111111", "hidden title", "Balcony",
    "Allergies", "peanuts", "hidden-picture", "Zohra", "zohra@private.example", "01922222222", "TXHIDDEN1",
    "no onions", "AEHIDDENCODE",
]  # fmt: skip


@dataclass
class Secret:
    """A private event, closed and sold out, of an organization that has public ones too; and what hangs on it."""

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


async def strangers(world: World, stage: Stage) -> dict[str, Caller]:
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
    "change it not": lambda caller, ids: caller.put(f"/events/{ids['event']}", {}),
    "change it wrongly": lambda caller, ids: caller.put(f"/events/{ids['event']}", {"deadline": "2001-02-04"}),
    "change it absurdly": lambda caller, ids: caller.put(f"/events/{ids['event']}", {"name": 5}),
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


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.parametrize("what", REQUESTS)
async def test_the_hidden_is_answered_like_the_missing(world: World, stage: Stage, what: str, who: str) -> None:
    secret = await make_secret(world, stage)
    caller = (await strangers(world, stage))[who]
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


async def test_the_same_requests_tell_the_owner_more(world: World, stage: Stage) -> None:
    """The control of the test above: the requests are such that there would be something to give away."""
    secret = await make_secret(world, stage)
    ids = {"event": secret.event.id, "type": secret.ticket_type.id, "ticket": secret.ticket.id, "code": "AEHIDDENCODE"}
    owned = {"event", "its tickets", "its stats", "its gallery", "its fields", "its types", "tickets of it", "ticket"}
    for what in sorted(owned | {"verify a ticket", "verify a code", "paid tickets of it"}):
        assert (await REQUESTS[what](stage.organizer, ids)).status_code == 200


async def test_ones_own_ticket_takes_no_hidden_type(world: World, stage: Stage) -> None:
    assert stage.rival.user is not None
    secret = await make_secret(world, stage)
    own = await world.ticket(await world.event(stage.rival.user), stage.rival.user)
    bodies = [{"ticket_type_id": kind} for kind in (secret.ticket_type.id, MISSING)]
    answers = [await stage.rival.put(f"/tickets/{own.id}", body) for body in bodies]
    assert [set(error_in(answer, 400, "VALIDATION_ERROR")) for answer in answers] == [{"ticket_type_id"}] * 2
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize("who", ["rival", "rival session"])
async def test_foreign_donations_and_keys_are_answered_like_missing_ones(world: World, stage: Stage, who: str) -> None:
    donation, foreign = await world.donation(stage.organization), stage.buyer.key
    assert foreign is not None
    caller = (await strangers(world, stage))[who]
    requests: list[Callable[[int], Answer]] = [
        lambda row: caller.put(f"/donations/{row}", {"status": "verified"}),
        lambda row: caller.put(f"/keys/{row}", {"name": "x"}),
        lambda row: caller.delete(f"/keys/{row}"),
    ]
    before = await snapshot()
    for request, hidden in zip(requests, (donation.id, foreign.id, foreign.id), strict=True):
        answers = [await request(row) for row in (hidden, MISSING)]
        assert answers[0].status_code == answers[1].status_code == 404
        assert answers[0].json() == answers[1].json()
    assert await snapshot() == before


# Lists and counts -----------------------------------------------------------------------------------------------

SEARCHES = ["/events", "/organizations"]


async def all_lists(caller: Caller, organization_id: int) -> dict[str, Any]:
    """Every list and count that there is, with every filter that might find the secret."""
    queries: list[tuple[str, dict[str, Any]]] = [
        *((path, {"search": word}) for path in SEARCHES for word in ("", *SECRETS)),
        ("/events", {"organization_id": organization_id}), ("/events", {"category": "festival"}),
        ("/events", {"limit": 1, "page": 2}), (f"/organizations/{organization_id}", {}), ("/tickets", {}),
        *(("/tickets", {"status": status}) for status in TicketStatus), ("/users/me", {}), ("/users/me/tickets", {}),
        *(("/donations", {"status": status}) for status in ("", "pending", "verified", "rejected")),
    ]  # fmt: skip
    return {f"{path} {query}": (await caller.get(path, **query)).json() for path, query in queries}


@pytest.mark.parametrize("who", STRANGERS)
async def test_a_private_event_changes_no_list_and_no_count(world: World, stage: Stage, who: str) -> None:
    caller = (await strangers(world, stage))[who]
    before = await all_lists(caller, stage.organization.id)
    await make_secret(world, stage)
    await world.donation(stage.organization, email="zohra@private.example")
    assert await all_lists(caller, stage.organization.id) == before


async def test_the_same_event_in_public_changes_them(world: World, stage: Stage) -> None:
    """The control of the test above."""
    before = await all_lists(world.anonymous, stage.organization.id)
    secret = await make_secret(world, stage)
    await Event.filter(id=secret.event.id).update(privacy=Privacy.PUBLIC)
    after = await all_lists(world.anonymous, stage.organization.id)
    changed = {name for name in before if before[name] != after[name]}
    assert changed > {"/events {'search': ''}", "/events {'category': 'festival'}", "/events {'search': 'Lalmatia'}"}
    assert changed > {f"/organizations/{stage.organization.id} {{}}", "/organizations {'search': ''}"}


# Every route ----------------------------------------------------------------------------------------------------


async def everything_read(caller: Caller, ids: dict[str, list[int]]) -> dict[str, httpx.Response]:
    """What every GET route answers, for each of the ids of its noun."""
    answers = {}
    for path in [path for route in ROUTES if route.method == "GET" for path in paths_of(route.path, ids)]:
        query = {"event_id": ids["events"][0]} if path == "/ticket-types" else {}
        answers[path] = await caller.get(path, **query)
    return answers


def paths_of(path: str, ids: dict[str, list[int]]) -> list[str]:
    noun = path.removeprefix("/admin").split("/")[1]
    return [path.replace("{id}", str(row)) for row in ids[noun]] if "{id}" in path else [path]


async def all_ids() -> dict[str, list[int]]:
    """Newest first: the secret's before those of the public event."""
    nouns = {"events": Event, "tickets": Ticket, "users": User}
    ids = {noun: [row.pk for row in await model.all().order_by("-id")] for noun, model in nouns.items()}
    return {**ids, "organizations": [event.organization_id for event in await Event.all()]}


@pytest.mark.parametrize("who", STRANGERS)
async def test_no_route_tells_a_stranger_anything_of_it(world: World, stage: Stage, who: str) -> None:
    await make_secret(world, stage)
    caller = (await strangers(world, stage))[who]
    answers = await everything_read(caller, await all_ids())
    found = {path: word for path, answer in answers.items() for word in SECRETS if word in answer.text}
    assert found == {}


async def test_the_owner_is_told_all_of_it(world: World, stage: Stage) -> None:
    """The control of the test above: each of the words would be found where it is shown."""
    await make_secret(world, stage)
    texts = "".join(answer.text for answer in (await everything_read(stage.organizer, await all_ids())).values())
    assert [word for word in SECRETS if word not in texts] == []


async def test_attendees_of_public_events_are_nobody_elses_business(world: World, stage: Stage) -> None:
    secret = await make_secret(world, stage)
    await Event.filter(id=secret.event.id).update(privacy=Privacy.PUBLIC)
    personal = ["Zohra", "zohra@private.example", "01922222222", "TXHIDDEN1", "no onions", "peanuts", "AEHIDDENCODE"]
    ids = await all_ids()
    for who, caller in (await strangers(world, stage)).items():
        for path, answer in (await everything_read(caller, ids)).items():
            assert [word for word in personal if word in answer.text] == [], (who, path)


@pytest.mark.parametrize("who", ["admin", "organizer", "buyer", "rival session"])
async def test_no_answer_holds_a_password_hash_or_a_digest(world: World, stage: Stage, who: str) -> None:
    await make_secret(world, stage)
    await User.all().update(password_hash=hashed("correct horse"))
    callers = {**await strangers(world, stage), "admin": stage.admin, "organizer": stage.organizer}
    stored = [session.digest for session in await Session.all()] + [key.digest for key in await ApiKey.all()]
    answers = await everything_read(callers[who], await all_ids())
    texts = "".join(answer.text for answer in answers.values())
    assert [word for word in ("$argon2", "password", "digest", *stored) if word in texts] == []


# Payments -------------------------------------------------------------------------------------------------------


async def test_a_used_transaction_id_tells_nothing_but_that(world: World, stage: Stage) -> None:
    await make_secret(world, stage)
    await world.ticket(stage.event, await world.user(), transaction_id="TXPUBLIC1")
    await world.ticket(stage.event, stage.buyer_account, transaction_id="TXOWN1")
    answers = []
    for used in ("TXHIDDEN1", "TXPUBLIC1", "TXOWN1"):
        answer = await stage.buyer.post("/tickets", {"event_id": stage.event.id, "transaction_id": used})
        assert set(error_in(answer, 400, "DUPLICATE_TRANSACTION")) == {"transaction_id"}
        answers.append(answer.json())
    assert answers[0] == answers[1] == answers[2]


async def test_a_used_donation_tells_nothing_but_that(world: World, stage: Stage) -> None:
    await world.donation(stage.organization, transaction_id="GIFTED1")
    await world.donation(transaction_id="GIFTED2")
    body = {"email": "giver@example.com", "number": "01700000000", "amount": 5, "type": "bkash"}
    answers = [await world.anonymous.post("/donations", {**body, "transaction_id": f"GIFTED{n}"}) for n in (1, 2)]
    assert set(error_in(answers[0], 400, "DUPLICATE_TRANSACTION")) == {"transaction_id"}
    assert answers[0].json() == answers[1].json()
    assert await Donation.all().count() == 2


async def test_a_used_payment_is_not_looked_at_before_the_event(world: World, stage: Stage) -> None:
    """Otherwise a stranger could try payments of tickets against events that do not exist."""
    await make_secret(world, stage)
    request = stage.buyer.post("/tickets", {"event_id": MISSING, "transaction_id": "TXHIDDEN1"})
    await refused(request, 404, "NOT_FOUND")


async def test_an_organizer_keys_own_event_needs_its_scope_to_be_seen(world: World, stage: Stage) -> None:
    assert stage.organizer.user is not None
    secret = await make_secret(world, stage)
    blind = await world.key(stage.organizer.user, KeyType.ORGANIZER, permissions=["users:read", "donations:read"])
    hidden, missing = [await blind.get(f"/events/{event}") for event in (secret.event.id, MISSING)]
    assert hidden.status_code == 404
    assert hidden.json() == missing.json()
    assert data_of(await blind.get("/users/me"))["organization"]["events_used"] == 2
