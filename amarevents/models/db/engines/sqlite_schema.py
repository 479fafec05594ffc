"""Schema changes for SQLite that keep indexes, triggers and constraints.

SQLite can alter little of a table in place, so Tortoise creates a new table, copies the rows and replaces the old one.
The indexes, triggers and multi-column UNIQUE constraints of the old table are lost.
"""

import logging
from collections.abc import Sequence
from typing import Any

from tortoise.fields.base import Field
from tortoise.migrations.schema_editor import SqliteSchemaEditor
from tortoise.models import Model

from amarevents.models.db.engines.sqlite import split_script

logger = logging.getLogger(__name__)

AnyField = Field[Any]  # Any: fields have values of any type
Columns = tuple[str, ...]
Row = dict[str, Any]  # Any: values of SQLite's catalogue


class LosslessSqliteSchemaEditor(SqliteSchemaEditor):
    """Tortoise's schema editor, which restores what is lost when a table is replaced."""

    async def _run_sql(self, sql: str) -> None:
        # Tortoise would split at every semicolon, even in comments.
        for statement in split_script(sql):
            await self.client.execute_query(statement)

    async def _remake_table(
        self,
        model: type[Model],
        create_field: AnyField | None = None,
        delete_field: AnyField | None = None,
        alter_fields: Sequence[tuple[AnyField, AnyField]] | None = None,
    ) -> None:
        table = model._meta.db_table  # noqa: SLF001 - Tortoise has no public name for it
        indexes, triggers, uniques = await self._indexes(table), await self._triggers(table), await self._uniques(table)
        await super()._remake_table(model, create_field, delete_field, alter_fields)
        dropped = {(_column(old),) for old, new in alter_fields or () if old.unique and not new.unique}
        for columns in sorted(uniques - await self._uniques(table) - dropped):
            name = self._get_unique_constraint_name(model, list(columns))
            indexes[f'CREATE UNIQUE INDEX "{name}" ON "{table}" ({self._format_index_fields(list(columns))})'] = columns
        await self._restore(table, indexes, triggers)

    async def _restore(self, table: str, indexes: dict[str, Columns], triggers: list[str]) -> None:
        present = {row["name"] for row in await self._rows(f'PRAGMA table_info("{table}")')}
        for statement, columns in indexes.items():
            if present.issuperset(columns):
                await self.client.execute_query(statement)
            else:
                logger.info("Dropped an index of %s together with one of its columns: %s", table, statement)
        for statement in triggers:
            await self.client.execute_query(statement)

    async def _indexes(self, table: str) -> dict[str, Columns]:
        """Return the CREATE INDEX statements of a table with the columns of each."""
        definitions = await self._definitions("index", table)
        return {row["sql"]: await self._columns(row["name"]) for row in definitions}

    async def _triggers(self, table: str) -> list[str]:
        return [row["sql"] for row in await self._definitions("trigger", table)]

    async def _uniques(self, table: str) -> set[Columns]:
        """Return the columns of the UNIQUE constraints, which have no statements of their own."""
        indexes = await self._rows(f'PRAGMA index_list("{table}")')
        return {await self._columns(row["name"]) for row in indexes if row["origin"] == "u"}

    async def _columns(self, index: str) -> Columns:
        columns = await self._rows(f'PRAGMA index_info("{index}")')
        return tuple(row["name"] for row in columns if row["name"] is not None)  # None: an expression

    async def _definitions(self, kind: str, table: str) -> list[Row]:
        return await self._rows(
            "SELECT name, sql FROM sqlite_master WHERE type = ? AND tbl_name = ? AND sql IS NOT NULL ORDER BY name",
            [kind, table],
        )

    async def _rows(self, query: str, values: list[str] | None = None) -> list[Row]:
        return await self.client.execute_query_dict(query, values)


def _column(field: AnyField) -> str:
    return field.source_field or field.model_field_name
