"""The statements that write a new ticket, and their function on PostgreSQL."""

import re

import pytest

from amarevents.models import booking
from amarevents.settings import Settings
from tests.models.conftest import connected

pytestmark = pytest.mark.anyio

BODY = re.compile(r"\$\$(.*)\$\$", re.DOTALL)


@pytest.mark.backend("postgres")
async def test_migrated_function_executes_the_statements_of_this_version(migrated: Settings) -> None:
    """A changed statement needs a migration that creates the function again."""
    async with connected(migrated) as client:
        [function] = await client.execute_query_dict(
            f"SELECT prosrc, pronargs, provolatile FROM pg_proc WHERE proname = '{booking.FUNCTION}'"
        )
    current = BODY.search(booking.function())
    assert current is not None
    assert function["prosrc"] == current[1]
    assert function["pronargs"] == len(booking.PARAMETERS)
    assert function["provolatile"] == b"v"  # each of its statements sees what others have committed before it


def test_place_is_claimed_by_the_last_statement() -> None:
    """The row of a ticket type is locked after everything else (docs/architecture.md, lock order)."""
    text = booking.function()
    steps = ["FOR NO KEY UPDATE", *(f"INSERT INTO {table}" for table in ("tickets", "payment_claims"))]
    positions = [text.index(step) for step in (*steps, "UPDATE ticket_types")]
    assert positions == sorted(positions)
    assert text.rindex("INSERT INTO") < positions[-1]


def test_statements_are_bound_to_values_in_their_order() -> None:
    statement = booking.bind("UPDATE x SET a = :b WHERE c = :d AND e = :b", {"b": 1, "d": 2})
    assert (statement.text, statement.values) == ("UPDATE x SET a = ? WHERE c = ? AND e = ?", (1, 2, 1))
