"""A walk along all edges of the graph as every kind of principal: it must show nothing that REST does not."""

from collections.abc import Callable
from typing import Any

import pytest
from tortoise.models import Model

from amarevents.models import (
    ApiKey,
    CheckIn,
    CustomField,
    Donation,
    Event,
    GalleryImage,
    OutgoingMail,
    Plan,
    Ticket,
    TicketType,
    User,
)
from amarevents.models.columns import utc_now
from amarevents.models.db.sql import TRUE
from amarevents.models.enums import KeyType, MailKind, Privacy, TicketStatus
from amarevents.models.organizations import Organization
from amarevents.resolvers.accounts.related import AccountAccess
from amarevents.resolvers.core.operation import OPERATIONS
from amarevents.resolvers.events import gallery, queries, statistics, ticket_types
from amarevents.resolvers.tickets import check_in
from amarevents.resolvers.tickets import queries as tickets
from amarevents.security.policy import ALLOWED_SCOPES, Scope
from tests.contract.access import CALLERS
from tests.contract.scene import KEY_TYPES, Scene
from tests.contract.walk import Entity, Ids, Visible, visible_over_rest
from tests.contract.walk_graph import visible_over_graphql
from tests.support.graph import EDGES, isolate_denied_edges
from tests.support.sizes import sized
from tests.support.world import Caller

pytestmark = pytest.mark.deep("postgres")

NOT_IN_REST: dict[str, Callable[[Entity], Entity | None]] = {
    "RateLimitStatus": lambda _status: None,  # the headers of REST responses
    "OutgoingMail": lambda _mail: None,  # the outbox, which only admins see
    "CheckIn": lambda of_ticket: ("Ticket", of_ticket[1]),
    "Decision": lambda of_ticket: of_ticket[1:3],
    "Attendance": lambda of_event: ("EventStats", *of_event[1:3], "stats"),
}
"""Nouns that REST does not have (decisions 9.3), and the entity that a caller must see in REST to see one."""

FIELDS_NOT_IN_REST = {("EventStats", "checkedIn")}
"""Fields of check-in, for callers who see the same entity in REST."""

IN_MUTATIONS_ALONE = {("ApiKey", "key"), ("CheckIn", "outcome"), ("User", "token")}
"""Fields of types that no query shows."""

READING = {
    Scope.EVENTS_READ,
    *(OPERATIONS[name].policy.scope for name in OPERATIONS if name.startswith(("list_", "get_"))),
}
"""Scopes that let a key see more."""
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
        permissions = sorted(ALLOWED_SCOPES[KEY_TYPES[who]] - {Scope(scope), Scope.EVERYTHING})
        return await scene.world.key(getattr(scene, who), KEY_TYPES[who], permissions=permissions)
    if name == "owner's user key":
        return await scene.world.key(scene.owner, KeyType.USER)
    if name == "admin with admin alone":
        return await scene.world.key(scene.admin, KeyType.ADMIN, permissions=[Scope.ADMIN])
    return await scene.caller(name)


async def _fill_scene(scene: Scene) -> None:
    """Create rows behind every edge, some private and some of another organizer."""
    world = scene.world
    other_organization = await world.organization(scene.other_organizer, notice="Foreign", eventcount=3)
    events_there = [
        await world.event(other_organization),
        await world.event(other_organization, privacy=Privacy.PRIVATE, notice="Hidden"),
    ]
    for event in (scene.event, scene.secret, *events_there):
        event.emailtitle = event.emailmessage = event.template = "Mail"
        event.hold_minutes, event.places_per_account = 60, 5
        event.socials, event.wallets = [{"type": "web", "url": "https://example.com"}], {"bkash": "01700000000"}
        await event.save()
        await world.custom_field(event, "Size")
        await world.gallery_image(event)
        kind = await world.ticket_type(event, capacity=5)
        await world.ticket(
            event, scene.other_user if event.privacy is Privacy.PUBLIC else scene.owner, ticket_type=kind
        )
    # Its holder sees the ticket, but not its event.
    await world.ticket(events_there[1], scene.holder, ticket_type=kind, status=TicketStatus.FAILED)
    await world.ticket(scene.event, scene.other_user, email=scene.holder.email)
    for ticket in await Ticket.all():
        await world.check_in(ticket, scene.owner)
    await Ticket.all().update(decided_at=utc_now(), decision_reason="Seen")
    await _fill_accounts(scene, other_organization)


