"""Inputs and views, field by field: REST and GraphQL have the same fields of the same types."""

import dataclasses
import datetime
import types
import typing
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from graphql import GraphQLField, GraphQLInputObjectType, GraphQLObjectType
from pydantic.fields import FieldInfo

from amarevents.resolvers.core.connections import Connection
from amarevents.resolvers.core.inputs import Input, RecordId, Taka
from amarevents.resolvers.core.operation import OPERATIONS, Operation
from amarevents.resolvers.core.pagination import Page
from amarevents.resolvers.core.subscription import SUBSCRIPTIONS
from amarevents.schema.core.edges import OPERATION_EDGES
from amarevents.schema.core.fields import OPERATION_FIELDS
from tests.contract.operations import EDGES, QUERY_NAMES, camel, field_name
from tests.support.graph import NODE_TYPES, SCHEMA
from tests.support.tables import check_rows

# Any throughout: annotations have no narrower type.

REST_ONLY = {("RegisterForEvent", "transid"), ("UpdateTicket", "transid"), ("VerifyTicket", "ticket")}
"""Alternative names of fields that only REST has."""
REST_ONLY_IN_ANSWERS = {("TicketView", "transid"), ("TicketDetailView", "transid")}

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
    """Return the annotation in GraphQL's notation, without the ``!`` of non-null types."""
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
    return f"{name.removesuffix('Input')}Input" if is_input else _type_name(annotation)


