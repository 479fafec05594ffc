"""Descriptions in the schema: every type, field, argument and enum value has one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLObjectType, build_schema, is_specified_scalar_type
from strawberry.schema.schema_converter import CustomGraphQLEnumType, GraphQLCoreConverter

from amarevents.models.enums import TicketStatus
from amarevents.resolvers.core.descriptions import description_of
from amarevents.resolvers.events.views import EventDetailView, EventView
from amarevents.schema.core.descriptions import describe
from amarevents.schema.core.object_types import object_type
from amarevents.schema.schema import schema


def _descriptions() -> Iterator[tuple[str, str | None]]:
    """Yield the descriptions of all types, fields, arguments and enum values, as callers read them."""
    for graphql_type in build_schema(schema.as_str()).type_map.values():
        if graphql_type.name.startswith("__") or is_specified_scalar_type(graphql_type):
            continue
        yield graphql_type.name, graphql_type.description
        if isinstance(graphql_type, GraphQLEnumType):
            yield from (
                (f"{graphql_type.name}.{name}", value.description) for name, value in graphql_type.values.items()
            )
        if isinstance(graphql_type, GraphQLObjectType):
            for name, field in graphql_type.fields.items():
                yield f"{graphql_type.name}.{name}", field.description
                yield from (
                    (f"{graphql_type.name}.{name}({argument_name}:)", argument.description)
                    for argument_name, argument in field.args.items()
                )
        if isinstance(graphql_type, GraphQLInputObjectType):
            yield from (
                (f"{graphql_type.name}.{name}", field.description) for name, field in graphql_type.fields.items()
            )


DESCRIPTIONS = dict(_descriptions())


def test_everything_has_a_description() -> None:
    assert len(DESCRIPTIONS) > 500
    assert {name for name, text in DESCRIPTIONS.items() if not text} == set()


REST_NAME = re.compile(
    r"`[a-z]+[_:][a-z_0-9]+`|`(private|verified|approved)`|\(or approved\)|Idempotency-Key"
    r"|(?:(?<=[a-z,] )|(?<=`))(Pending|Success|Failed|Refunded)\b"
)


def test_schema_describes_authentication_money_and_ids() -> None:
    about = schema.graphql_schema.description or ""
    assert all(word in about for word in ("`Authorization: Bearer ae_…`", "`login`", "`Decimal`", "`ID`"))


def test_descriptions_use_the_names_of_the_schema() -> None:
    """They do not use names of the REST API, such as `created_at` and `Success`."""
    assert {name for name, text in DESCRIPTIONS.items() if REST_NAME.search(text or "")} == set()


@pytest.mark.parametrize(
    "text",
    [
        "`created_at`",
        "`events:read`",
        "`approved` is another word for `VERIFIED`.",
        "verified (or approved)",
        "Its status is Success.",
        "`Pending` tickets hold a place.",
        "An Idempotency-Key repeats it.",
    ],
)
def test_names_of_rest_are_detected(text: str) -> None:
    assert REST_NAME.search(text)


@pytest.mark.parametrize(
    ("part", "default"),
    [
        ("Query.events(limit:)", "20"),
        ("CreateEventInput.privacy", "PUBLIC"),
        ("CreateCustomFieldInput.required", "false"),
        ("TicketTypeInput.price", "0"),
    ],
)
def test_descriptions_state_defaults_as_the_schema_writes_them(part: str, default: str) -> None:
    assert (DESCRIPTIONS[part] or "").endswith(f" Defaults to `{default}`.")


class _WithoutDescriptions(Enum):
    FAILED = "Failed"


class _ViewWithoutDescription:
    amount: int


@pytest.fixture(name="event_page")
def _event_page() -> GraphQLObjectType:
    page = schema.graphql_schema.type_map["EventPage"]
    assert isinstance(page, GraphQLObjectType)
    return page


def test_descriptions_of_fields_and_values_are_the_docstrings_below_them() -> None:
    """Docstrings in the base classes of a view count as well."""
    assert DESCRIPTIONS["TicketStatus.FAILED"] == description_of(TicketStatus, "FAILED")
    assert DESCRIPTIONS["Event.name"] == description_of(EventView, "name")
    assert DESCRIPTIONS["Event.notice"] == description_of(EventDetailView, "notice")


def test_value_without_a_docstring_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    status = schema.graphql_schema.type_map["TicketStatus"]
    assert isinstance(status, CustomGraphQLEnumType)
    monkeypatch.setattr(status, "wrapped_cls", _WithoutDescriptions)
    monkeypatch.setattr(status.values["FAILED"], "description", None)
    with pytest.raises(KeyError, match=r"_WithoutDescriptions\.FAILED has no description: write a docstring below it"):
        describe(schema.graphql_schema)


def test_field_without_a_docstring_is_reported(event_page: GraphQLObjectType, monkeypatch: pytest.MonkeyPatch) -> None:
    definition = event_page.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
    monkeypatch.setattr(definition, "origin", _ViewWithoutDescription)
    monkeypatch.setattr(event_page.fields["items"], "description", None)
    with pytest.raises(
        KeyError, match=r"_ViewWithoutDescription\.items has no description: write a docstring below it"
    ):
        describe(schema.graphql_schema)


@pytest.mark.parametrize("view", [_ViewWithoutDescription, dataclass(_ViewWithoutDescription)])
def test_type_without_a_docstring_is_reported(view: type) -> None:
    with pytest.raises(TypeError, match="Bare has no description: write a docstring for it or for its view"):
        object_type(type("Bare", (view,), {}))
