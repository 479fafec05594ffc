"""Holds of unpaid places, and the limit of places per account."""

import datetime
import os

from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.migrations.schema_editor import BaseSchemaEditor
from tortoise.migrations.schema_generator.state_apps import StateApps
from amarevents.models.columns import utc_now
from tortoise import fields
from tortoise.indexes import Index


async def start_holds(apps: StateApps, editor: BaseSchemaEditor) -> None:
    """Start the holds of existing unpaid tickets now, so that an upgrade does not end them without a warning.

    Like those of new tickets they last ``AMAREVENTS_HOLD_MINUTES``; with 0, existing tickets never expire.
    """
    minutes = int(os.environ.get("AMAREVENTS_HOLD_MINUTES") or 1440)
    if minutes:
        unpaid = apps.get_model("models.Ticket").filter(status="Pending", transaction_id__isnull=True, amount__gt=0)
        end = utc_now() + datetime.timedelta(minutes=minutes)
        await unpaid.using_db(editor.client).update(hold_expires_at=end)


# The few tickets that can expire: those of the platform, and those of an event.
INDEXES = {
    "ix_tickets_hold_expires_at": "status, hold_expires_at",
    "ix_tickets_event_hold": "event_id, status, hold_expires_at",
}


async def add_indexes(apps: StateApps, editor: BaseSchemaEditor) -> None:
    for name, columns in INDEXES.items():
        await editor.client.execute_query(
            f"CREATE INDEX {name} ON tickets ({columns}) WHERE hold_expires_at IS NOT NULL"
        )


async def remove_indexes(apps: StateApps, editor: BaseSchemaEditor) -> None:
    for name in INDEXES:
        await editor.client.execute_query(f"DROP INDEX {name}")


class Migration(migrations.Migration):
    dependencies = [('models', '0005_payments')]

    initial = False

    operations = [
        ops.AddField(
            model_name='Event',
            name='hold_minutes',
            field=fields.IntField(null=True),
        ),
        ops.AddField(
            model_name='Event',
            name='places_per_account',
            field=fields.IntField(null=True),
        ),
        ops.AddField(
            model_name='Ticket',
            name='hold_expires_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddIndex(
            model_name='Ticket',
            index=Index(fields=['user_id', 'event_id']),
        ),
        ops.RunPython(start_holds, ops.RunPython.noop),
        ops.RunPython(add_indexes, remove_indexes),
    ]
