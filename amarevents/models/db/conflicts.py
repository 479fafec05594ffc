"""Rows that a migration would make equal although they must differ, so that a person has to change one of them.

``migrate`` refuses to start while there are such conflicts, and ``amarevents doctor --before-migrating`` lists them. To
add one, write a check that reads the schema before its migration, and name it in ``CHECKS``.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient

from amarevents.models.db.unclaimed_payments import unclaimed_payments
from amarevents.text import email_key, fold

_FIRST_MIGRATION = "0001_initial"


@dataclass(frozen=True, slots=True)
class ConflictingRow:
    """A row with the value that it shares with others; ``noun`` says what it is, such as ``ticket``."""

    noun: str
    id: int
    value: str

    def __str__(self) -> str:
        return f"{self.noun} {self.id} ({self.value})"


@dataclass(frozen=True, slots=True)
class Conflict:
    """Rows that must differ in what ``kind`` names, such as ``usernames``, but no longer would."""

    kind: str
    rows: tuple[ConflictingRow, ...]

    def __str__(self) -> str:
        return f"{self.kind}: {', '.join(map(str, self.rows))}"


Check = Callable[[BaseDBAsyncClient], Awaitable[list[Conflict]]]


def equal_rows(kind: str, rows: Iterable[tuple[object, ConflictingRow]]) -> list[Conflict]:
    """Return a conflict for each key that several rows have; ``rows`` are pairs of a key and its row."""
    by_key: dict[object, list[ConflictingRow]] = defaultdict(list)
    for key, row in rows:
        by_key[key].append(row)
    return [Conflict(kind, tuple(equal)) for equal in by_key.values() if len(equal) > 1]


async def find_conflicts(client: BaseDBAsyncClient, unapplied: Collection[str]) -> list[Conflict]:
    """Return what prevents the migrations ``unapplied``, in a database that has all earlier ones."""
    if _FIRST_MIGRATION in unapplied:
        return []  # there are no tables
    checks = [check for name in unapplied for check in CHECKS.get(name, ())]
    return [conflict for check in checks for conflict in await check(client)]


async def _equal_usernames(client: BaseDBAsyncClient) -> list[Conflict]:
    rows = await client.execute_query_dict("SELECT id, username FROM users ORDER BY id")
    users = [ConflictingRow("user", row["id"], row["username"]) for row in rows]
    return equal_rows("usernames", ((fold(user.value), user) for user in users))


async def _equal_emails(client: BaseDBAsyncClient) -> list[Conflict]:
    rows = await client.execute_query_dict("SELECT id, email FROM users ORDER BY id")
    users = [ConflictingRow("user", row["id"], row["email"]) for row in rows]
    return equal_rows("email addresses", ((email_key(user.value), user) for user in users))


async def _equal_plan_names(client: BaseDBAsyncClient) -> list[Conflict]:
    rows = await client.execute_query_dict("SELECT id, name FROM plans ORDER BY id")
    plans = [ConflictingRow("plan", row["id"], row["name"]) for row in rows]
    return equal_rows("names of plans", ((fold(plan.value), plan) for plan in plans))


async def _equal_field_names(client: BaseDBAsyncClient) -> list[Conflict]:
    rows = await client.execute_query_dict("SELECT id, event_id, name FROM custom_fields ORDER BY id")
    fields = [(row["event_id"], ConflictingRow("custom field", row["id"], row["name"])) for row in rows]
    return equal_rows(
        "custom fields of an event", (((event_id, fold(field.value)), field) for event_id, field in fields)
    )


async def _equal_options(client: BaseDBAsyncClient) -> list[Conflict]:
    rows = await client.execute_query_dict("SELECT id, options FROM custom_fields ORDER BY id")
    options = [
        ConflictingRow("custom field", row["id"], option) for row in rows for option in orjson.loads(row["options"])
    ]
    return equal_rows("options of a custom field", (((one.id, fold(one.value)), one) for one in options))


async def _equal_transaction_ids(client: BaseDBAsyncClient) -> list[Conflict]:
    payments = [payment async for batch in unclaimed_payments(client) for payment in batch]
    rows = [((one.scope, one.key), ConflictingRow(one.noun, one.id, one.transaction_id)) for one in payments]
    return equal_rows("transaction IDs of payments to an organization or the platform", rows)


CHECKS: dict[str, tuple[Check, ...]] = {
    "0004_text": (_equal_usernames, _equal_emails, _equal_plan_names, _equal_field_names, _equal_options),
    "0005_payments": (_equal_transaction_ids,),
}
"""The checks of each migration, by its name. They must read only what the schema before it has."""
