"""What a principal is shown: all of it over GraphQL, from every root along the edges, and all of it over REST.

Both are broken down into facts, a value of a field of one thing, and links, that two things belong together. What the
schema has is walked and what the routes have is asked for; neither is listed here.
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
from amarevents.schema.schema import schema
from tests.contract.operations import camel
from tests.support.graph import leads_to, selection, whole_list
from tests.support.world import Caller

# Any throughout: JSON, and annotations.

Thing = tuple[Any, ...]
"""What a fact is about: the noun and the id, or where the thing has none its parent and the way to it."""
Link = frozenset[Thing]
Ids = Mapping[str, Sequence[int]]
"""The ids of a scene by noun."""

_NOUNS = {
    "AccountApiKey": "ApiKey",
    "EventDetail": "Event",
    "Identity": "Account",
    "ManagedEvent": "Event",
    "ManagedOrganization": "Organization",
    "OrganizationDetail": "Organization",
    "OwnedOrganization": "Organization",
    "Profile": "Account",
    "TicketDetail": "Ticket",
    "User": "Account",
}
"""Views and types of the same thing."""
_NAMED_BY = {"RateLimit": "keyId", "Verification": "ticketId"}
"""What names a thing that has no id of its own."""
_LEADING = {
    "eventId": "Event",
    "organizationId": "Organization",
    "userId": "Account",
    "ticketTypeId": "TicketType",
    "ticketId": "Ticket",
}
"""Fields and arguments that name another thing, and its noun."""
_IN_PATH = {"events": "Event", "organizations": "Organization", "tickets": "Ticket", "users": "Account"}
_OF_THE_CALLER = ("/users/me", "/keys", "/auth/me")
_SINGLE = {"/events/{id}/stats": "stats"}
"""Routes whose answer hangs on what the path names, and the name of the edge that does so in GraphQL."""
_VOLATILE = {"used", "remaining", "resetAt"}
"""What changes with every request: whether it is shown is compared, and not the value."""


@dataclass
class Shown:
    """Facts and links, each with the path on which it was found first, and the fields that have shown something."""

    facts: dict[tuple[Thing, str, Any], str] = field(default_factory=dict)
    links: dict[Link, str] = field(default_factory=dict)
    fields: set[tuple[str, str]] = field(default_factory=set)

    def tell(self, thing: Thing, name: str, value: Any, path: str) -> None:
        if value is not None and value != ():
            self.facts.setdefault((thing, name, "…" if name in _VOLATILE else value), f"{path}.{name}")

    def link(self, one: Thing | None, other: Thing, path: str) -> None:
        """Things without an id belong to their parent by what they are."""
        if one is not None and one != other and len(one) == len(other) == 2:
            self.links.setdefault(frozenset((one, other)), path)


def _noun(name: str) -> str:
    return _NOUNS.get(name, name)


def _thing(noun: str, values: Mapping[str, Any], parent: Thing | None, way: tuple[Any, ...]) -> Thing:
    named = values.get(_NAMED_BY.get(noun, "id"))
    if named is not None:
        return (noun, Decimal(named))
    return (noun,) if parent is None else (noun, *parent, *way)


def _plain(value: Any) -> Any:
    """Numbers are numbers, whichever way they are written, and everything can be compared."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return Decimal(str(value))
    if isinstance(value, dict):
        return tuple(sorted((name, _plain(part)) for name, part in value.items()))
    return tuple(_plain(part) for part in value)


# REST -----------------------------------------------------------------------------------------------------------


async def shown_over_rest(caller: Caller, ids: Ids) -> Shown:
    """What all routes that read show to the caller, of everything in the scene."""
    shown = Shown()
    for route in ROUTES:
        if route.method == "GET" or route.path.endswith("/verify"):
            for path, query, anchors in _requests(route, ids, caller):
                response = await caller.http.request(route.method, f"/api{path}", params=query, headers=caller.headers)
                if response.status_code == 200:
                    _read_rest(shown, route, response.json()["data"], anchors, path)
    _link_by_value(shown, "Organization", "plan", "Plan", "name")
    _link_by_value(shown, "Ticket", "email", "Account", "email")
    return shown


def _requests(route: Route, ids: Ids, caller: Caller) -> Iterator[tuple[str, dict[str, Any], list[Thing]]]:
    """Each path and query, with the things that they name."""
    noun = _IN_PATH.get([part for part in route.path.split("/") if part != "admin"][1], "")
    mine = [("Account", Decimal(caller.user.id))] if caller.user and route.path.startswith(_OF_THE_CALLER) else []
    for target in ids[noun] if "{" in route.path else [None]:
        path = route.path.replace("{id}", str(target)).replace("{ticket}", str(target))
        named = [] if target is None else [(noun, Decimal(target))]
        for query, further in _queries(route, ids):
            yield path, query, [*mine, *named, *further]


def _queries(route: Route, ids: Ids) -> Iterator[tuple[dict[str, Any], list[Thing]]]:
    fields = route.operation.input_type.model_fields if route.operation.input_type else {}
    everything = {"limit": 100} if "limit" in fields else {}
    yield everything, []
    for name in fields:
        if noun := _LEADING.get(camel(name)):
            for one in ids[noun]:
                yield {**everything, name: one}, [(noun, Decimal(one))]


