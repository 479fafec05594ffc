"""The migration of the answers that idempotency keys repeat: they get the fields that are new (decisions 6.11)."""

import json

import pytest

from amarevents.models import IdempotencyRecord, Ticket
from amarevents.models.db.migrate import migrate
from amarevents.settings import Settings
from tests.models.conftest import connected
from tests.models.db.test_answer_migration import AT, ROWS
from tests.support.typed_rows import fill_older_database

pytestmark = pytest.mark.anyio

MEALS = {"field_id": 1, "name": "Meals", "value": "মাছ, Rice"}
COMPANY = {"field_id": 4, "name": "Company", "value": "Rice, dal"}
PAID = {"code": "c1", "event_id": 1, "amount": "0.00", "transaction_id": "A1", "custom_fields": [MEALS, COMPANY]}
UNPAID = {"code": "c5", "event_id": 1, "amount": "250.50", "transaction_id": None, "custom_fields": []}
ANSWERS = [
    {"id": 1, **PAID},
    {"id": 5, **UNPAID},
    {"id": 99, **PAID},  # the ticket has been deleted since
    {"id": 1, "name": "Concert", "emailtitle": None},
    {"id": 1, "email": "d@example.org", "amount": 5, "transaction_id": "DN-77"},
]
RECORDS = "".join(
    f"INSERT INTO idempotency_records (id, digest, fingerprint, answer, created_at)"
    f"VALUES ({number}, 'digest {number}', 'earlier', '{json.dumps(answer)}', {AT});"
    for number, answer in enumerate(ANSWERS, start=1)
)
UNPAID_TICKET = f"""
INSERT INTO tickets (id, code, event_id, user_id, name, email, amount, status, created_at, updated_at)
VALUES (5, 'c5', 1, 1, 'x', 'x@example.org', '250.50', 'Pending', {AT}, {AT});
"""


async def test_answers_get_the_new_fields_and_lose_their_fingerprint(empty: Settings) -> None:
    await fill_older_database(empty, ROWS + UNPAID_TICKET + RECORDS)
    await migrate(empty)
    async with connected(empty):
        records = await IdempotencyRecord.all().order_by("id")
        expires_at = (await Ticket.get(id=5)).hold_expires_at
    company = {**COMPANY, "values": ["Rice, dal"]}
    fields = [{**MEALS, "values": ["মাছ", "Rice"]}, company]
    deleted = [{**MEALS, "values": ["মাছ, Rice"]}, company]
    assert expires_at is not None
    assert {record.fingerprint for record in records} == {""}
    assert [json.loads(record.answer or "") for record in records] == [
        {**ANSWERS[0], "due": "0.00", "transid": "A1", "expires_at": None, "custom_fields": fields},
        {**ANSWERS[1], "due": "250.50", "transid": None, "expires_at": expires_at.isoformat()},
        {**ANSWERS[2], "due": "0.00", "transid": "A1", "expires_at": None, "custom_fields": deleted},
        {**ANSWERS[3], "hold_minutes": None, "places_per_account": None},
        ANSWERS[4],
    ]
