"""Everything that a principal can see: over GraphQL, from every query along the edges, and over REST, on every route.

Answers are broken down into facts (an entity has a value in a field) and links (two entities belong together), so that
the two surfaces can be compared. Fields and routes are taken from the schema and from ROUTES; the tables here only say
which names mean the same noun (``_NOUNS``) and which noun the ID in a field or argument refers to (``_ID_FIELDS``).
"""

import dataclasses
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any

from graphql import GraphQLEnumType, GraphQLObjectType, get_named_type, is_list_type
from graphql.type import GraphQLField, get_nullable_type

from amarevents.resolvers.core.pagination import Page
from amarevents.rest.routes import ROUTES
from amarevents.rest.routing import Route
from amarevents.schema.core.nodes import encode_node_id
from amarevents.schema.schema import schema
from tests.contract.operations import camel
from tests.support.graph import NODE_TYPES, object_type_of, select_all_fields, whole_list_argument
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
_IDENTIFIED_BY = {"RateLimit": "keyId", "Verification": "ticketId"}
"""The field that identifies an entity without ``id``."""
_PARTS_OF_EVENTS = {"Attendance", "EventStats"}
"""Parts of events with the ID of the event, which REST has in the path alone."""
_ID_FIELDS = {
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


def _noun(name: str) -> str:
    return _NOUNS.get(name, name)


def _thing(noun: str, values: Mapping[str, Any], parent: Entity | None, path_in_parent: tuple[Any, ...]) -> Entity:
    named = None if noun in _PARTS_OF_EVENTS else values.get(_IDENTIFIED_BY.get(noun, "id"))
    if named is not None:
        return (noun, Decimal(named))
    return (noun,) if parent is None else (noun, *parent, *path_in_parent)


def _plain(value: Any) -> Any:
    """Return the value with all numbers as Decimal, in a form that can be compared and hashed."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return Decimal(str(value))
    if isinstance(value, dict):
        return tuple(sorted((name, _plain(part)) for name, part in value.items()))
    return tuple(_plain(part) for part in value)


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
        if noun := _ID_FIELDS.get(camel(name)):
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
    entity = _thing(_noun(view.__name__.removesuffix("View")), values, *within)
    hints = _hints(view)
    visible.add_link(within[0], entity, path)
    for name, value in data.items():
        inner, field = _find_dataclass(hints[name]), camel(name)
        if inner is None:
            visible.add_fact(entity, field, _plain(value), path)
            if value is not None and field in _ID_FIELDS:
                visible.add_link(entity, (_ID_FIELDS[field], Decimal(value)), path)
        else:
            for path_in_parent, part in _parts(field, value):
                _rest_object(visible, inner, part, (entity, path_in_parent), f"{path}.{field}")
    return entity


def _parts(name: str, value: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
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


# GraphQL --------------------------------------------------------------------------------------------------------


async def visible_over_graphql(caller: Caller, ids: Ids, *, steps: int) -> Visible:
    """Return what the caller sees in all queries, along at most ``steps`` edges in a row."""
    visible = Visible()
    query_type = schema.graphql_schema.query_type
    assert query_type is not None
    for name, root in query_type.fields.items():
        kind = object_type_of(root)
        if kind is None:
            await _visit_nodes(visible, caller, name, ids, steps)
            continue
        for declared, given, variables in _arguments(root, kind, ids):
            document = f"query{declared} {{ {name}{given} {{ {select_all_fields(kind, steps)} }} }}"
            answer = await caller.graphql(document, **variables)
            assert "data" in answer, answer
            found = (answer["data"] or {}).get(name)
            _read_field(visible, None, f"{name}{list(variables.values()) or ''}", root, found, "Query")
    return visible


async def _visit_nodes(visible: Visible, caller: Caller, name: str, ids: Ids, steps: int) -> None:
    """Read the objects of every type by their node IDs: with ``nodes`` all at once, and with ``node`` one by one."""
    for kind in NODE_TYPES:
        node_ids = [encode_node_id(kind.name, one) for one in ids[kind.name]]
        if name == "nodes":
            fields = select_all_fields(kind, steps)
            document = f"query($ids: [ID!]!) {{ nodes(nodeIds: $ids) {{ ... on {kind.name} {{ {fields} }} }} }}"
            found = (await caller.graphql(document, ids=node_ids))["data"]["nodes"]
        else:
            fields = select_all_fields(kind, 0)
            document = f"query($id: ID!) {{ node(nodeId: $id) {{ ... on {kind.name} {{ {fields} }} }} }}"
            found = [(await caller.graphql(document, id=one))["data"]["node"] for one in node_ids]
        for data in filter(None, found):
            _read_object(visible, kind, data, None, (), f"Query.{name}")


def _arguments(root: GraphQLField, kind: GraphQLObjectType, ids: Ids) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield variable definitions, arguments and values: complete lists, and each ID that an argument may have."""
    paging = [whole] if (whole := whole_list_argument(root)) else []
    required = [name for name, argument in root.args.items() if str(argument.type).endswith("!")]
    if not required:
        yield "", f"({', '.join(paging)})" if paging else "", {}
    for name, argument in root.args.items():
        if str(get_named_type(argument.type)) == "ID":
            noun = _ID_FIELDS.get(name) or {"Verification": "Ticket"}.get(kind.name) or _noun(kind.name)
            assert set(required) <= {name}, f"tests/contract/walk.py, _ID_FIELDS: add a row for {required}"
            assert noun in ids, f"tests/contract/walk.py, _ID_FIELDS: add a row for {name}"
            for one in ids[noun]:
                yield "($id: ID!)", f"({', '.join([*paging, f'{name}: $id'])})", {"id": one}


def _read_field(visible: Visible, parent: Entity | None, name: str, of: GraphQLField, value: Any, path: str) -> None:
    kind = object_type_of(of)
    path = f"{path}.{name}"
    if kind is None:
        assert parent is not None
        visible.add_fact(parent, name, _graphql_value(of, value), path.rpartition(".")[0])
        return
    for path_in_parent, data in _parts(name, value):
        _read_object(visible, kind, data, parent, path_in_parent, path)


def _read_object(
    visible: Visible,
    kind: GraphQLObjectType,
    data: dict[str, Any],
    parent: Entity | None,
    path_in_parent: tuple[Any, ...],
    path: str,
) -> None:
    if "pagination" in kind.fields:
        # The lists are complete, so a higher total would reveal items that the caller cannot see.
        assert data["pagination"]["total"] == len(data["items"]), path
        _read_field(visible, parent, "items", kind.fields["items"], data["items"], path)
        return
    if "pageInfo" in kind.fields:
        assert data["totalCount"] == len(data["nodes"]) == len(data["edges"]), path
        for name, nodes in {"nodes": data["nodes"], "edges": [edge["node"] for edge in data["edges"]]}.items():
            _read_field(visible, parent, name, kind.fields["nodes"], nodes, path)
        return
    entity = _thing(_noun(kind.name), data, parent, path_in_parent)
    visible.add_link(parent, entity, path)
    for name, value in data.items():
        if name == "nodeId":
            assert value == encode_node_id(kind.name, data["id"]), path
            continue
        if name == "id" and kind.name in _PARTS_OF_EVENTS:
            assert parent == ("Event", Decimal(value))
            continue
        _read_field(visible, entity, name, kind.fields[name], value, path)
        if value is not None:
            visible.fields.add((kind.name, name))


def _graphql_value(of: GraphQLField, value: Any) -> Any:
    kind = get_named_type(of.type)
    if isinstance(value, list) and is_list_type(get_nullable_type(of.type)):
        return tuple(_leaf(kind, one) for one in value)
    return _leaf(kind, value)


def _leaf(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    if kind.name in ("ID", "Decimal"):
        return Decimal(value)
    if isinstance(kind, GraphQLEnumType):
        return str(kind.values[value].value)
    return _plain(value)