def _is_nullable(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated:
        return _is_nullable(get_args(annotation)[0])
    return type(None) in get_args(annotation)


def _fields_of(type_name: str) -> dict[str, str]:
    kind = SCHEMA.type_map[type_name]
    assert isinstance(kind, GraphQLObjectType | GraphQLInputObjectType)
    return {name: str(field.type) for name, field in kind.fields.items()}


def _input_type_text(field: FieldInfo) -> str:
    text = _type_text(field.annotation, is_input=True)
    return f"{text}!" if field.is_required() else text


def _inputs() -> dict[str, type[Input]]:
    """Return every Input of an operation, and the nested ones, by name."""
    found = {operation.input_type.__name__: operation.input_type for operation in _with_input()}
    for field in [field for input_type in found.copy().values() for field in input_type.model_fields.values()]:
        for part in get_args(field.annotation):
            if isinstance(part, type) and issubclass(part, Input):
                found[part.__name__] = part
    return found


def _with_input() -> list[Any]:
    return [operation for operation in WITH_FIELDS.values() if operation.input_type is not None]


def _argument_types(operation: Operation[Any]) -> dict[str, str]:
    return {name: str(argument.type) for name, argument in _field_of(operation).args.items()}


def _field_of(operation: Operation[Any]) -> GraphQLField:
    table, parents = ("EDGES", ["Event"]) if operation.name in EDGES else ("QUERY_NAMES", ["Query", "Mutation"])
    name = field_name(operation)
    found: list[GraphQLField] = [_root(parent).fields[name] for parent in parents if name in _root(parent).fields]
    assert found, f"tests/contract/operations.py, {table}: add a row for {operation.name}, no field {name}"
    return found[0]


def test_the_tables_of_names_have_the_rows_that_the_schema_needs() -> None:
    check_rows("tests/contract/operations.py, EDGES", EDGES, set(OPERATION_EDGES) - set(OPERATION_FIELDS))
    named = {name for name in OPERATION_FIELDS if field_name(OPERATIONS[name]) != camel(name)}
    check_rows("tests/contract/operations.py, QUERY_NAMES", QUERY_NAMES, named)


def _root(name: str) -> GraphQLObjectType:
    kind = SCHEMA.type_map[name]
    assert isinstance(kind, GraphQLObjectType)
    return kind


FLAT_INPUTS = {"check_in_ticket", "undo_check_in", "request_password_reset", "reset_password"}
"""Mutations whose arguments are the fields of their Input, without ``input``."""


@pytest.mark.parametrize("name", sorted(_inputs()))
def test_an_input_has_the_same_fields_on_both_surfaces(name: str) -> None:
    expected = {
        camel(own_name): _input_type_text(field)
        for own_name, field in _inputs()[name].fields_by_name().items()
        if (name, own_name) not in REST_ONLY
    }
    queries = [
        operation
        for operation in _with_input()
        if operation.name in {*EDGES, *FLAT_INPUTS} or field_name(operation) in _root("Query").fields
    ]
    query = next((operation for operation in queries if operation.input_type.__name__ == name), None)
    assert (_argument_types(query) if query else _fields_of(f"{name.removesuffix('Input')}Input")) == expected


@pytest.mark.parametrize("name", WITH_FIELDS)
def test_a_field_takes_the_id_and_the_idempotency_key_of_its_operation(name: str) -> None:
    operation = OPERATIONS[name]
    arguments = _argument_types(operation)
    by_id = operation.takes_id and name not in EDGES
    assert ("id" in arguments and arguments["id"] == "ID!") is by_id
    assert ("idempotencyKey" in arguments) is operation.creates


@pytest.mark.parametrize("name", sorted(SUBSCRIPTIONS))
def test_a_subscription_has_its_input_as_arguments_and_its_view_as_type(name: str) -> None:
    subscription, field = SUBSCRIPTIONS[name], _root("Subscription").fields[camel(name)]
    arguments = {camel(one): _input_type_text(info) for one, info in subscription.input_type.model_fields.items()}
    assert {argument: str(of.type) for argument, of in field.args.items()} == arguments
    assert str(field.type) == _type_name(subscription.view)


def test_the_schema_has_no_other_subscriptions() -> None:
    assert _root("Subscription").fields.keys() == {camel(name) for name in SUBSCRIPTIONS}


TYPES = {
    "AccountApiKeyView": "ApiKey",
    "AccountView": "User",
    "AdmissionView": "CheckIn",
    "CreatedApiKeyView": "ApiKey",
    "EventDetailView": "Event",
    "IdentityView": "User",
    "LiveEventStatsView": "EventStats",
    "LoggedInAccountView": "User",
    "ManagedEventView": "Event",
    "OwnedOrganizationView": "Organization",
    "ProfileView": "User",
    "OrganizationDetailView": "Organization",
    "ManagedOrganizationView": "Organization",
    "TicketDetailView": "Ticket",
    "LogoutView": "Logout",
    "RevokedView": "Revocation",
}
"""The GraphQL types of views whose names differ from them."""

NULLABLE_FIELDS = {
    "AccountApiKeyView": {"userId", "username"},
    "AccountView": {"number", "createdAt"},
    "CheckInView": {"outcome", "ticket"},
    "IdentityView": {"auth"},
    "LoggedInAccountView": {"number", "createdAt"},
    "ManagedEventView": {"emailtitle", "emailmessage", "template", "holdMinutes", "placesPerAccount"},
    "ManagedOrganizationView": {"userId", "eventcount", "eventsUsed"},
    "OwnedOrganizationView": {"userId", "eventsUsed"},
    "ProfileView": {"number", "createdAt", "organizations", "stats"},
    "UserView": {"number", "createdAt", "organizations", "apiKeys", "ticketCount"},
}
"""Fields that some callers do not see: null or refused in GraphQL, and left out by REST (decisions 9.1a)."""


EDGES_OF_TYPES = {
    "AccountApiKeyView": "ApiKey",
    "AccountView": "User",
    "AdmissionView": "CheckIn",
    "CreatedApiKeyView": "ApiKey",
    "ApiKey": {"owner"},
    "CustomField": {"event"},
    "Donation": {"organization"},
    "Event": {"organization", "stats", "attendance", "tickets", "ticketsConnection", "gallery"},
    "GalleryImage": {"event"},
    "Organization": {"events", "eventsConnection", "owner", "planDetails"},
    "OutgoingMail": {"ticket", "user"},
    "RateLimit": {"owner"},
    "Ticket": {"event", "owner", "ticketType", "checkIn", "decision"},
    "TicketType": {"event"},
    "User": {"tickets"},
}
"""Fields of GraphQL types that lead to other objects and are in no view. A row is a type with its edges."""


def _views(annotation: Any) -> list[type]:
    """Return the dataclasses in an operation's answer and in their fields, except generic ones (Page, Connection)."""
    parts = get_args(annotation)
    if not dataclasses.is_dataclass(annotation) or get_origin(annotation) in (Page, Connection):
        return [view for part in parts for view in _views(part)]
    assert isinstance(annotation, type)
    hints = typing.get_type_hints(annotation, include_extras=True)
    return [annotation, *(view for hint in hints.values() for view in _views(hint))]


ANSWERS = [
    *(operation.view for operation in WITH_FIELDS.values()),
    *(subscription.view for subscription in SUBSCRIPTIONS.values()),
]
ALL_VIEWS = sorted({view for annotation in ANSWERS for view in _views(annotation)}, key=lambda view: view.__name__)


def _type_name(view: type) -> str:
    return TYPES.get(view.__name__, view.__name__.removesuffix("View"))


def _schema_fields(view: type) -> dict[str, str]:
    """Return the fields that the view's type must have in the schema."""
    fields = {}
    hints = typing.get_type_hints(view, include_extras=True)
    for name in [field.name for field in dataclasses.fields(view)]:
        if (view.__name__, name) in REST_ONLY_IN_ANSWERS:
            continue
        annotation = hints[name]
        text, field = _type_text(annotation, is_input=False), camel(name)
        may_be_null = _is_nullable(annotation) or field in NULLABLE_FIELDS.get(view.__name__, ())
        fields[field] = text if may_be_null else f"{text}!"
    return fields


@pytest.mark.parametrize("view", ALL_VIEWS, ids=lambda view: view.__name__)
def test_every_field_of_a_view_is_in_the_schema(view: type) -> None:
    assert _schema_fields(view).items() <= _fields_of(_type_name(view)).items()


@pytest.mark.parametrize("type_name", sorted({_type_name(view) for view in ALL_VIEWS}))
def test_a_type_has_no_fields_but_those_of_views_and_its_edges(type_name: str) -> None:
    of_views = {field for view in ALL_VIEWS if _type_name(view) == type_name for field in _schema_fields(view)}
    table = f"tests/contract/test_shapes.py, EDGES_OF_TYPES[{type_name!r}]"
    of_nodes = {"nodeId"} if type_name in {kind.name for kind in NODE_TYPES} else set()
    check_rows(table, {*EDGES_OF_TYPES.get(type_name, ()), *of_nodes}, _fields_of(type_name).keys() - of_views)
