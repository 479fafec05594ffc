"""Everything that a principal can see over GraphQL, from every query along the edges, as facts and links."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from graphql import GraphQLEnumType, GraphQLObjectType, get_named_type, is_list_type
from graphql.type import GraphQLField, get_nullable_type

from amarevents.schema.core.nodes import encode_node_id
from amarevents.schema.schema import schema
from tests.contract.walk import ID_FIELDS, PARTS_OF_EVENTS, Entity, Ids, Visible, noun_of, parts_of, plain, thing
from tests.support.graph import NODE_TYPES, object_type_of, select_all_fields, whole_list_argument
from tests.support.world import Caller

# Any throughout: JSON.


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
    """Read the objects of every type by their node IDs: all of them with ``nodes``, and a few with ``node``."""
    for kind in NODE_TYPES:
        node_ids = [encode_node_id(kind.name, one) for one in ids[kind.name]]
        if name == "nodes":
            fields = select_all_fields(kind, steps)
            document = f"query($ids: [ID!]!) {{ nodes(nodeIds: $ids) {{ ... on {kind.name} {{ {fields} }} }} }}"
            found = (await caller.graphql(document, ids=node_ids))["data"]["nodes"]
        else:
            fields = select_all_fields(kind, 0)
            document = f"query($id: ID!) {{ node(nodeId: $id) {{ ... on {kind.name} {{ {fields} }} }} }}"
            found = [(await caller.graphql(document, id=one))["data"]["node"] for one in node_ids[-2:]]
        for data in filter(None, found):
            _read_object(visible, kind, data, None, (), f"Query.{name}")


def _arguments(root: GraphQLField, kind: GraphQLObjectType, ids: Ids) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield variable definitions, arguments and values: complete lists, and each ID that an argument may have."""
    paging = [whole] if (whole := whole_list_argument(root)) else []
    required = [name for name, argument in root.args.items() if str(argument.type).endswith("!")]
    if not required:
        yield "", f"({', '.join(paging)})" if paging else "", {}
    for name, argument in root.args.items():
        if name == "ids":
            every_id = ids[kind.name.removesuffix("Page").removesuffix("Connection")]
            yield "($ids: [ID!])", f"({', '.join([*paging, 'ids: $ids'])})", {"ids": every_id}
        elif str(get_named_type(argument.type)) == "ID":
            noun = ID_FIELDS.get(name) or {"Verification": "Ticket"}.get(kind.name) or noun_of(kind.name)
            assert set(required) <= {name}, f"tests/contract/walk.py, ID_FIELDS: add a row for {required}"
            assert noun in ids, f"tests/contract/walk.py, ID_FIELDS: add a row for {name}"
            for one in ids[noun]:
                yield "($id: ID!)", f"({', '.join([*paging, f'{name}: $id'])})", {"id": one}


def _read_field(visible: Visible, parent: Entity | None, name: str, of: GraphQLField, value: Any, path: str) -> None:
    kind = object_type_of(of)
    path = f"{path}.{name}"
    if kind is None:
        assert parent is not None
        visible.add_fact(parent, name, _graphql_value(of, value), path.rpartition(".")[0])
        return
    for path_in_parent, data in parts_of(name, value):
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
    entity = thing(noun_of(kind.name), data, parent, path_in_parent)
    visible.add_link(parent, entity, path)
    for name, value in data.items():
        if name == "nodeId":
            assert value == encode_node_id(kind.name, data["id"]), path
            continue
        if name == "id" and kind.name in PARTS_OF_EVENTS:
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
    return plain(value)
