"""Plans of random documents, whose responses equal those of the stock engine: data, errors, and the order of keys."""

import gc
import random
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from amarevents import errors
from amarevents.models import CustomValue, Event, User
from amarevents.models.enums import KeyType, Privacy, TicketStatus
from amarevents.schema.core.dataloaders import LoadFunction
from amarevents.schema.core.edges import Batch
from amarevents.schema.execution.engine import AmarEventsSchema
from amarevents.schema.execution.plans.plan import Plan
from amarevents.security.context import Context
from tests.support.graph import EDGES, SCHEMA, batch_of, edge_of, lift_limits, replace_batch
from tests.support.random_documents import DocumentWriter
from tests.support.sizes import sized
from tests.support.world import Caller, World, in_days

# Any: JSON, and views.

DOCUMENTS = sized(400, deep=6_000)
SEEDS = range(8)

_PAGES = ["", "(limit: 2)", "(page: 2, limit: $few)", "(limit: $few)"]
_SLICES = ["", "(first: 2)", "(last: $few)", '(after: "broken")']
ARGUMENTS = {
    "events": [*_PAGES, '(search: "fair", sort: NEWEST)', "(upcoming: $yes)", "(limit: 0)"],
    "eventsConnection": [*_SLICES, "(first: 1, upcoming: true)"],
    "event": ["(id: $event)", '(id: "0")', "(id: $private)"],
    "organizations": _PAGES,
    "organization": ["(id: $organization)", '(id: "nothing")'],
    "ticketTypes": ["(eventId: $event)", "(eventId: $private)"],
    "Query.tickets": ["(eventId: $event)", "(eventId: $private, status: SUCCESS)"],
    "Query.ticketsConnection": ["(eventId: $event)", "(eventId: $event, first: $few)"],
    "tickets": [*_PAGES, "(status: SUCCESS)"],
    "ticketsConnection": _SLICES,
    "myTickets": [*_PAGES, "(status: PENDING)"],
    "donations": _PAGES,
    "users": _PAGES,
    "user": ["(id: $owner)"],
    "adminEvents": [*_PAGES, "(privacy: PRIVATE)"],
    "outbox": _PAGES,
}
VARIABLES = {"few": "Int = 3", "event": "ID!", "private": "ID!", "organization": "ID!", "owner": "ID!"}
# What changes with every request.
LEFT_OUT = {"rateLimit", "rateLimits", "lastUsedAt"}


async def _fill(world: World) -> tuple[dict[str, Caller], dict[str, object]]:
    """Create events of two organizers with everything around them; return callers of every kind, and variables."""
    owner = await world.organizer(pfp="https://example.com/p.png", country="Bangladesh")
    organization = await world.organization(owner, notice="New", eventcount=9)
    event = await world.event(organization, name="Spring fair", date=in_days(2), notice="Bring water")
    private = await world.event(organization, name="Rehearsal", privacy=Privacy.PRIVATE, date=in_days(-3))
    other = await world.organizer()
    foreign = await world.event(other, name="Book fair", emailtitle="Welcome")
    buyer = await world.user()
    for one in (event, private, foreign):
        await _fill_event(world, one, buyer)
    await world.event(other)
    await world.donation(organization)
    await world.donation()
    callers = {
        "anonymous": world.anonymous,
        "buyer": await world.session(buyer),
        "owner": await world.session(owner),
        "owner's organizer key": await world.key(owner, KeyType.ORGANIZER),
        "owner's user key": await world.key(owner),
        "key with few scopes": await world.key(owner, KeyType.ORGANIZER, permissions=["tickets:read"]),
        "other organizer": await world.key(other, KeyType.ORGANIZER),
        "admin": await world.session(await world.admin()),
        "admin key with few scopes": await world.key(await world.admin(), KeyType.ADMIN, permissions=["admin"]),
    }
    variables: dict[str, object] = {
        "event": str(event.id),
        "private": str(private.id),
        "organization": str(organization.id),
        "owner": str(owner.id),
    }
    return callers, variables


async def _fill_event(world: World, event: Event, buyer: User) -> None:
    seat = await world.ticket_type(event, price="499.50", capacity=20)
    await world.ticket_type(event, capacity=1, description="At the back")
    field = await world.custom_field(event, "Size")
    await world.gallery_image(event)
    ticket = await world.ticket(event, buyer, ticket_type=seat)
    await CustomValue.create(ticket=ticket, field=field, value="M")
    await world.check_in(ticket, buyer)
    await world.ticket(event, buyer, status=TicketStatus.PENDING)


