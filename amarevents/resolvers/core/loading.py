"""Loading of models, for rows that are about to be changed; everything else is read as views."""

from typing import TypeVar

from tortoise.models import Model

from amarevents.models.db.sql import Row, Sql, fetch

M = TypeVar("M", bound=Model)
ParentT = TypeVar("ParentT", bound=Model)


async def load_with_parent(model: type[M], parent: type[ParentT], key: str, condition: Sql) -> list[tuple[M, ParentT]]:
    """Return instances of a model, which are about to be changed, each with the one that its column ``key`` refers to.

    ``condition`` is on columns of the table of ``model``.
    """
    (columns, table), (parent_columns, parent_table) = _columns(model), _columns(parent)
    tables = f"{table} JOIN {parent_table} ON {parent_table}.id = {table}.{key}"
    text = f"SELECT {columns}, {parent_columns} FROM {tables} WHERE {condition.text}"
    length = len(model._meta.db_fields)  # noqa: SLF001 - see _columns
    rows = await fetch(Sql(text, condition.values))
    return [(_instance(model, row[:length]), _instance(parent, row[length:])) for row in map(tuple, rows)]


def _columns(model: type[Model]) -> tuple[str, str]:
    """Return the columns of a model and its table, as statements write them."""
    meta = model._meta  # noqa: SLF001 - Tortoise has no public name for the table of a model
    return ", ".join(f'{meta.db_table}."{column}"' for column in meta.db_fields), meta.db_table


def _instance(model: type[M], row: Row) -> M:
    return model._init_from_db(**dict(zip(model._meta.db_fields, row, strict=True)))  # noqa: SLF001 - as its queries do
