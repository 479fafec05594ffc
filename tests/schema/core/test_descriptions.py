"""What the schema says of itself: something of every part."""

import re
from collections.abc import Iterator

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLObjectType, build_schema, is_specified_scalar_type

from amarevents.schema.core.descriptions import _OF_KINDS, _OWN, _VALUES, describe
from amarevents.schema.schema import schema


def _descriptions() -> Iterator[tuple[str, str | None]]:
    """Of all types, fields, arguments and values, as callers read them."""
    for kind in build_schema(schema.as_str()).type_map.values():
        if kind.name.startswith("__") or is_specified_scalar_type(kind):
            continue
        yield kind.name, kind.description
        if isinstance(kind, GraphQLEnumType):
            yield from ((f"{kind.name}.{name}", value.description) for name, value in kind.values.items())
        if isinstance(kind, GraphQLObjectType):
            for name, field in kind.fields.items():
                yield f"{kind.name}.{name}", field.description
                yield from ((f"{kind.name}.{name}({one}:)", found.description) for one, found in field.args.items())
        if isinstance(kind, GraphQLInputObjectType):
            yield from ((f"{kind.name}.{name}", field.description) for name, field in kind.fields.items())


DESCRIPTIONS = dict(_descriptions())


def test_everything_is_described() -> None:
    assert len(DESCRIPTIONS) > 500
    assert {name for name, text in DESCRIPTIONS.items() if not text} == set()


OF_REST = re.compile(
    r"`[a-z]+[_:][a-z_0-9]+`|`(private|verified|approved)`|\bor approved\b|\b(Pending|Success|Failed|Refunded)\b"
    "|Idempotency-Key"
)


def test_schema_says_how_to_authenticate_and_what_money_and_ids_are() -> None:
    about = schema.graphql_schema.description or ""
    assert all(word in about for word in ("`Authorization: Bearer ae_…`", "`login`", "`Decimal`", "`ID`"))


def test_descriptions_have_the_names_of_the_schema() -> None:
    """Not those of REST, such as `created_at` and `Success`."""
    assert {name for name, text in DESCRIPTIONS.items() if OF_REST.search(text or "")} == set()


@pytest.mark.parametrize(
    "text",
    [
        "`created_at`",
        "`events:read`",
        "`approved` is another word for `VERIFIED`.",
        "verified (or approved)",
        "Its status is Success.",
        "An Idempotency-Key repeats it.",
    ],
)
def test_names_of_rest_are_noticed(text: str) -> None:
    assert OF_REST.search(text)


def test_each_value_has_words_and_all_words_are_of_a_value() -> None:
    enums = [kind for kind in schema.graphql_schema.type_map.values() if isinstance(kind, GraphQLEnumType)]
    values = {f"{kind.name}.{name}" for kind in enums if not kind.name.startswith("__") for name in kind.values}
    assert _VALUES.keys() == values
    assert _OF_KINDS.keys() <= schema.graphql_schema.type_map.keys()


def test_a_value_of_which_nothing_is_said_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(_VALUES, "Scope.EVENTS_READ")
    with pytest.raises(KeyError, match="EVENTS_READ"):
        describe(schema.graphql_schema)


def test_a_part_of_which_nothing_is_said_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(_OWN, "items")
    page = schema.graphql_schema.type_map["EventPage"]
    assert isinstance(page, GraphQLObjectType)
    monkeypatch.setattr(page.fields["items"], "description", None)
    with pytest.raises(KeyError, match="items"):
        describe(schema.graphql_schema)
