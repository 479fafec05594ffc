"""Loading of the benchmark's rows into a migrated database in bulk."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from pathlib import Path

import asyncpg

from benchmarks.dataset import Dataset, Row, Table

_ROWS_A_CHUNK = 5_000


async def load_postgres(url: str, dataset: Dataset) -> None:
    """Copy the tables, then set their sequences and gather statistics."""
    connection = await asyncpg.connect(url)
    try:
        for table in dataset.tables():
            await _copy(connection, table)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def _copy(connection: "asyncpg.Connection[asyncpg.Record]", table: Table) -> None:
    indexes = await connection.fetch(
        "SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index "
        "WHERE indrelid = $1::text::regclass AND NOT indisunique",
        table.name,
    )
    for index in indexes:  # they are built faster afterwards
        await connection.execute(f"DROP INDEX {index['name']}")
    await connection.copy_to_table(table.name, source=_chunks(table.rows), columns=table.columns.split())
    for index in indexes:
        await connection.execute(index["definition"])
    await connection.execute(
        f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), (SELECT max(id) FROM {table.name}))"
    )


async def _chunks(rows: Iterator[Row]) -> AsyncIterator[bytes]:
    while chunk := list(islice(rows, _ROWS_A_CHUNK)):
        yield "".join(_line(row) for row in chunk).encode()
        await asyncio.sleep(0)


def _line(row: Row) -> str:
    """Return a row in the text format of COPY; line ends are the only special character in the data."""
    return "\t".join("\\N" if value is None else str(value).replace("\n", "\\n") for value in row) + "\n"


def load_sqlite(path: Path, dataset: Dataset) -> None:
    """Insert the rows in one transaction, and gather statistics."""
    connection = sqlite3.connect(path)
    try:
        with connection:
            for table in dataset.tables():
                columns = table.columns.split()
                places = ", ".join("?" * len(columns))
                statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({places})"
                connection.executemany(statement, table.rows)
        connection.execute("ANALYZE")
    finally:
        connection.close()