def _read_rest(shown: Shown, route: Route, data: Any, anchors: list[Thing], path: str) -> None:
    if route.path in _SINGLE:
        _rest_object(shown, _dataclass(route.operation.view), data, (anchors[0], (_SINGLE[route.path],)), path)
        return
    for one in data if isinstance(data, list) else [data]:
        thing = _rest_object(shown, _dataclass(route.operation.view), one, (None, ()), path)
        for anchor in anchors:
            shown.link(anchor, thing, path)


def _rest_object(
    shown: Shown, view: type, data: dict[str, Any], within: tuple[Thing | None, tuple[Any, ...]], path: str
) -> Thing:
    """``within``: the thing that it hangs on, and the way from there."""
    values = {camel(name): value for name, value in data.items()}
    thing = _thing(_noun(view.__name__.removesuffix("View")), values, *within)
    hints = _hints(view)
    shown.link(within[0], thing, path)
    for name, value in data.items():
        inner, field = _find_dataclass(hints[name]), camel(name)
        if inner is None:
            shown.tell(thing, field, _plain(value), path)
            if value is not None and field in _LEADING:
                shown.link(thing, (_LEADING[field], Decimal(value)), path)
        else:
            for way, part in _parts(field, value):
                _rest_object(shown, inner, part, (thing, way), f"{path}.{field}")
    return thing


def _parts(name: str, value: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The objects in a field's value, and the way to each."""
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
    """The view within an annotation, the one with the most fields where there are several."""
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type) and annotation is not Page:
        return annotation
    found = [inner for part in typing.get_args(annotation) if (inner := _find_dataclass(part))]
    return max(found, key=lambda view: len(dataclasses.fields(view)), default=None)


def _link_by_value(shown: Shown, noun: str, name: str, other: str, others_name: str) -> None:
    """Two things belong together that the caller sees to have the same value."""
    by_value: dict[Any, list[Thing]] = {}
    for thing, of, value in shown.facts:
        if thing[0] == other and of == others_name:
            by_value.setdefault(value, []).append(thing)
    for thing, of, value in list(shown.facts):
        if thing[0] == noun and of == name:
            for found in by_value.get(value, ()):
                shown.link(thing, found, f"the same {name}")


# GraphQL --------------------------------------------------------------------------------------------------------


async def shown_over_graphql(caller: Caller, ids: Ids, *, steps: int) -> Shown:
    """What all queries show to the caller, with as many edges one after the other as there are ``steps``."""
    shown = Shown()
    query_type = schema.graphql_schema.query_type
    assert query_type is not None
    for name, root in query_type.fields.items():
        kind = leads_to(root)
        assert kind is not None
        for declared, given, variables in _arguments(root, kind, ids):
            document = f"query{declared} {{ {name}{given} {{ {selection(kind, steps)} }} }}"
            answer = await caller.graphql(document, **variables)
            assert "data" in answer, answer
            found = (answer["data"] or {}).get(name)
            _read_field(shown, None, f"{name}{list(variables.values()) or ''}", root, found, "Query")
    return shown


def _arguments(root: GraphQLField, kind: GraphQLObjectType, ids: Ids) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Declared variables, arguments and values: nothing but whole lists, and each id that an argument may name."""
    paging = [whole] if (whole := whole_list(root)) else []
    required = [name for name, argument in root.args.items() if str(argument.type).endswith("!")]
    if not required:
        yield "", f"({', '.join(paging)})" if paging else "", {}
    for name, argument in root.args.items():
        if str(get_named_type(argument.type)) == "ID":
            noun = _LEADING.get(name) or {"Verification": "Ticket"}.get(kind.name) or _noun(kind.name)
            assert set(required) <= {name}, f"say what {required} may be"
            for one in ids[noun]:
                yield "($id: ID!)", f"({', '.join([*paging, f'{name}: $id'])})", {"id": one}


def _read_field(shown: Shown, parent: Thing | None, name: str, of: GraphQLField, value: Any, path: str) -> None:
    kind = leads_to(of)
    path = f"{path}.{name}"
    if kind is None:
        assert parent is not None
        shown.tell(parent, name, _graphql_value(of, value), path.rpartition(".")[0])
        return
    for way, data in _parts(name, value):
        _read_object(shown, kind, data, parent, way, path)


def _read_object(
    shown: Shown, kind: GraphQLObjectType, data: dict[str, Any], parent: Thing | None, way: tuple[Any, ...], path: str
) -> None:
    if "pagination" in kind.fields:
        # Whole lists are asked for: a total of more than what is shown would tell of what is not.
        assert data["pagination"]["total"] == len(data["items"]), path
        _read_field(shown, parent, "items", kind.fields["items"], data["items"], path)
        return
    if "pageInfo" in kind.fields:
        assert data["totalCount"] == len(data["nodes"]) == len(data["edges"]), path
        for name, nodes in {"nodes": data["nodes"], "edges": [edge["node"] for edge in data["edges"]]}.items():
            _read_field(shown, parent, name, kind.fields["nodes"], nodes, path)
        return
    thing = _thing(_noun(kind.name), data, parent, way)
    shown.link(parent, thing, path)
    for name, value in data.items():
        _read_field(shown, thing, name, kind.fields[name], value, path)
        if value is not None:
            shown.fields.add((kind.name, name))


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
