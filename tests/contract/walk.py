"""Everything that a principal can see over REST, on every route; ``walk_graph`` is the same over GraphQL.

Answers are broken down into facts (an entity has a value in a field) and links (two entities belong together), so that
the two surfaces can be compared. Fields and routes are taken from the schema and from ROUTES; the tables here only say
which names mean the same noun (``_NOUNS``) and which noun the ID in a field or argument refers to (``ID_FIELDS``).
"""

import dataclasses
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any

from amarevents.resolvers.core.pagination import Page
from amarevents.rest.routes import ROUTES
from amarevents.rest.routing import Route
from tests.contract.operations import camel
from tests.support.world import Caller

# Any throughout: JSON, and annotations.

Entity = tuple[Any, ...]
"""What a fact is about: a noun and an ID or, for an object without an ID, its parent and the path from there."""
Link = frozenset[Entity]
Ids = Mapping[str, Sequence[int]]
"""The IDs in the database by noun."""

_NOUNS = {
    "Account": "User",
    "AccountApiKey": "ApiKey",
    "EventDetail": "Event",
    "Identity": "User",
    "ManagedEvent": "Event",
    "ManagedOrganization": "Organization",
    "OrganizationDetail": "Organization",
    "OwnedOrganization": "Organization",
    "Profile": "User",
    "TicketDetail": "Ticket",
}
"""Views and types of the same noun."""
_IDENTIFIED_BY = {"CheckIn": "ticketId", "RateLimit": "keyId", "Verification": "ticketId"}
"""The field that identifies an entity, if it is not ``id``."""
PARTS_OF_EVENTS = {"Attendance", "EventStats"}
"""Parts of events with the ID of the event, which REST has in the path alone."""
ID_FIELDS = {
    "eventId": "Event",
    "organizationId": "Organization",
    "userId": "User",
    "ticketTypeId": "TicketType",
    "ticketId": "Ticket",
}
"""Fields and arguments that hold the ID of another entity, and its noun."""
_IN_PATH = {"events": "Event", "organizations": "Organization", "tickets": "Ticket", "users": "User"}
_OF_THE_CALLER = ("/users/me", "/keys", "/auth/me")
_SINGLE = {"/events/{id}/stats": "stats"}
"""Routes whose answer belongs to the entity in the path, and the name of the same edge in GraphQL."""
_VOLATILE = {"used", "remaining", "resetAt"}
"""Fields that change with every request: only their presence is compared."""


@dataclass
class Visible:
    """Facts and links, each with the path on which it was found first, and the fields that were not null."""

    facts: dict[tuple[Entity, str, Any], str] = field(default_factory=dict)
    links: dict[Link, str] = field(default_factory=dict)
    fields: set[tuple[str, str]] = field(default_factory=set)

    def add_fact(self, entity: Entity, name: str, value: Any, path: str) -> None:
        if value is not None and value != ():
            self.facts.setdefault((entity, name, "…" if name in _VOLATILE else value), f"{path}.{name}")

    def add_link(self, one: Entity | None, other: Entity, path: str) -> None:
        """Add a link between two entities with IDs; those without belong to their parent anyway."""
        if one is not None and one != other and len(one) == len(other) == 2:
            self.links.setdefault(frozenset((one, other)), path)


def noun_of(name: str) -> str:
    return _NOUNS.get(name, name)


def thing(noun: str, values: Mapping[str, Any], parent: Entity | None, path_in_parent: tuple[Any, ...]) -> Entity:
    named = None if noun in PARTS_OF_EVENTS else values.get(_IDENTIFIED_BY.get(noun, "id"))
    if named is not None:
        return (noun, Decimal(named))
    return (noun,) if parent is None else (noun, *parent, *path_in_parent)