async def _fill_accounts(scene: Scene, other_organization: Organization) -> None:
    await User.all().update(pfp="https://example.com/me.png", country="Bangladesh")
    for organization in (await Organization.get(id=scene.event.organization_id), other_organization, None):
        await scene.world.donation(organization)
    for user in (scene.owner, scene.holder, scene.other_user, scene.other_organizer, scene.admin):
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


_MODELS: tuple[type[Model], ...] = (
    *(ApiKey, CheckIn, CustomField, Donation, Event, GalleryImage),
    *(Organization, OutgoingMail, Plan, Ticket, TicketType, User),
)


async def _ids() -> Ids:
    return {model.__name__: [row.pk for row in await model.all()] for model in _MODELS}


def _visible_in_graph_alone(graph: Visible, rest: Visible) -> list[str]:
    """Return what is visible in the graph but not in REST, with the paths on which it was found."""
    shown_by_rest = {entity for entity, _, _ in rest.facts}
    facts = [
        f"{path}: {entity} {name} = {value}"
        for (entity, name, value), path in graph.facts.items()
        if (entity, name, value) not in rest.facts and not _may_be_missing_in_rest(entity, name, shown_by_rest)
    ]
    links = [
        f"{path}: {sorted(map(str, link))}"
        for link, path in graph.links.items()
        if link not in rest.links and not {entity[0] for entity in link} & NOT_IN_REST.keys()
    ]
    return facts + links


def _may_be_missing_in_rest(entity: Entity, name: str, shown_by_rest: set[Entity]) -> bool:
    if (entity[0], name) in FIELDS_NOT_IN_REST:
        return entity in shown_by_rest
    if entity[0] not in NOT_IN_REST:
        return False
    with_this = NOT_IN_REST[entity[0]](entity)
    return with_this is None or with_this in shown_by_rest


def _usual_steps(name: str) -> int:
    """Return the maximum number of edges in a row: more for callers who see more."""
    return sized(2, deep=3) if name in KEY_TYPES else sized(1, deep=2)


async def _walk(
    scene: Scene, name: str, steps: int, remove_check: Callable[[], None] = lambda: None
) -> tuple[list[str], Visible]:
    """Return what only the graph shows, and all that it shows; ``remove_check`` is called between REST and GraphQL."""
    await _fill_scene(scene)
    caller = await _caller(scene, name)
    ids = await _ids()
    rest = await visible_over_rest(caller, ids)
    remove_check()
    graph = await visible_over_graphql(caller, ids, steps=steps)
    return _visible_in_graph_alone(graph, rest), graph


@pytest.mark.parametrize("name", PRINCIPALS)
async def test_the_graph_shows_nothing_that_rest_does_not(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    isolate_denied_edges(monkeypatch)
    beyond, visible = await _walk(scene, name, _usual_steps(name))
    assert beyond == []
    assert visible.facts


async def test_every_edge_is_walked(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an admin in a session, who sees what is behind each of them."""
    isolate_denied_edges(monkeypatch)
    _, visible = await _walk(scene, "admin's session", 2)
    assert set(EDGES) - visible.fields == IN_MUTATIONS_ALONE


def _everything(*_asked: Any) -> Any:
    """Return a condition that all rows meet, in place of one on their owner."""
    return TRUE


async def _all_of(_ctx: Any, ids: Any) -> Any:
    return list(ids)


REMOVED_CHECKS: dict[str, tuple[str, Any, str, Any]] = {
    "accounts of others": ("owner", AccountAccess, "check", _everything),
    "edges to hidden events": ("holder without events:read", queries, "visible_events", _everything),
    "parts of hidden events": ("admin with admin alone", ticket_types, "listed_event_ids", _all_of),
    "gallery of hidden events": ("admin with admin alone", gallery, "visible_event_ids", _all_of),
    "statistics of all events": ("other_organizer", statistics, "managed_event_ids", _all_of),
    "tickets of all events": ("other_organizer", tickets, "managed_event_ids", _all_of),
    "attendance of all events": ("other_organizer", check_in, "managed_event_ids", _all_of),
    "ticket types of all events": ("holder", ticket_types, "of_visible_events", _everything),
}
"""Checks that a test removes: a principal who then sees too much, where the check is, and what replaces it."""


@pytest.mark.parametrize("removed", REMOVED_CHECKS)
async def test_the_walk_finds_a_missing_check(scene: Scene, monkeypatch: pytest.MonkeyPatch, removed: str) -> None:
    """The negative control of this test."""
    isolate_denied_edges(monkeypatch)
    name, where, check, instead = REMOVED_CHECKS[removed]
    beyond, _ = await _walk(scene, name, _usual_steps(name), lambda: monkeypatch.setattr(where, check, instead))
    assert beyond != []
