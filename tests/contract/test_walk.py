"""The whole graph, walked as every kind of principal: it shows nothing that REST does not show to the same one."""

from collections.abc import Callable
from typing import Any

import pytest
from tortoise.expressions import Q

from amarevents.models import ApiKey, Donation, Event, OutgoingMail, Plan, Ticket, TicketType, User
from amarevents.models.columns import utc_now
from amarevents.models.enums import KeyType, MailKind, Privacy, TicketStatus
from amarevents.models.organizations import Organization
from amarevents.resolvers.accounts.related import AccountAccess
from amarevents.resolvers.core.operation import OPERATIONS
from amarevents.resolvers.events import gallery, statistics, ticket_types
from amarevents.resolvers.events.views import EventView
from amarevents.resolvers.tickets import check_in
from amarevents.resolvers.tickets import queries as tickets
from amarevents.schema.types import event_parts
from amarevents.security.policy import ALLOWED_SCOPES, Scope
from tests.contract.access import CALLERS
from tests.contract.scene import KEY_TYPES, Scene
from tests.contract.walk import Ids, Shown, Thing, shown_over_graphql, shown_over_rest
from tests.support.graph import EDGES, let_it_be_walked
from tests.support.sizes import sized
from tests.support.world import Caller

pytestmark = pytest.mark.deep("postgres")

BEYOND_REST: dict[str, Callable[[Thing], Thing | None]] = {
    "OutgoingMail": lambda _mail: None,  # of the outbox, for admins alone: every route of theirs is asked for the same
    "Admission": lambda of_ticket: of_ticket[1:3],
    "Decision": lambda of_ticket: of_ticket[1:3],
    "Attendance": lambda of_event: ("EventStats", *of_event[1:3], "stats"),
}
"""Nouns that REST has not (decisions 9.3); each may be shown to whom REST shows another thing, which is named here."""

READING = {
    Scope.EVENTS_READ,
    *(OPERATIONS[name].policy.scope for name in OPERATIONS if name.startswith(("list_", "get_"))),
}
"""The scopes without which a key sees less."""
WITHOUT = [
    f"{who} without {scope}"
    for who in ("holder", "owner", "admin")
    for scope in Scope
    if scope in READING & ALLOWED_SCOPES[KEY_TYPES[who]]
]
PRINCIPALS = [*CALLERS, *WITHOUT, "owner's user key", "admin with admin alone"]


async def _caller(scene: Scene, name: str) -> Caller:
    who, _, scope = name.partition(" without ")
    if scope:
        held = sorted(ALLOWED_SCOPES[KEY_TYPES[who]] - {Scope(scope), Scope.EVERYTHING})
        return await scene.world.key(getattr(scene, who), KEY_TYPES[who], permissions=held)
    if name == "owner's user key":
        return await scene.world.key(scene.owner, KeyType.USER)
    if name == "admin with admin alone":
        return await scene.world.key(scene.admin, KeyType.ADMIN, permissions=[Scope.ADMIN])
    return await scene.caller(name)


async def _furnish(scene: Scene) -> None:
    """Everything that an edge may lead to, some of it private and some of it foreign."""
    world = scene.world
    foreign = await world.organization(scene.foreign, notice="Foreign", eventcount=3)
    events_there = [await world.event(foreign), await world.event(foreign, privacy=Privacy.PRIVATE, notice="Hidden")]
    for event in (scene.event, scene.secret, *events_there):
        event.emailtitle = event.emailmessage = event.template = "Mail"
        event.socials, event.wallets = [{"type": "web", "url": "https://example.com"}], {"bkash": "01700000000"}
        await event.save()
        await world.custom_field(event, "Size")
        await world.gallery_image(event)
        kind = await world.ticket_type(event, capacity=5)
        await world.ticket(event, scene.stranger if event.privacy is Privacy.PUBLIC else scene.owner, ticket_type=kind)
    # Seen by whoever holds it, unlike its event.
    await world.ticket(events_there[1], scene.holder, ticket_type=kind, status=TicketStatus.FAILED)
    await world.ticket(scene.event, scene.stranger, email=scene.holder.email)
    for ticket in await Ticket.all():
        await world.check_in(ticket, scene.owner)
    await Ticket.all().update(decided_at=utc_now(), decision_reason="Seen")
    await _furnish_accounts(scene, foreign)


