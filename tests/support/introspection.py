"""Database schemas as plain values, equal for both databases, and the schema that the models describe."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.context import require_context
from tortoise.models import Model

IndexKey = tuple[tuple[str, ...], bool, bool]  # columns, unique, partial
ForeignKey = tuple[str, str, str, str]  # column, table and column referred to, on delete

POSTGRES_TABLES = "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"
POSTGRES_COLUMNS = """
    SELECT column_name AS name, is_nullable = 'YES' AS nullable FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = $1
"""
POSTGRES_INDEXES = """
    SELECT indisunique AS is_unique, indpred IS NOT NULL AS partial, ARRAY(
        SELECT attname::text FROM unnest(indkey) WITH ORDINALITY AS key (number, position)
        JOIN pg_attribute ON attrelid = indrelid AND attnum = number ORDER BY position
    ) AS columns
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
    WHERE indrelid = $1::text::regclass AND NOT indisprimary AND amname = 'btree'
"""
POSTGRES_FOREIGN_KEYS = """
    SELECT source.attname AS column, confrelid::regclass::text AS table, target.attname AS target,
           CASE confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'r' THEN 'RESTRICT' END AS on_delete
    FROM pg_constraint
    JOIN pg_attribute AS source ON source.attrelid = conrelid AND source.attnum = conkey[1]
    JOIN pg_attribute AS target ON target.attrelid = confrelid AND target.attnum = confkey[1]
    WHERE contype = 'f' AND conrelid = $1::text::regclass
"""
POSTGRES_GUARDS = "SELECT conname AS name FROM pg_constraint WHERE contype = 'c' AND conrelid = $1::text::regclass"

SQLITE_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
SQLITE_GUARDS = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?"


@dataclass(frozen=True)
class Table:
    columns: Mapping[str, bool]  # nullable?
    indexes: frozenset[IndexKey]
    foreign_keys: frozenset[ForeignKey]
    guards: frozenset[str] = frozenset()  # names of CHECKs, or of the triggers in their place


async def read_schema(client: BaseDBAsyncClient) -> dict[str, Table]:
    """Return the tables of a database without Tortoise's own and without search indexes."""
    postgres = client.capabilities.dialect == "postgres"
    names = await client.execute_query_dict(POSTGRES_TABLES if postgres else SQLITE_TABLES)
    read = _read_postgres if postgres else _read_sqlite
    return {row["name"]: await read(client, row["name"]) for row in names if row["name"] != "tortoise_migrations"}


async def _read_postgres(client: BaseDBAsyncClient, table: str) -> Table:
    columns = await client.execute_query_dict(POSTGRES_COLUMNS, [table])
    indexes = await client.execute_query_dict(POSTGRES_INDEXES, [table])
    foreign_keys = await client.execute_query_dict(POSTGRES_FOREIGN_KEYS, [table])
    guards = await client.execute_query_dict(POSTGRES_GUARDS, [table])
    return Table(
        columns={row["name"]: row["nullable"] for row in columns},
        indexes=frozenset((tuple(row["columns"]), row["is_unique"], row["partial"]) for row in indexes),
        foreign_keys=frozenset((row["column"], row["table"], row["target"], row["on_delete"]) for row in foreign_keys),
        guards=frozenset(row["name"] for row in guards),
    )


async def _read_sqlite(client: BaseDBAsyncClient, table: str) -> Table:
    columns = await client.execute_query_dict(f'PRAGMA table_info("{table}")')
    foreign_keys = await client.execute_query_dict(f'PRAGMA foreign_key_list("{table}")')
    guards = await client.execute_query_dict(SQLITE_GUARDS, [table])
    return Table(
        columns={row["name"]: not row["notnull"] for row in columns},
        indexes=frozenset(await _read_sqlite_indexes(client, table)),
        foreign_keys=frozenset((row["from"], row["table"], row["to"], row["on_delete"]) for row in foreign_keys),
        guards=frozenset(row["name"] for row in guards),
    )


async def _read_sqlite_indexes(client: BaseDBAsyncClient, table: str) -> list[IndexKey]:
    found: list[IndexKey] = []
    for index in await client.execute_query_dict(f'PRAGMA index_list("{table}")'):
        columns = await client.execute_query_dict(f'PRAGMA index_info("{index["name"]}")')
        found.append((tuple(row["name"] for row in columns), bool(index["unique"]), bool(index["partial"])))
    return found


def describe_models() -> dict[str, Table]:
    """Return the tables that the models describe, without what only migrations add."""
    apps = require_context().apps
    assert apps is not None
    return {model._meta.db_table: _describe(model) for model in apps["models"].values()}


def _describe(model: type[Model]) -> Table:
    meta = model._meta
    fields = {column: meta.fields_map[name] for name, column in meta.fields_db_projection.items()}
    uniques: list[tuple[str, ...]] = [(column,) for column, field in fields.items() if field.unique and not field.pk]
    uniques += [tuple(_column(model, name) for name in together) for together in meta.unique_together]
    plain = [tuple(_column(model, name) for name in _names(index)) for index in meta.indexes]
    return Table(
        columns={column: field.null for column, field in fields.items()},
        indexes=frozenset([(key, True, False) for key in uniques] + [(key, False, False) for key in plain]),
        foreign_keys=frozenset(_describe_foreign_key(model, name) for name in meta.fk_fields),
    )


# Any below: Tortoise's fields and indexes, whose types differ by what they hold.


def _names(index: Any) -> tuple[str, ...]:
    return tuple(getattr(index, "fields", index))


def _column(model: type[Model], name: str) -> str:
    return model._meta.fields_db_projection[model._meta.fields_map[name].source_field or name]


def _describe_foreign_key(model: type[Model], name: str) -> ForeignKey:
    field: Any = model._meta.fields_map[name]
    return (field.source_field, field.related_model._meta.db_table, "id", str(field.on_delete.value))
