"""Answers of earlier versions that an idempotency key repeats get the fields that are new (decisions 6.11)."""

import json
from typing import Any

from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.migrations.schema_editor import BaseSchemaEditor
from tortoise.migrations.schema_generator.state_apps import StateApps

BATCH = 1_000

Answer = dict[str, Any]  # Any: JSON
# By (ticket, field): the options chosen in a checkbox field; by ticket: when its hold ends.
Choices = dict[tuple[int, int], list[str]]
Holds = dict[int, str]


def is_ticket(answer: Answer) -> bool:
    return {"code", "event_id", "transaction_id"} <= answer.keys()


def completed(answer: Answer, choices: Choices, holds: Holds) -> Answer:
    """Return an answer with the fields that tickets and events have got since; other answers have got none."""
    if is_ticket(answer):
        fields = [
            {**field, "values": choices.get((answer["id"], field["field_id"])) or [field["value"]]}
            for field in answer["custom_fields"]
        ]
        # What a ticket cost when it was issued is not known: as in 0005_payments, it is what was paid.
        new = {"due": answer["amount"], "transid": answer["transaction_id"], "expires_at": holds.get(answer["id"])}
        return {**new, **answer, "custom_fields": fields}
    if "emailtitle" in answer:
        return {"hold_minutes": None, "places_per_account": None, **answer}
    return answer


async def complete_answers(apps: StateApps, editor: BaseSchemaEditor) -> None:
    """Complete the answers, and mark the records by an empty fingerprint.

    Fingerprints are those of the validated request, which earlier versions normalized otherwise.
    """
    client, last = editor.client, 0
    marks = ("$1", "$2") if client.capabilities.dialect == "postgres" else ("?", "?")
    update = "UPDATE idempotency_records SET fingerprint = '', answer = {} WHERE id = {}".format(*marks)
    while rows := await client.execute_query_dict(
        f"SELECT id, answer FROM idempotency_records WHERE id > {last} AND answer IS NOT NULL ORDER BY id LIMIT {BATCH}"
    ):
        last = rows[-1]["id"]
        answers = {row["id"]: json.loads(row["answer"]) for row in rows}
        tickets = [answer["id"] for answer in answers.values() if is_ticket(answer)]
        choices, holds = await read_choices(apps, editor, tickets), await read_holds(apps, editor, tickets)
        values = [[json.dumps(completed(answer, choices, holds)), row_id] for row_id, answer in answers.items()]
        await client.execute_many(update, values)


async def read_choices(apps: StateApps, editor: BaseSchemaEditor, tickets: list[int]) -> Choices:
    found = apps.get_model("models.CustomValue").filter(ticket_id__in=tickets, choices__isnull=False)
    rows = await found.using_db(editor.client).values("ticket_id", "field_id", "choices")
    return {(row["ticket_id"], row["field_id"]): row["choices"] for row in rows}


async def read_holds(apps: StateApps, editor: BaseSchemaEditor, tickets: list[int]) -> Holds:
    found = apps.get_model("models.Ticket").filter(id__in=tickets, hold_expires_at__isnull=False)
    rows = await found.using_db(editor.client).values("id", "hold_expires_at")
    return {row["id"]: row["hold_expires_at"].isoformat() for row in rows}


class Migration(migrations.Migration):
    dependencies = [('models', '0008_password_resets')]

    initial = False

    operations = [ops.RunPython(complete_answers, ops.RunPython.noop)]