async def _furnish_accounts(scene: Scene, foreign: Organization) -> None:
    for organization in (await Organization.get(id=scene.event.organization_id), foreign, None):
        await scene.world.donation(organization)
    for user in (scene.owner, scene.holder, scene.stranger, scene.foreign, scene.admin):
        await (await scene.world.key(user)).get("/auth/me")
    for ticket in await Ticket.all():
        await OutgoingMail.create(
            kind=MailKind.TICKET_CONFIRMED,
            ticket=ticket,
            user_id=ticket.user_id,
            recipient=ticket.email,
            subject="Ticket",
            body="Here",
            next_attempt_at=utc_now(),
        )


async def _ids() -> Ids:
    models = (Event, Organization, Ticket, TicketType, Donation, Plan, ApiKey)
    ids = {model.__name__: [row.pk for row in await model.all()] for model in models}
    return ids | {"Account": [user.id for user in await User.all()]}


def _beyond(graph: Shown, rest: Shown) -> list[str]:
    """What the graph shows and REST does not, by the paths on which it was found."""
    shown_by_rest = {thing for thing, _, _ in rest.facts}
    facts = [
        f"{path}: {thing} {name} = {value}"
        for (thing, name, value), path in graph.facts.items()
        if (thing, name, value) not in rest.facts and not _may_be_beyond(thing, shown_by_rest)
    ]
    links = [
        f"{path}: {sorted(map(str, link))}"
        for link, path in graph.links.items()
        if link not in rest.links and not {thing[0] for thing in link} & BEYOND_REST.keys()
    ]
    return facts + links


def _may_be_beyond(thing: Thing, shown_by_rest: set[Thing]) -> bool:
    if thing[0] not in BEYOND_REST:
        return False
    with_this = BEYOND_REST[thing[0]](thing)
    return with_this is None or with_this in shown_by_rest


def _usual_steps(name: str) -> int:
    """Return how many edges are followed one after the other: more by those who are shown more."""
    return sized(2, deep=3) if name in KEY_TYPES else sized(1, deep=2)


async def _walk(
    scene: Scene, name: str, steps: int, hole: Callable[[], None] = lambda: None
) -> tuple[list[str], Shown]:
    """What the graph shows that REST does not, and all that it shows; ``hole`` is made once REST has been asked."""
    await _furnish(scene)
    caller = await _caller(scene, name)
    ids = await _ids()
    rest = await shown_over_rest(caller, ids)
    hole()
    graph = await shown_over_graphql(caller, ids, steps=steps)
    return _beyond(graph, rest), graph


@pytest.mark.parametrize("name", PRINCIPALS)
async def test_the_graph_shows_nothing_that_rest_does_not(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    let_it_be_walked(monkeypatch)
    beyond, shown = await _walk(scene, name, _usual_steps(name))
    assert beyond == []
    assert shown.facts


async def test_every_edge_is_walked(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """By an admin's session, which sees what is behind each of them."""
    let_it_be_walked(monkeypatch)
    _, shown = await _walk(scene, "admin's session", 2)
    assert set(EDGES) <= shown.fields


def _everything(*_asked: Any) -> Any:
    """In place of a condition on whose rows they are."""
    return Q()


async def _hidden_events(_ctx: Any, ids: Any) -> Any:
    return {
        event.id: EventView.from_model(event) for event in await Event.filter(id__in=ids).select_related("organization")
    }


async def _all_of(_ctx: Any, ids: Any) -> Any:
    return list(ids)


HOLES: dict[str, tuple[str, Any, str, Any]] = {
    "whoever asks is shown an account": ("owner", AccountAccess, "check", _everything),
    "edges lead to hidden events": ("holder without events:read", event_parts, "load_events", _hidden_events),
    "hidden events show their gallery": ("admin with admin alone", gallery, "visible_event_ids", _all_of),
    "everybody's statistics": ("foreign", statistics, "managed_event_ids", _all_of),
    "everybody's tickets": ("foreign", tickets, "managed_event_ids", _all_of),
    "everybody's attendance": ("foreign", check_in, "managed_event_ids", _all_of),
    "everybody's ticket types": ("holder", ticket_types, "visible_event_ids", _all_of),
}
"""Checks that are taken away, and a principal who then sees too much."""


@pytest.mark.parametrize("hole", HOLES)
async def test_a_check_that_is_missing_is_noticed(scene: Scene, monkeypatch: pytest.MonkeyPatch, hole: str) -> None:
    """The negative control."""
    let_it_be_walked(monkeypatch)
    name, where, check, instead = HOLES[hole]
    beyond, _ = await _walk(scene, name, _usual_steps(name), lambda: monkeypatch.setattr(where, check, instead))
    assert beyond != []
