"""What the schema says of itself: something of every part."""

import re
from collections.abc import Iterator

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLObjectType, build_schema, is_specified_scalar_type

from amarevents.schema.schema import schema
from amarevents.schema.texts import _OWN, describe


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


def test_schema_says_how_to_authenticate_and_what_money_and_ids_are() -> None:
    about = schema.graphql_schema.description or ""
    assert all(word in about for word in ("`Authorization: Bearer ae_…`", "`login`", "`Decimal`", "`ID`"))


def test_descriptions_have_the_names_of_the_schema() -> None:
    """Not those of REST, such as `created_at` and `Success`; but for enums, which say how REST writes them."""
    kinds = schema.graphql_schema.type_map
    enums = {name for name in DESCRIPTIONS if isinstance(kinds[name.split(".")[0]], GraphQLEnumType)}
    of_rest = re.compile("`[a-z]+_[a-z_0-9]+`|`(Pending|Success|Failed|Refunded|private|verified)`")
    assert {name for name in DESCRIPTIONS.keys() - enums if of_rest.search(DESCRIPTIONS[name] or "")} == set()


def test_a_part_of_which_nothing_is_said_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(_OWN, "items")
    page = schema.graphql_schema.type_map["EventPage"]
    assert isinstance(page, GraphQLObjectType)
    monkeypatch.setattr(page.fields["items"], "description", None)
    with pytest.raises(KeyError, match="items"):
        describe(schema.graphql_schema)