class _Engines:
    """Sends each document twice: first it is executed by its plan if it has one, then by the stock engine alone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.planned = 0
        execute = Plan.execute

        async def count(plan: Plan, *arguments: Any) -> dict[str, Any]:
            data = await execute(plan, *arguments)
            self.planned += 1
            return data

        monkeypatch.setattr(Plan, "execute", count)

    async def compare(self, caller: Caller, document: str, variables: dict[str, object]) -> dict[str, Any]:
        """Return the response, which must be the same from both."""
        response = await caller.graphql(document, **variables)
        with self._monkeypatch.context() as stock:
            stock.setattr(AmarEventsSchema, "plan", lambda *_arguments: None)
            expected = await caller.graphql(document, **variables)
        assert _comparable(response) == _comparable(expected), document
        return response


def _comparable(response: dict[str, Any]) -> tuple[str, set[str], Any]:
    """Return the data with the order of its keys, the errors, and the extensions.

    Of the errors below a position that is null because of one of them, each engine may report some only.
    """
    data = response.get("data")
    errors_by_position = set()
    for one in response.get("errors", []):
        position = _null_position(data, one.get("path", []))
        errors_by_position.add(repr(one if position == one.get("path", []) else position))
    return repr(data), errors_by_position, response.get("extensions")


def _null_position(data: Any, path: list[Any]) -> list[Any]:
    """Return the part of a path that leads to null."""
    for number, step in enumerate(path):
        if data is None:
            return path[:number]
        data = data[step]
    return path


def _writer(seed: int) -> DocumentWriter:
    return DocumentWriter(SCHEMA, seed, arguments=ARGUMENTS, variables=VARIABLES, left_out=LEFT_OUT, max_roots=2)


GIVEN: list[dict[str, object]] = [{}, {"few": 2, "yes": False}, {"no": True}]


@pytest.mark.parametrize("seed", SEEDS)
async def test_random_documents_have_the_responses_of_the_stock_engine(
    world: World, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    lift_limits(monkeypatch)
    callers, variables = await _fill(world)
    engines, writer, chosen = _Engines(monkeypatch), _writer(seed), random.Random(seed)
    failed = 0
    for _ in range(DOCUMENTS // len(SEEDS)):
        name = chosen.choice(list(callers))
        response = await engines.compare(callers[name], writer.write(), variables | chosen.choice(GIVEN))
        failed += "errors" in response
    # Negative control: many documents are executed by plans, and many have errors.
    assert engines.planned > DOCUMENTS // len(SEEDS) // 5
    assert failed > DOCUMENTS // len(SEEDS) // 5


BATCHES = [(type_name, name) for type_name, name in EDGES if isinstance(edge_of(type_name, name).load, Batch)]


def _failing(fault: str, load: LoadFunction[Any, Any]) -> LoadFunction[Any, Any]:
    """Return a load function with a fault, which is the same for both engines."""

    async def fail(ctx: Context, keys: Sequence[Any]) -> Mapping[Any, Any]:
        if fault == "raises":
            raise RuntimeError("a fault")
        if fault == "refuses":
            raise errors.Forbidden
        found = dict(await load(ctx, keys))
        for key in sorted(found, key=repr)[::2]:
            if fault == "finds nothing":
                del found[key]
            else:
                _damage(found[key])
        return found

    return fail


def _damage(found: Any) -> None:
    """Put something into the first view that its type does not allow."""
    views = getattr(found, "items", getattr(found, "nodes", found))
    view = next(iter(views), None) if isinstance(views, list) else views
    for name, value in (
        ("name", None),
        ("username", 12.5),
        ("url", ValueError("bad")),
        ("total", "many"),
        ("id", None),
    ):
        if hasattr(type(view), name):
            setattr(view, name, value)
            return


@pytest.mark.parametrize("seed", SEEDS)
async def test_faults_of_load_functions_have_the_responses_of_the_stock_engine(
    world: World, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    # The stock engine leaves coroutines unawaited when a sibling field fails.
    monkeypatch.setattr(sys, "unraisablehook", lambda _unraisable: None)
    lift_limits(monkeypatch)
    callers, variables = await _fill(world)
    engines, writer, chosen = _Engines(monkeypatch), _writer(1_000 + seed), random.Random(seed)
    failed = 0
    for number in range(DOCUMENTS // len(SEEDS)):
        with monkeypatch.context() as faulty:
            for type_name, name in chosen.sample(BATCHES, len(BATCHES) // 2):
                fault = chosen.choice(["raises", "refuses", "finds nothing", "damages"])
                replace_batch(faulty, type_name, name, _failing(fault, batch_of(type_name, name).load))
            caller = callers["admin" if number % 2 else "owner"]
            response = await engines.compare(caller, writer.write(), variables | chosen.choice(GIVEN))
        failed += caller is callers["admin"] and "errors" in response
    gc.collect()
    # Negative control: faults are visible.
    assert failed > DOCUMENTS // len(SEEDS) // 20
