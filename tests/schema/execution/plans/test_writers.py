"""Writers of objects: they write what leaves write, faster."""

import datetime
from decimal import Decimal
from types import SimpleNamespace

import orjson
import pytest
from graphql import GraphQLEnumType, GraphQLInt, GraphQLNonNull, GraphQLScalarType, GraphQLString

from amarevents.models.enums import Category
from amarevents.schema.core.json import encode_json
from amarevents.schema.execution.leaves import NotPlain, leaf_of_type
from amarevents.schema.execution.plans.writers import compile_writer
from amarevents.schema.schema import schema

DHAKA = datetime.timezone(datetime.timedelta(hours=6))
VALUES: dict[str, list[object]] = {
    "String": ["text", "", 12, None],
    "Int": [0, -(2**31), 2**31 - 1, True, 3.0, None],
    "ID": [17, "x", None],
    "Boolean": [True, False, None],
    "Decimal": [Decimal("499.50"), Decimal(0), None],
    "Date": [datetime.date(2026, 1, 31), datetime.date(33, 1, 1), None],
    "DateTime": [
        datetime.datetime(2026, 1, 31, 5, 40, 1, 999_999, datetime.UTC),
        datetime.datetime(2026, 1, 31, 5, 40, tzinfo=DHAKA),
        datetime.datetime(33, 1, 1, tzinfo=datetime.UTC),
        None,
    ],
    "JSON": [{"a": [1, None]}, [], None],
    "Category": [Category.CONCERT, "Concert", None],
}
KINDS = {"String": GraphQLString, "Int": GraphQLInt}


def _kind(name: str) -> GraphQLScalarType | GraphQLEnumType:
    kind = KINDS.get(name) or schema.graphql_schema.type_map[name]
    assert isinstance(kind, GraphQLScalarType | GraphQLEnumType)
    return kind


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in VALUES.items() for value in values])
def test_written_value_is_that_of_the_leaf(name: str, value: object) -> None:
    leaf = leaf_of_type(_kind(name), "attribute")
    assert leaf is not None
    [written] = compile_writer("Thing", [("value", leaf), ("__typename", None)])([SimpleNamespace(attribute=value)])
    expected = {"value": leaf.write(value), "__typename": "Thing"}
    assert orjson.loads(encode_json(written)) == expected
    assert list(written) == list(expected)


@pytest.mark.parametrize("name", VALUES)
def test_null_is_refused_where_the_schema_does_not_allow_it(name: str) -> None:
    leaf = leaf_of_type(GraphQLNonNull(_kind(name)), "attribute")
    assert leaf is not None
    with pytest.raises(NotPlain):
        compile_writer("Thing", [("value", leaf)])([SimpleNamespace(attribute=None)])


def test_columns_are_written_in_the_order_of_the_selection() -> None:
    leaf = leaf_of_type(GraphQLString, "name")
    assert leaf is not None
    write = compile_writer("Thing", [("second", 1), ("name", leaf), ("first", 0)])
    views = [SimpleNamespace(name="a"), SimpleNamespace(name="b")]
    assert write(views, [10, 11], [20, 21]) == [
        {"second": 10, "name": "a", "first": 20},
        {"second": 11, "name": "b", "first": 21},
    ]
