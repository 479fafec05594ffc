"""Changes of SQLite's schema without losses.

SQLite can change little of a table in place, so Tortoise builds a new one, copies the rows and puts it in place of the
old one. With the old one go its indexes, its triggers and its UNIQUE constraints over several columns.
"""

import logging
from collections.abc import Sequence
from typing import Any

from tortoise.fields.base import Field
from tortoise.migrations.schema_editor import SqliteSchemaEditor
from tortoise.models import Model

from amarevents.models.db.engines.sqlite import split_script

logger = logging.getLogger(__name__)

AnyField = Field[Any]  # Any: a field of whatever type of value
Columns = tuple[str, ...]


class LosslessSqliteSchemaEditor(SqliteSchemaEditor):
    """Tortoise's editor, which puts back what the rebuilding of a table drops."""

    async def _run_sql(self, sql: str) -> None:
        # Tortoise would split at every semicolon, those in comments included.
        for statement in split_script(sql):
            await self.client.execute_query(statement)

    async def _remake_table(
        self,
        model: type[Model],
        create_field: AnyField | None = None,
        delete_field: AnyField | None = None,
        alter_fields: Sequence[tuple[AnyField, AnyField]] | None = None,
    ) -> None:
        table = model._meta.db_table  # noqa: SLF001 - the name that Tortoise uses for it
        indexes, triggers, uniques = await self._indexes(table), await self._triggers(table), await self._uniques(table)
        await super()._remake_table(model, create_field, delete_field, alter_fields)
        given_up = {(_column(old),) for old, new in alter_fields or () if old.unique and not new.unique}
        for columns in sorted(uniques - await self._uniques(table) - given_up):
            name = self._get_unique_constraint_name(model, list(columns))
            indexes[f'CREATE UNIQUE INDEX "{name}" ON "{table}" ({self._format_index_fields(list(columns))})'] = columns
        await self._restore(table, indexes, triggers)

    async def _restore(self, table: str, indexes: dict[str, Columns], triggers: list[str]) -> None:
        present = {row["name"] for row in await self._rows(f'PRAGMA table_info("{table}")')}
        for statement, columns in indexes.items():
            if present.issuperset(columns):
                await self.client.execute_query(statement)
            else:
                logger.info("An index of %s goes with a column of it: %s", table, statement)
        for statement in triggers:
            await self.client.execute_query(statement)

    async def _indexes(self, table: str) -> dict[str, Columns]:
        """The statements that made the indexes, with the columns that each needs."""
        made = await self._made("index", table)
        return {row["sql"]: await self._columns(row["name"]) for row in made}

    async def _triggers(self, table: str) -> list[str]:
        return [row["sql"] for row in await self._made("trigger", table)]

    async def _uniques(self, table: str) -> set[Columns]:
        """The columns of the UNIQUE constraints, which are part of the table and have no statement of their own."""
        indexes = await self._rows(f'PRAGMA index_list("{table}")')
        return {await self._columns(row["name"]) for row in indexes if row["origin"] == "u"}

    async def _columns(self, index: str) -> Columns:
        columns = await self._rows(f'PRAGMA index_info("{index}")')
        return tuple(row["name"] for row in columns if row["name"] is not None)  # None: an expression

    async def _made(self, kind: str, table: str) -> list[dict[str, Any]]:
        return await self._rows(
            "SELECT name, sql FROM sqlite_master WHERE type = ? AND tbl_name = ? AND sql IS NOT NULL ORDER BY name",
            [kind, table],
        )

    async def _rows(self, query: str, values: list[str] | None = None) -> list[dict[str, Any]]:
        return await self.client.execute_query_dict(query, values)


def _column(field: AnyField) -> str:
    return field.source_field or field.model_field_name
