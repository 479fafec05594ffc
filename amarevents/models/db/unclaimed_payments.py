"""The payments of a database that has no payment claims yet, for the fifth migration and the check before it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from tortoise.backends.base.client import BaseDBAsyncClient

from amarevents.models.payment_claims import PLATFORM, transaction_key

_BATCH = 5000

# noun: the tickets and donations that a transaction has paid for. SQLite stores amounts as text.
_PAYMENTS = {
    "ticket": """
        SELECT tickets.id, events.organization_id AS organization_id, tickets.transaction_id
        FROM tickets JOIN events ON events.id = tickets.event_id
        WHERE tickets.id > {last} AND tickets.status <> 'Failed' AND tickets.transaction_id IS NOT NULL
            AND CAST(tickets.amount AS REAL) > 0
        ORDER BY tickets.id LIMIT {batch}
    """,
    "donation": """
        SELECT id, organization_id, transaction_id FROM donations
        WHERE id > {last} AND status <> 'rejected' ORDER BY id LIMIT {batch}
    """,
}


@dataclass(frozen=True, slots=True)
class UnclaimedPayment:
    """A ticket or donation with the transaction that it is to claim; ``noun`` says which of the two it is."""

    noun: str
    id: int
    transaction_id: str
    scope: int

    @property
    def key(self) -> str:
        return transaction_key(self.transaction_id)


async def unclaimed_payments(client: BaseDBAsyncClient) -> AsyncIterator[list[UnclaimedPayment]]:
    """Yield the payments whose transaction IDs have something to compare, in batches."""
    for noun, query in _PAYMENTS.items():
        last = 0
        while rows := await client.execute_query_dict(query.format(last=last, batch=_BATCH)):
            last = rows[-1]["id"]
            found = [
                UnclaimedPayment(noun, row["id"], row["transaction_id"], row["organization_id"] or PLATFORM)
                for row in rows
            ]
            yield [payment for payment in found if payment.key]
