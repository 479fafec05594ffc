"""The planned executor, whose results equal those of the stock engine: data, errors, and the order of keys."""

import datetime
import gc
import sys
from decimal import Decimal
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

import pytest
import strawberry
from graphql import GraphQLEnumType, GraphQLObjectType
from strawberry.types import ExecutionResult

from amarevents.schema.core.scalars import CONFIG
from amarevents.schema.execution.executor import PlannedExecutor
from amarevents.schema.execution.leaves import by_type
from amarevents.schema.schema import schema
from tests.support.graph import SCHEMA
from tests.support.random_documents import DocumentWriter
from tests.support.sizes import sized

DOCUMENTS = sized(300, deep=3_000)


@strawberry.enum
class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@strawberry.type
class Leaves:
    """Fields of every leaf type, and fields that fail in each possible way."""

    text: str
    maybe: str | None
    whole: int
    exact: Decimal
    ratio: float
    flag: bool
    colour: Colour
    maybe_colour: Colour | None
    when: datetime.datetime
    day: datetime.date | None
    names: list[str]
    not_there: str | None
    odd: int | None
    failing: str | None
    strict: str

    @strawberry.field
    def computed(self) -> str:
        return "computed"

    @strawberry.field
    async def awaited(self) -> int | None:
        return 7

    @strawberry.field
    async def refused(self) -> int | None:
        raise ValueError("refused")


@strawberry.type
class Node(Leaves):
    id: strawberry.ID
    child: "Node | None"
    children: "list[Node]"
    sparse: "list[Node | None]"

    @strawberry.field
    async def later(self) -> "Node | None":
        return self.child

    @strawberry.field
    async def later_children(self) -> "list[Node]":
        return self.children


class _Failing:
    """An object with an attribute that cannot be read."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)

    @property
    def failing(self) -> str:
        raise ValueError("cannot be read")


def _values(number: int) -> dict[str, Any]:
    """Return attributes that depend on ``number``: valid ones, nulls where null is not allowed, and invalid ones."""
    return {
        "id": number,
        "text": "text" if number % 7 else 12.5,
        "maybe": None if number % 2 else "maybe",
        "whole": number if number % 5 else 2**40,
        "exact": Decimal("499.50"),
        "ratio": 0.5 if number % 3 else 3,
        "flag": bool(number % 2),
        "colour": Colour.RED if number % 4 else "green",
        "maybe_colour": None if number % 3 else Colour.BLUE,
        "when": datetime.datetime(2026, 11, 23, 5, 40, tzinfo=datetime.UTC),
        "day": None if number % 2 else datetime.date(2026, 11, 23),
        "names": ["a", "b"] if number % 6 else ["a", None],
        "odd": "seven" if number % 3 == 0 else True,
        "strict": None if number % 4 == 0 else "strict",
        "failing": ValueError("a value that is an error") if number % 5 == 1 else None,
    }


def _node(number: int, depth: int = 0) -> Any:
    values = _values(number)
    below = [_node(number * 3 + one, depth + 1) for one in range(2)] if depth < 2 else []
    values |= {"child": below[0] if below else None, "children": below, "sparse": [None, *below]}
    if number % 2:
        return _Failing(values) if number % 3 == 0 else SimpleNamespace(**values)
    return SimpleNamespace(**values, not_there=None)


@strawberry.type
class Query:
    @strawberry.field
    def node(self) -> Node:
        return _node(1)  # type: ignore[no-any-return] # any object with the attributes

    @strawberry.field
    async def maybe(self) -> Node | None:
        return _node(2)  # type: ignore[no-any-return] # as above

    @strawberry.field
    async def nodes(self) -> list[Node] | None:
        return [_node(number) for number in range(3, 6)]


def _accept_any_object(_value: Any, _info: object) -> bool:
    return True


class _QuietSchema(strawberry.Schema):
    def process_errors(self, errors: Any, execution_context: Any = None) -> None:
        """Log nothing, because thousands of errors are intended."""


STOCK = _QuietSchema(query=Query, config=CONFIG)
PLANNED = _QuietSchema(query=Query, config=CONFIG, execution_context_class=PlannedExecutor)
for each_schema in (STOCK, PLANNED):
    node_type = each_schema._schema.type_map["Node"]
    assert isinstance(node_type, GraphQLObjectType)
    node_type.is_type_of = _accept_any_object


def _comparable(result: ExecutionResult) -> tuple[str, list[dict[str, Any]]]:
    """Return the data with the order of its keys, and the errors sorted: awaited fields can fail in any order."""
    return repr(result.data), sorted((dict(error.formatted) for error in result.errors or []), key=repr)


@pytest.mark.parametrize("seed", range(10))
async def test_random_documents_have_the_results_of_the_stock_engine(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The stock engine leaves coroutines unawaited when a sibling field fails.
    monkeypatch.setattr(sys, "unraisablehook", lambda _unraisable: None)
    writer = DocumentWriter(STOCK._schema, seed)
    valid = failed = 0
    for _ in range(DOCUMENTS // 10):
        document = writer.write()
        expected = await STOCK.execute(document)
        assert _comparable(await PLANNED.execute(document)) == _comparable(expected), document
        valid += expected.data is not None
        failed += bool(expected.errors)
    gc.collect()
    # Negative control: both kinds of results occur.
    assert valid > DOCUMENTS // 50
    assert failed > DOCUMENTS // 50


ENUMS = sorted(name for name, kind in SCHEMA.type_map.items() if isinstance(kind, GraphQLEnumType) and name[0] != "_")


@pytest.mark.parametrize("name", ENUMS)
def test_plain_enum_values_are_those_of_the_stock_engine(name: str) -> None:
    """Also if two names have one value: donations are VERIFIED, and APPROVED is an alias (decisions 7.1)."""
    kind = schema.graphql_schema.type_map[name]
    assert isinstance(kind, GraphQLEnumType)
    for members, serialize in by_type(kind).items():
        assert serialize is not None
        for member in members:  # type: ignore[attr-defined] # an enumeration
            assert serialize(member) == kind.coerce_output_value(member)
