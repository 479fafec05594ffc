"""The migration of unpaid tickets: their holds begin with the migration, so that no ticket fails at once."""

import datetime
from collections.abc import Callable

import pytest

from amarevents.models import Ticket
from amarevents.models.columns import utc_now
from amarevents.models.db.migrate import migrate
from amarevents.settings import Settings
from tests.models.conftest import connected
from tests.models.db.test_migrated_rows import FIRST_MIGRATION, FIRST_ROWS
from tests.support.migrations import MIGRATION_NAMES

pytestmark = pytest.mark.anyio

AT = "'2026-01-01 00:00:00+00:00'"
TICKETS = f"""
INSERT INTO tickets (id, code, event_id, user_id, ticket_type_id, name, email, amount, status, transaction_id,
                     created_at, updated_at)
VALUES (11, 'unpaid', 1, 1, NULL, 'x', 'x@example.org', '250.50', 'Pending', NULL, {AT}, {AT}),
       (12, 'paid', 1, 1, NULL, 'x', 'x@example.org', '250.50', 'Pending', 'A1', {AT}, {AT}),
       (13, 'free', 1, 1, NULL, 'x', 'x@example.org', '0', 'Pending', NULL, {AT}, {AT}),
       (14, 'failed', 1, 1, NULL, 'x', 'x@example.org', '250.50', 'Failed', NULL, {AT}, {AT});
"""


async def migrated_holds(empty: Settings, write_package: Callable[..., str]) -> dict[str, datetime.datetime]:
    """Return when the holds end of tickets of the first version that have been migrated, by their code."""
    await migrate(empty, migrations=write_package(**{MIGRATION_NAMES[0]: FIRST_MIGRATION}))
    async with connected(empty) as client:
        await client.execute_script(FIRST_ROWS.format(at=AT) + TICKETS)
    await migrate(empty)
    async with connected(empty):
        tickets = await Ticket.filter(hold_expires_at__isnull=False)
    return {ticket.code: ticket.hold_expires_at for ticket in tickets if ticket.hold_expires_at is not None}


@pytest.mark.parametrize(("setting", "minutes"), [("", 1440), ("90", 90)])
async def test_holds_of_unpaid_tickets_begin_with_the_migration(
    empty: Settings,
    write_package: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    minutes: int,
) -> None:
    monkeypatch.setenv("AMAREVENTS_HOLD_MINUTES", setting)
    hold, before = datetime.timedelta(minutes=minutes), utc_now()
    holds = await migrated_holds(empty, write_package)
    assert holds.keys() == {"unpaid"}
    assert before + hold <= holds["unpaid"] <= utc_now() + hold


async def test_no_hold_begins_if_they_are_switched_off(
    empty: Settings, write_package: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMAREVENTS_HOLD_MINUTES", "0")
    assert await migrated_holds(empty, write_package) == {}
