"""What is due for tickets, and payment claims, by which a transaction pays once."""

from decimal import Decimal

from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.migrations.schema_editor import BaseSchemaEditor
from tortoise.migrations.schema_generator.state_apps import StateApps
from amarevents.models.db.unclaimed_payments import unclaimed_payments
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index

# The indexes that payment claims replace.
UNIQUE_UNDER_CONDITION = {
    "uq_tickets_transaction_id": "tickets (transaction_id) WHERE status <> 'Failed' AND transaction_id IS NOT NULL",
    "uq_donations_transaction_id": "donations (type, transaction_id) WHERE status <> 'rejected'",
}


async def fill_due(apps: StateApps, editor: BaseSchemaEditor) -> None:
    """Take the amounts of existing tickets as due: what they cost when they were issued is not known.

    They were issued for no less than the price, so this makes no new debts.
    """
    await editor.client.execute_query("UPDATE tickets SET due = amount")


async def fill_claims(apps: StateApps, editor: BaseSchemaEditor) -> None:
    """Claim the transactions of existing tickets and donations; ``conflicts`` refuses those that would pay twice."""
    claim = apps.get_model("models.PaymentClaim")
    async for batch in unclaimed_payments(editor.client):
        rows = [
            claim(scope=payment.scope, transaction_key=payment.key, **{f"{payment.noun}_id": payment.id})
            for payment in batch
        ]
        await claim.bulk_create(rows, using_db=editor.client)


async def drop_partial_indexes(apps: StateApps, editor: BaseSchemaEditor) -> None:
    for name in UNIQUE_UNDER_CONDITION:
        await editor.client.execute_query(f"DROP INDEX {name}")


async def add_partial_indexes(apps: StateApps, editor: BaseSchemaEditor) -> None:
    for name, definition in UNIQUE_UNDER_CONDITION.items():
        await editor.client.execute_query(f"CREATE UNIQUE INDEX {name} ON {definition}")


class Migration(migrations.Migration):
    dependencies = [('models', '0004_text')]

    initial = False

    operations = [
        ops.AddField(
            model_name='Ticket',
            name='due',
            field=fields.DecimalField(default=Decimal('0'), db_default=Decimal('0'), max_digits=14, decimal_places=2),
        ),
        ops.RunPython(fill_due, ops.RunPython.noop),
        ops.CreateModel(
            name='PaymentClaim',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('scope', fields.IntField()),
                ('transaction_key', fields.CharField(max_length=255)),
                ('ticket', fields.ForeignKeyField('models.Ticket', source_field='ticket_id', null=True, db_constraint=True, to_field='id', related_name='payment_claims', on_delete=OnDelete.CASCADE)),
                ('donation', fields.ForeignKeyField('models.Donation', source_field='donation_id', null=True, db_constraint=True, to_field='id', related_name='payment_claims', on_delete=OnDelete.CASCADE)),
            ],
            options={'table': 'payment_claims', 'app': 'models', 'unique_together': [('scope', 'transaction_key')], 'indexes': [Index(fields=['ticket_id']), Index(fields=['donation_id'])], 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.RunPython(fill_claims, ops.RunPython.noop),
        ops.RunPython(drop_partial_indexes, add_partial_indexes),
    ]
