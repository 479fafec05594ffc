"""SQL with its values: pieces that are combined into statements for both databases.

In the text of a piece, ``?`` stands for the next of its values, and ``IN ?`` for a list of them. Both databases get one
text for lists of any length, so that they can keep the statement prepared.
"""

import datetime
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from itertools import count
from typing import Any

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection

from amarevents.models.db.connection import CONNECTION, DatabaseUnavailable

Row = Sequence[Any]
"""A row as the driver returns it: its columns by position. Any: the types of columns."""

_replica: ContextVar[BaseDBAsyncClient | None] = ContextVar("replica", default=None)

_LIST = re.compile(r"\bIN \?")
_PLACEHOLDER = re.compile(r"\?")
_TEXTS = 2_000
_LIKE_SPECIAL = re.compile(r"([\\%_])")


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL and the values of its placeholders."""

    text: str
    values: tuple[object, ...] = ()

    def __and__(self, other: "Sql") -> "Sql":
        """Return the condition that both conditions are met."""
        if self is TRUE or other is TRUE:
            return other if self is TRUE else self
        return Sql(f"{self.text} AND {other.text}", self.values + other.values)

    def __or__(self, other: "Sql") -> "Sql":
        """Return the condition that at least one of two conditions is met."""
        return Sql(f"({self.text} OR {other.text})", self.values + other.values)


TRUE = Sql("TRUE")
FALSE = Sql("FALSE")


def sql(text: str, *values: object) -> Sql:
    """Return a piece of SQL with a value for each of its placeholders. An alternative in it needs parentheses."""
    return Sql(text, values)


def is_in(column: str, values: Iterable[object]) -> Sql:
    """Return the condition that a column has one of the values. A single one is compared as it is, which is faster."""
    listed = list(values)
    return Sql(f"{column} = ?", (listed[0],)) if len(listed) == 1 else Sql(f"{column} IN ?", (listed,))


def contains(column: str, text: str) -> Sql:
    """Return the condition that a column contains the text."""
    pattern = _LIKE_SPECIAL.sub(r"\\\1", text)
    return Sql(f"{column} LIKE ? ESCAPE '\\'", (f"%{pattern}%",))


def union_all(parts: Iterable[Sql]) -> Sql:
    """Return the statement whose rows are those of all parts. SQLite requires parts without ORDER BY."""
    pieces = list(parts)
    values = tuple(value for piece in pieces for value in piece.values)
    return Sql(" UNION ALL ".join(piece.text for piece in pieces), values)


async def fetch(statement: Sql) -> Sequence[Row]:
    """Return the rows of a statement, read in the caller's transaction if there is one.

    Inside ``reading_from`` they are those of a replica, unless it is away or too slow.
    """
    replica = _replica.get()
    if replica is not None:
        with suppress(DatabaseUnavailable):
            return await fetch_from(replica, statement)
    return await fetch_from(get_connection(CONNECTION), statement)


async def fetch_from(client: BaseDBAsyncClient, statement: Sql) -> Sequence[Row]:
    """Return the rows of a statement, read by this client. Raises DatabaseUnavailable, DatabaseBusy."""
    text, values = _DIALECTS[client.capabilities.dialect](statement)
    rows: Sequence[Row] = await client.execute_rows(text, values)  # type: ignore[attr-defined] # of both engines
    return rows


@contextmanager
def reading_from(replica: BaseDBAsyncClient) -> Iterator[None]:
    """Let a replica answer the statements of the block; its rows may be a moment older."""
    token = _replica.set(replica)
    try:
        yield
    finally:
        _replica.reset(token)


async def execute(statement: Sql) -> Sequence[Row]:
    """Execute a statement that writes, in the caller's transaction if there is one, and return the rows of RETURNING.

    Raises IntegrityError.
    """
    return await fetch_from(get_connection(CONNECTION), statement)


async def execute_many(text: str, rows: Iterable[Sequence[object]]) -> None:
    """Execute a statement that writes once for each list of values. Raises IntegrityError."""
    client = get_connection(CONNECTION)
    prepare = _DIALECTS[client.capabilities.dialect]
    written, _ = prepare(Sql(text))
    await client.execute_many(written, [list(prepare(Sql("", tuple(values)))[1]) for values in rows])


def dialect() -> str:
    """Return the dialect of the open database, ``postgres`` or ``sqlite``."""
    name: str = get_connection(CONNECTION).capabilities.dialect
    return name


@lru_cache(maxsize=_TEXTS)
def _for_postgres(text: str) -> str:
    numbers = count(1)
    return _PLACEHOLDER.sub(lambda _: f"${next(numbers)}", _LIST.sub("= ANY(?)", text))


@lru_cache(maxsize=_TEXTS)
def _for_sqlite(text: str) -> str:
    return _LIST.sub("IN (SELECT value FROM json_each(?))", text)


def _sqlite_value(value: object) -> object:
    encode = _SQLITE_VALUES.get(type(value))
    if encode is None and isinstance(value, Enum):
        return value.value
    return value if encode is None else encode(value)


# As Tortoise writes them.
_SQLITE_VALUES: dict[type, Callable[[Any], object]] = {
    datetime.date: datetime.date.isoformat,
    datetime.datetime: lambda value: value.astimezone(datetime.UTC).isoformat(" "),
    Decimal: str,
    bool: int,
    list: lambda value: orjson.dumps([_sqlite_value(one) for one in value]).decode(),
}

_DIALECTS: dict[str, Callable[[Sql], tuple[str, Sequence[object]]]] = {
    "postgres": lambda statement: (_for_postgres(statement.text), statement.values),
    "sqlite": lambda statement: (_for_sqlite(statement.text), list(map(_sqlite_value, statement.values))),
}
