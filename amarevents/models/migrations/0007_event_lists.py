"""Indexes for lists of the newest events, and the chosen options of answers."""

from typing import Any

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops
from tortoise.migrations.schema_editor import BaseSchemaEditor
from tortoise.migrations.schema_generator.state_apps import StateApps
from amarevents.models.columns import decode_json, encode_json

SEPARATOR = ", "
BATCH = 1_000


def split_options(value: str, options: Any) -> list[str] | None:  # Any: JSON
    """Return the options that were joined to a value, or None if it does not consist of options.

    Options may contain the separator, so a longer option is tried before those that it begins with.
    """
    text = value + SEPARATOR
    parts = sorted((option + SEPARATOR for option in options), key=len, reverse=True)
    chosen: dict[int, list[str]] = {len(text): []}  # by position: the options from there to the end
    for start in reversed(range(len(value))):
        for part in parts:
            if text.startswith(part, start) and start + len(part) in chosen:
                chosen[start] = [part.removesuffix(SEPARATOR), *chosen[start + len(part)]]
                break
    return chosen.get(0)


async def split_answers(apps: StateApps, editor: BaseSchemaEditor) -> None:
    """Store the options of existing answers to checkbox fields as a list (decisions 6.5).

    An answer whose options have been renamed or removed since is kept as one.
    """
    client = editor.client
    change = "UPDATE custom_values SET choices = {} WHERE id = {}".format(
        *(("$1", "$2") if client.capabilities.dialect == "postgres" else ("?", "?"))
    )
    last = 0
    while rows := await client.execute_query_dict(
        "SELECT custom_values.id, value, options FROM custom_values JOIN custom_fields ON custom_fields.id = field_id "
        f"WHERE type = 'checkbox' AND custom_values.id > {last} ORDER BY custom_values.id LIMIT {BATCH}"
    ):
        last = rows[-1]["id"]
        answers = [(split_options(row["value"], decode_json(row["options"])), row["id"]) for row in rows]
        await client.execute_many(change, [[encode_json(chosen), row_id] for chosen, row_id in answers if chosen])


class Migration(migrations.Migration):
    dependencies = [('models', '0006_holds')]

    initial = False

    operations = [
        ops.AddField(
            model_name='CustomValue',
            name='choices',
            field=fields.JSONField(null=True, encoder=encode_json, decoder=decode_json),
        ),
        ops.AddIndex(
            model_name='Event',
            index=Index(fields=['privacy', 'id']),
        ),
        ops.AddIndex(
            model_name='Event',
            index=Index(fields=['privacy', 'category', 'id']),
        ),
        ops.AddIndex(
            model_name='Event',
            index=Index(fields=['organization_id', 'privacy', 'id']),
        ),
        ops.RunPython(split_answers, ops.RunPython.noop),
    ]