def plain(value: Any) -> Any:
    """Return the value with all numbers as Decimal, in a form that can be compared and hashed."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return Decimal(str(value))
    if isinstance(value, dict):
        return tuple(sorted((name, plain(part)) for name, part in value.items()))
    return tuple(plain(part) for part in value)


# REST -----------------------------------------------------------------------------------------------------------


async def visible_over_rest(caller: Caller, ids: Ids) -> Visible:
    """Return what the caller sees on all routes that read."""
    visible = Visible()
    for route in ROUTES:
        if route.method == "GET" or route.path.endswith("/verify"):
            for path, query, anchors in _requests(route, ids, caller):
                response = await caller.http.request(route.method, f"/api{path}", params=query, headers=caller.headers)
                if response.status_code == 200:
                    _read_rest(visible, route, response.json()["data"], anchors, path)
    _link_by_value(visible, "Organization", "plan", "Plan", "name")
    _link_by_value(visible, "Ticket", "email", "User", "email")
    return visible


def _requests(route: Route, ids: Ids, caller: Caller) -> Iterator[tuple[str, dict[str, Any], list[Entity]]]:
    """Yield each path and query with the entities that they name."""
    noun = _IN_PATH.get([part for part in route.path.split("/") if part != "admin"][1], "")
    mine = [("User", Decimal(caller.user.id))] if caller.user and route.path.startswith(_OF_THE_CALLER) else []
    for target in ids[noun] if "{" in route.path else [None]:
        path = route.path.replace("{id}", str(target)).replace("{ticket}", str(target))
        named = [] if target is None else [(noun, Decimal(target))]
        for query, further in _queries(route, ids):
            yield path, query, [*mine, *named, *further]


def _queries(route: Route, ids: Ids) -> Iterator[tuple[dict[str, Any], list[Entity]]]:
    fields = route.operation.input_type.fields_by_name() if route.operation.input_type else {}
    everything = {"limit": 100} if "limit" in fields else {}
    yield everything, []
    for name in fields:
        if noun := ID_FIELDS.get(camel(name)):
            for one in ids[noun]:
                yield {**everything, name: one}, [(noun, Decimal(one))]


def _read_rest(visible: Visible, route: Route, data: Any, anchors: list[Entity], path: str) -> None:
    if route.path in _SINGLE:
        _rest_object(visible, _dataclass(route.operation.view), data, (anchors[0], (_SINGLE[route.path],)), path)
        return
    for one in data if isinstance(data, list) else [data]:
        entity = _rest_object(visible, _dataclass(route.operation.view), one, (None, ()), path)
        for anchor in anchors:
            visible.add_link(anchor, entity, path)


def _rest_object(
    visible: Visible, view: type, data: dict[str, Any], within: tuple[Entity | None, tuple[Any, ...]], path: str
) -> Entity:
    """Read one object; ``within`` is the entity that it belongs to, and the path from there."""
    values = {camel(name): value for name, value in data.items()}
    entity = thing(noun_of(view.__name__.removesuffix("View")), values, *within)
    hints = _hints(view)
    visible.add_link(within[0], entity, path)
    for name, value in data.items():
        inner, field = _find_dataclass(hints[name]), camel(name)
        if inner is None:
            visible.add_fact(entity, field, plain(value), path)
            if value is not None and field in ID_FIELDS:
                visible.add_link(entity, (ID_FIELDS[field], Decimal(value)), path)
        else:
            for path_in_parent, part in parts_of(field, value):
                _rest_object(visible, inner, part, (entity, path_in_parent), f"{path}.{field}")
    return entity


def parts_of(name: str, value: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield the objects in a field's value with the path to each."""
    if isinstance(value, list):
        yield from (((name, number), part) for number, part in enumerate(value))
    elif value is not None:
        yield (name,), value


@cache
def _hints(view: type) -> dict[str, Any]:
    return typing.get_type_hints(view)


def _dataclass(annotation: Any) -> type:
    found = _find_dataclass(annotation)
    assert found is not None
    return found


def _find_dataclass(annotation: Any) -> type | None:
    """Return the view in an annotation; of several, the one with the most fields."""
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type) and annotation is not Page:
        return annotation
    found = [inner for part in typing.get_args(annotation) if (inner := _find_dataclass(part))]
    return max(found, key=lambda view: len(dataclasses.fields(view)), default=None)


def _link_by_value(visible: Visible, noun: str, name: str, other: str, others_name: str) -> None:
    """Link the entities that the caller sees to have the same value."""
    by_value: dict[Any, list[Entity]] = {}
    for entity, of, value in visible.facts:
        if entity[0] == other and of == others_name:
            by_value.setdefault(value, []).append(entity)
    for entity, of, value in list(visible.facts):
        if entity[0] == noun and of == name:
            for found in by_value.get(value, ()):
                visible.add_link(entity, found, f"the same {name}")
