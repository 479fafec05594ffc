"""Changes of the statements that write a new ticket, such as without a guard, for negative controls."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from amarevents.models import booking
from amarevents.models.db.sql import Sql, dialect, execute


@asynccontextmanager
async def changed_booking(replacements: dict[str, str]) -> AsyncIterator[None]:
    """Replace these parts of the statements, and on PostgreSQL of the function, while the block runs."""
    statements = {name: text for name, text in vars(booking).items() if name.isupper() and isinstance(text, str)}
    with pytest.MonkeyPatch.context() as patch:
        for name, text in statements.items():
            patch.setattr(booking, name, _replaced(text, replacements))
        await _create_function(_replaced(booking.function(), replacements))
        try:
            yield
        finally:
            patch.undo()
            await _create_function(booking.function())


def _replaced(text: str, replacements: dict[str, str]) -> str:
    for old, new in replacements.items():
        text = text.replace(old, new)
    return text


async def _create_function(definition: str) -> None:
    if dialect() == "postgres":
        await execute(Sql(definition))
