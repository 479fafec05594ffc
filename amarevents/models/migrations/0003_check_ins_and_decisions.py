"""Check-ins, and the time and reason of decisions about payments."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.migrations.schema_editor import BaseSchemaEditor
from tortoise.migrations.schema_generator.state_apps import StateApps
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index


async def add_guard(apps: StateApps, editor: BaseSchemaEditor) -> None:
    """Prevent a second check-in of a ticket."""
    await editor.client.execute_query(
        "CREATE UNIQUE INDEX uq_check_ins_ticket_id ON check_ins (ticket_id) WHERE undone_at IS NULL"
    )


async def remove_guard(apps: StateApps, editor: BaseSchemaEditor) -> None:
    await editor.client.execute_query("DROP INDEX uq_check_ins_ticket_id")


class Migration(migrations.Migration):
    dependencies = [('models', '0002_mail_and_lists')]

    initial = False

    operations = [
        ops.CreateModel(
            name='CheckIn',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('ticket', fields.ForeignKeyField('models.Ticket', source_field='ticket_id', db_constraint=True, to_field='id', related_name='check_ins', on_delete=OnDelete.CASCADE)),
                ('event_id', fields.IntField()),
                ('gate', fields.CharField(null=True, max_length=255)),
                ('scan_id', fields.CharField(null=True, max_length=255)),
                ('checked_in_by', fields.ForeignKeyField('models.User', source_field='checked_in_by_id', null=True, db_constraint=True, to_field='id', related_name='check_ins', on_delete=OnDelete.SET_NULL)),
                ('checked_in_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('undone_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'check_ins', 'app': 'models', 'unique_together': [('event_id', 'scan_id')], 'indexes': [Index(fields=['ticket_id']), Index(fields=['checked_in_by_id'])], 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='Ticket',
            name='decided_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Ticket',
            name='decision_reason',
            field=fields.CharField(null=True, max_length=255),
        ),
        ops.RunPython(add_guard, remove_guard),
    ]
