"""Inputs and views, field by field: what REST takes and shows is what GraphQL takes and shows."""

import dataclasses
import datetime
import types
import typing
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType
from pydantic.fields import FieldInfo

from amarevents.resolvers.core.connections import Connection
from amarevents.resolvers.core.inputs import Input, RecordId, Taka
from amarevents.resolvers.core.operation import OPERATIONS, Operation
from amarevents.resolvers.core.pagination import Page
from amarevents.resolvers.core.subscription import SUBSCRIPTIONS
from amarevents.schema.core.edges import OPERATION_EDGES
from amarevents.schema.core.fields import OPERATION_FIELDS
from tests.contract.operations import EDGES, camel, field_name
from tests.support.graph import SCHEMA
from tests.support.tables import require_rows

# Any throughout: annotations have no narrower type.

REST_ONLY = {("RegisterForEvent", "transid"), ("UpdateTicket", "transid"), ("VerifyTicket", "ticket")}
"""Further names that REST has for the same thing."""

SCALARS: dict[object, str] = {
    int: "Int",
    str: "String",
    bool: "Boolean",
    RecordId: "ID",
    Taka: "Decimal",
    Decimal: "Decimal",
    datetime.datetime: "DateTime",
    datetime.date: "Date",
}
WITH_FIELDS = {name: OPERATIONS[name] for name in sorted({*OPERATION_FIELDS, *OPERATION_EDGES})}


def _type_text(annotation: Any, *, is_input: bool) -> str:
    """The annotation in GraphQL's notation, without the mark of what may not be null."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_text(parts[0], is_input=is_input)
    if origin in (Union, types.UnionType):
        return _type_text(parts[0], is_input=is_input)
    if origin is list:
        return f"[{_type_text(parts[0], is_input=is_input)}!]"
    if origin is dict:
        return "JSON"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return annotation.__name__
    return SCALARS.get(annotation) or _object_name(annotation, is_input=is_input)


def _object_name(annotation: Any, *, is_input: bool) -> str:
    name: str = annotation.__name__
    return f"{name.removesuffix('Input')}Input" if is_input else name.removesuffix("View")


def _may_be_null(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated:
        return _may_be_null(get_args(annotation)[0])
    return type(None) in get_args(annotation)


def _fields_of(type_name: str) -> dict[str, str]:
    kind = SCHEMA.type_map.get(type_name)
    hint = "Add its view to TYPES, or its mutation to FLAT, in tests/contract/test_shapes.py"
    assert isinstance(kind, GraphQLObjectType | GraphQLInputObjectType), f"No type is named {type_name}. {hint}"
    return {name: str(field.type) for name, field in kind.fields.items()}


def _taken(field: FieldInfo) -> str:
    text = _type_text(field.annotation, is_input=True)
    return f"{text}!" if field.is_required() else text


def _inputs() -> dict[str, type[Input]]:
    """Every Input of an operation, and those within them."""
    found = {operation.input_type.__name__: operation.input_type for operation in _with_input()}
    for field in [field for input_type in found.copy().values() for field in input_type.model_fields.values()]:
        for part in get_args(field.annotation):
            if isinstance(part, type) and issubclass(part, Input):
                found[part.__name__] = part
    return found


def _with_input() -> list[Any]:
    return [operation for operation in WITH_FIELDS.values() if operation.input_type is not None]


def _argument_types(operation: Operation[Any]) -> dict[str, str]:
    parents = ["Event"] if operation.name in EDGES else ["Query", "Mutation"]
    parent = next((_root(kind) for kind in parents if field_name(operation) in _root(kind).fields), None)
    assert parent, f"QUERY_NAMES or EDGES in tests/contract/operations.py lacks the field of {operation.name}"
    return {name: str(argument.type) for name, argument in parent.fields[field_name(operation)].args.items()}


def _root(name: str) -> GraphQLObjectType:
    kind = SCHEMA.type_map[name]
    assert isinstance(kind, GraphQLObjectType)
    return kind


FLAT = {"check_in_ticket", "undo_check_in"}
"""Mutations whose Input's fields are arguments of their own."""


@pytest.mark.parametrize("name", sorted(_inputs()))
def test_an_input_has_the_same_fields_on_both_surfaces(name: str) -> None:
    expected = {
        camel(own_name): _taken(field)
        for own_name, field in _inputs()[name].model_fields.items()
        if (name, own_name) not in REST_ONLY
    }
    queries = [
        operation
        for operation in _with_input()
        if operation.name in {*EDGES, *FLAT} or field_name(operation) in _root("Query").fields
    ]
    query = next((operation for operation in queries if operation.input_type.__name__ == name), None)
    assert (_argument_types(query) if query else _fields_of(f"{name.removesuffix('Input')}Input")) == expected


@pytest.mark.parametrize("name", WITH_FIELDS)
def test_a_field_takes_what_its_operation_takes(name: str) -> None:
    operation = OPERATIONS[name]
    arguments = _argument_types(operation)
    by_id = operation.takes_id and name not in EDGES
    assert ("id" in arguments and arguments["id"] == "ID!") is by_id
    assert ("idempotencyKey" in arguments) is operation.creates


@pytest.mark.parametrize("name", sorted(SUBSCRIPTIONS))
def test_a_subscription_takes_its_input_and_tells_its_view(name: str) -> None:
    followed, field = SUBSCRIPTIONS[name], _root("Subscription").fields[camel(name)]
    taken = {camel(one): _taken(info) for one, info in followed.input_type.model_fields.items()}
    assert {argument: str(of.type) for argument, of in field.args.items()} == taken
    assert str(field.type) == _type_name(followed.view)


def test_nothing_else_can_be_subscribed_to() -> None:
    assert _root("Subscription").fields.keys() == {camel(name) for name in SUBSCRIPTIONS}


TYPES = {
    "EventDetailView": "Event",
    "ManagedEventView": "Event",
    "OrganizationDetailView": "Organization",
    "ManagedOrganizationView": "Organization",
    "TicketDetailView": "Ticket",
    "LogoutView": "Logout",
    "RevokedView": "Revocation",
}
"""Views that share the type of the noun, and those whose type is called otherwise."""

MANAGERS_ALONE = {
    "ManagedEventView": {"emailtitle", "emailmessage", "template"},
    "ManagedOrganizationView": {"userId", "eventcount", "eventsUsed"},
}
"""Null in GraphQL, where REST leaves them out, for those who are not shown them."""


ACROSS = {
    "Account": {"tickets", "apiKeys", "organizations"},
    "AccountApiKey": {"owner"},
    "ApiKey": {"owner"},
    "CustomField": {"event"},
    "Donation": {"organization"},
    "Event": {"organization", "stats", "attendance", "tickets", "gallery"},
    "GalleryImage": {"event"},
    "Identity": {"tickets", "apiKeys", "organizations"},
    "Organization": {"events", "owner", "planDetails"},
    "OutgoingMail": {"ticket", "user"},
    "OwnedOrganization": {"events", "owner", "planDetails"},
    "Profile": {"tickets", "apiKeys"},
    "RateLimit": {"owner"},
    "Ticket": {"event", "owner", "ticketType", "checkIn", "decision"},
    "TicketType": {"event"},
    "User": {"tickets"},
}
"""The edges of the graph: fields that lead to other objects, which no view holds."""


def _views(annotation: Any) -> list[type]:
    """The dataclasses in an operation's answer, those inside them included; generic ones have a type for each use."""
    parts = get_args(annotation)
    if not dataclasses.is_dataclass(annotation) or get_origin(annotation) in (Page, Connection):
        return [view for part in parts for view in _views(part)]
    assert isinstance(annotation, type)
    hints = typing.get_type_hints(annotation, include_extras=True)
    return [annotation, *(view for hint in hints.values() for view in _views(hint))]


SHOWN = [
    *(operation.view for operation in WITH_FIELDS.values()),
    *(followed.view for followed in SUBSCRIPTIONS.values()),
]
ALL_VIEWS = sorted({view for annotation in SHOWN for view in _views(annotation)}, key=lambda view: view.__name__)


def _type_name(view: type) -> str:
    return TYPES.get(view.__name__, view.__name__.removesuffix("View"))


def _shown(view: type) -> dict[str, str]:
    """The view's fields as the schema is to have them."""
    shown = {}
    for name, annotation in typing.get_type_hints(view, include_extras=True).items():
        text, field = _type_text(annotation, is_input=False), camel(name)
        may_be_null = _may_be_null(annotation) or field in MANAGERS_ALONE.get(view.__name__, ())
        shown[field] = text if may_be_null else f"{text}!"
    return shown


@pytest.mark.parametrize("view", ALL_VIEWS, ids=lambda view: view.__name__)
def test_every_field_of_a_view_is_in_the_schema(view: type) -> None:
    assert _shown(view).items() <= _fields_of(_type_name(view)).items()


@pytest.mark.parametrize("type_name", sorted({_type_name(view) for view in ALL_VIEWS}))
def test_a_type_of_the_schema_has_no_field_that_no_view_has(type_name: str) -> None:
    of_views = {field for view in ALL_VIEWS if _type_name(view) == type_name for field in _shown(view)}
    table = f"ACROSS[{type_name!r}] in tests/contract/test_shapes.py (fields of the type that are in no view)"
    require_rows(table, ACROSS.get(type_name, set()), _fields_of(type_name).keys() - of_views)
