"""The initial schema, with constraints and indexes that the models cannot express."""

import datetime
import logging
from tortoise import migrations
from tortoise.migrations import operations as ops
from amarevents.models.enums import AccountType, Category, DonationStatus, FieldType, KeyType, PaymentMethod, Privacy, TicketStatus
from amarevents.models.columns import decode_json, encode_json, utc_now
from decimal import Decimal
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index
from tortoise.exceptions import OperationalError
from tortoise.migrations.schema_editor import BaseSchemaEditor
from tortoise.migrations.schema_generator.state_apps import StateApps

log = logging.getLogger("amarevents.models.migrations")

# name: (table, CHECK condition); {row} is replaced by the prefix that columns need in a trigger
BOUNDS = {
    # decisions 6.2
    "ck_ticket_types_sold": (
        "ticket_types",
        "{row}capacity >= 0 AND {row}sold >= 0 AND ({row}capacity = 0 OR {row}sold <= {row}capacity)",
    ),
    # decisions 4.4
    "ck_organizations_events_used": ("organizations", "{row}events_used >= 0"),
}

UNIQUE_UNDER_CONDITION = {
    # decisions 6.6
    "uq_tickets_transaction_id": "tickets (transaction_id) WHERE status <> 'Failed' AND transaction_id IS NOT NULL",
    # decisions 7.2
    "uq_donations_transaction_id": "donations (type, transaction_id) WHERE status <> 'rejected'",
}

SEARCHED = ("events", "organizations")


async def add_bounds(apps: StateApps, editor: BaseSchemaEditor) -> None:
    for name, (table, condition) in BOUNDS.items():
        if editor.client.capabilities.dialect == "postgres":
            check = condition.format(row="")
            await editor.client.execute_query(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({check})")
        else:
            await add_triggers(editor, name, table, condition.format(row="NEW."))


async def add_triggers(editor: BaseSchemaEditor, name: str, table: str, condition: str) -> None:
    """Add triggers that work like a CHECK, which SQLite cannot add to an existing table."""
    for event in ("INSERT", "UPDATE"):
        await editor.client.execute_query(
            f"CREATE TRIGGER {name}_{event.lower()} BEFORE {event} ON {table} WHEN NOT ({condition}) "
            f"BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: {name}'); END"
        )


async def remove_bounds(apps: StateApps, editor: BaseSchemaEditor) -> None:
    for name, (table, _) in BOUNDS.items():
        if editor.client.capabilities.dialect == "postgres":
            await editor.client.execute_query(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        else:
            await editor.client.execute_query(f"DROP TRIGGER {name}_insert")
            await editor.client.execute_query(f"DROP TRIGGER {name}_update")


async def add_partial_indexes(apps: StateApps, editor: BaseSchemaEditor) -> None:
    for name, definition in UNIQUE_UNDER_CONDITION.items():
        await editor.client.execute_query(f"CREATE UNIQUE INDEX {name} ON {definition}")


async def remove_partial_indexes(apps: StateApps, editor: BaseSchemaEditor) -> None:
    for name in UNIQUE_UNDER_CONDITION:
        await editor.client.execute_query(f"DROP INDEX {name}")


async def add_search_indexes(apps: StateApps, editor: BaseSchemaEditor) -> None:
    """Add trigram indexes if possible; without them searches read every row (decisions 4.9)."""
    client = editor.client
    if client.capabilities.dialect != "postgres":
        return
    if not await client.execute_query_dict("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'"):
        log.warning("This PostgreSQL has no pg_trgm: search works without an index")
        return
    try:
        async with client._in_transaction() as attempt:
            await attempt.execute_query("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            for table in SEARCHED:
                await attempt.execute_query(
                    f"CREATE INDEX ix_{table}_search_text ON {table} USING gin (search_text gin_trgm_ops)"
                )
    except OperationalError as error:
        log.warning("The extension pg_trgm cannot be used (%s): search works without an index", error)


async def remove_search_indexes(apps: StateApps, editor: BaseSchemaEditor) -> None:
    if editor.client.capabilities.dialect == "postgres":
        for table in SEARCHED:
            await editor.client.execute_query(f"DROP INDEX IF EXISTS ix_{table}_search_text")


async def add_free_plan(apps: StateApps, editor: BaseSchemaEditor) -> None:
    """Add the default plan (decisions 5.2)."""
    plan = apps.get_model("models.Plan")
    await plan.create(
        name="Free", price=Decimal(0), currency="BDT", event_limit=None, features={}, using_db=editor.client
    )


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name='IdempotencyRecord',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('digest', fields.CharField(unique=True, max_length=64)),
                ('fingerprint', fields.CharField(max_length=64)),
                ('answer', fields.TextField(null=True, unique=False)),
                ('created_at', fields.DatetimeField(default=utc_now, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'idempotency_records', 'app': 'models', 'indexes': [Index(fields=['created_at'])], 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Plan',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('name', fields.CharField(unique=True, max_length=200)),
                ('price', fields.DecimalField(default=Decimal('0'), max_digits=14, decimal_places=2)),
                ('currency', fields.CharField(default='BDT', max_length=3)),
                ('event_limit', fields.IntField(null=True)),
                ('features', fields.JSONField(default=dict, encoder=encode_json, decoder=decode_json)),
            ],
            options={'table': 'plans', 'app': 'models', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Seeding',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('created_at', fields.DatetimeField(default=utc_now, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'seedings', 'app': 'models', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='User',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('username', fields.CharField(max_length=200)),
                ('username_key', fields.CharField(unique=True, max_length=200)),
                ('email', fields.CharField(unique=True, max_length=255)),
                ('email_confirmed_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('number', fields.CharField(max_length=255)),
                ('password_hash', fields.CharField(max_length=255)),
                ('type', fields.CharEnumField(default=AccountType.USER, description='AccountType', enum_type=AccountType, max_length=20)),
                ('admin', fields.BooleanField(default=False)),
                ('pfp', fields.CharField(null=True, max_length=255)),
                ('country', fields.CharField(null=True, max_length=255)),
                ('created_at', fields.DatetimeField(default=utc_now, auto_now=False, auto_now_add=False)),
                ('updated_at', fields.DatetimeField(default=utc_now, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'users', 'app': 'models', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='ApiKey',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('user', fields.ForeignKeyField('models.User', source_field='user_id', db_constraint=True, to_field='id', related_name='api_keys', on_delete=OnDelete.CASCADE)),
                ('name', fields.CharField(max_length=200)),
                ('digest', fields.CharField(unique=True, max_length=64)),
                ('key_prefix', fields.CharField(max_length=12)),
                ('key_type', fields.CharEnumField(description='KeyType', enum_type=KeyType, max_length=20)),
                ('permissions', fields.JSONField(default=list, encoder=encode_json, decoder=decode_json)),
                ('is_active', fields.BooleanField(default=True)),
                ('revoked_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('last_used_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('created_at', fields.DatetimeField(default=utc_now, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'api_keys', 'app': 'models', 'indexes': [Index(fields=['user_id', 'id'])], 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Organization',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('user', fields.ForeignKeyField('models.User', source_field='user_id', db_constraint=True, to_field='id', related_name='organizations', on_delete=OnDelete.CASCADE)),
                ('plan', fields.ForeignKeyField('models.Plan', source_field='plan_id', db_constraint=True, to_field='id', related_name='organizations', on_delete=OnDelete.RESTRICT)),
                ('name', fields.CharField(max_length=200)),
                ('description', fields.TextField(null=True, unique=False)),
                ('logo', fields.CharField(null=True, max_length=255)),
                ('notice', fields.TextField(null=True, unique=False)),
                ('eventcount', fields.IntField(null=True)),
                ('events_used', fields.IntField(default=0)),
                ('search_text', fields.TextField(default='', unique=False)),
                ('created_at', fields.DatetimeField(default=utc_now, auto_now=False, auto_now_add=False)),
                ('updated_at', fields.DatetimeField(default=utc_now, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'organizations', 'app': 'models', 'indexes': [Index(fields=['user_id', 'id']), Index(fields=['plan_id'])], 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Donation',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('organization', fields.ForeignKeyField('models.Organization', source_field='organization_id', null=True, db_constraint=True, to_field='id', related_name='donations', on_delete=OnDelete.CASCADE)),
                ('email', fields.CharField(max_length=255)),
                ('number', fields.CharField(max_length=255)),
                ('amount', fields.IntField()),
                ('transaction_id', fields.CharField(max_length=255)),
                ('type', fields.CharEnumField(description='PaymentMethod', enum_type=PaymentMethod, max_length=20)),
                ('note', fields.TextField(null=True, unique=False)),
                ('status', fields.CharEnumField(default=DonationStatus.PENDING, description='DonationStatus', enum_type=DonationStatus, max_length=20)),
                ('created_at', fields.DatetimeField(default=utc_now, auto_now=False, auto_now_add=False)),
                ('updated_at', fields.DatetimeField(default=utc_now, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'donations', 'app': 'models', 'indexes': [Index(fields=['organization_id', 'status', 'id']), Index(fields=['status', 'id'])], 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Event',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('organization', fields.ForeignKeyField('models.Organization', source_field='organization_id', db_constraint=True, to_field='id', related_name='events', on_delete=OnDelete.CASCADE)),
                ('name', fields.CharField(max_length=200)),
                ('category', fields.CharEnumField(null=True, description='Category', enum_type=Category, max_length=20)),
                ('date', fields.DateField(null=True)),
                ('sort_date', fields.DateField(default=datetime.date.fromisoformat('9999-12-31'))),
                ('deadline', fields.DateField(null=True)),
                ('location', fields.CharField(null=True, max_length=255)),
                ('description', fields.TextField(null=True, unique=False)),
                ('banner', fields.CharField(null=True, max_length=255)),
                ('logo', fields.CharField(null=True, max_length=255)),
                ('privacy', fields.CharEnumField(default=Privacy.PUBLIC, description='Privacy', enum_type=Privacy, max_length=20)),
                ('notice', fields.TextField(null=True, unique=False)),
                ('emailtitle', fields.CharField(null=True, max_length=255)),
                ('emailmessage', fields.TextField(null=True, unique=False)),
                ('template', fields.TextField(null=True, unique=False)),
                ('socials', fields.JSONField(default=list, encoder=encode_json, decoder=decode_json)),
                ('wallets', fields.JSONField(default=dict, encoder=encode_json, decoder=decode_json)),
                ('search_text', fields.TextField(default='', unique=False)),
                ('created_at', fields.DatetimeField(default=utc_now, auto_now=False, auto_now_add=False)),
                ('updated_at', fields.DatetimeField(default=utc_now, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'events', 'app': 'models', 'indexes': [Index(fields=['privacy', 'sort_date', 'id']), Index(fields=['privacy', 'category', 'sort_date', 'id']), Index(fields=['organization_id', 'privacy', 'sort_date', 'id'])], 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='CustomField',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('event', fields.ForeignKeyField('models.Event', source_field='event_id', db_constraint=True, to_field='id', related_name='custom_fields', on_delete=OnDelete.CASCADE)),
                ('name', fields.CharField(max_length=200)),
                ('type', fields.CharEnumField(default=FieldType.TEXT, description='FieldType', enum_type=FieldType, max_length=20)),
                ('options', fields.JSONField(default=list, encoder=encode_json, decoder=decode_json)),
                ('required', fields.BooleanField(default=False)),
                ('position', fields.IntField(default=0)),
            ],
            options={'table': 'custom_fields', 'app': 'models', 'unique_together': [('event', 'name')], 'indexes': [Index(fields=['event_id', 'position', 'id'])], 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='GalleryImage',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('event', fields.ForeignKeyField('models.Event', source_field='event_id', db_constraint=True, to_field='id', related_name='gallery', on_delete=OnDelete.CASCADE)),
                ('url', fields.CharField(max_length=255)),
                ('caption', fields.CharField(null=True, max_length=255)),
                ('position', fields.IntField(default=0)),
            ],
            options={'table': 'gallery_images', 'app': 'models', 'indexes': [Index(fields=['event_id', 'position', 'id'])], 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Session',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('user', fields.ForeignKeyField('models.User', source_field='user_id', db_constraint=True, to_field='id', related_name='sessions', on_delete=OnDelete.CASCADE)),
                ('digest', fields.CharField(unique=True, max_length=64)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('created_at', fields.DatetimeField(default=utc_now, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'sessions', 'app': 'models', 'indexes': [Index(fields=['user_id']), Index(fields=['expires_at'])], 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='TicketType',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('event', fields.ForeignKeyField('models.Event', source_field='event_id', db_constraint=True, to_field='id', related_name='ticket_types', on_delete=OnDelete.CASCADE)),
                ('name', fields.CharField(max_length=200)),
                ('price', fields.DecimalField(default=Decimal('0'), max_digits=14, decimal_places=2)),
                ('capacity', fields.IntField(default=0)),
                ('description', fields.TextField(null=True, unique=False)),
                ('sold', fields.IntField(default=0)),
                ('created_at', fields.DatetimeField(default=utc_now, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'ticket_types', 'app': 'models', 'indexes': [Index(fields=['event_id', 'id'])], 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Ticket',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('code', fields.CharField(unique=True, max_length=32)),
                ('event', fields.ForeignKeyField('models.Event', source_field='event_id', db_constraint=True, to_field='id', related_name='tickets', on_delete=OnDelete.CASCADE)),
                ('user', fields.ForeignKeyField('models.User', source_field='user_id', db_constraint=True, to_field='id', related_name='tickets', on_delete=OnDelete.CASCADE)),
                ('ticket_type', fields.ForeignKeyField('models.TicketType', source_field='ticket_type_id', null=True, db_constraint=True, to_field='id', related_name='tickets', on_delete=OnDelete.SET_NULL)),
                ('name', fields.CharField(max_length=200)),
                ('email', fields.CharField(max_length=255)),
                ('number', fields.CharField(null=True, max_length=255)),
                ('amount', fields.DecimalField(default=Decimal('0'), max_digits=14, decimal_places=2)),
                ('status', fields.CharEnumField(default=TicketStatus.PENDING, description='TicketStatus', enum_type=TicketStatus, max_length=20)),
                ('transaction_id', fields.CharField(null=True, max_length=255)),
                ('payment_method', fields.CharEnumField(null=True, description='PaymentMethod', enum_type=PaymentMethod, max_length=20)),
                ('note', fields.TextField(null=True, unique=False)),
                ('created_at', fields.DatetimeField(default=utc_now, auto_now=False, auto_now_add=False)),
                ('updated_at', fields.DatetimeField(default=utc_now, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'tickets', 'app': 'models', 'indexes': [Index(fields=['event_id', 'status', 'id']), Index(fields=['user_id', 'id']), Index(fields=['email', 'id']), Index(fields=['ticket_type_id', 'status'])], 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='CustomValue',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('ticket', fields.ForeignKeyField('models.Ticket', source_field='ticket_id', db_constraint=True, to_field='id', related_name='custom_values', on_delete=OnDelete.CASCADE)),
                ('field', fields.ForeignKeyField('models.CustomField', source_field='field_id', db_constraint=True, to_field='id', related_name='values', on_delete=OnDelete.CASCADE)),
                ('value', fields.TextField(unique=False)),
            ],
            options={'table': 'custom_values', 'app': 'models', 'unique_together': [('ticket', 'field')], 'indexes': [Index(fields=['field_id'])], 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.RunPython(add_bounds, remove_bounds),
        ops.RunPython(add_partial_indexes, remove_partial_indexes),
        ops.RunPython(add_search_indexes, remove_search_indexes),
        ops.RunPython(add_free_plan, ops.RunPython.noop),
    ]
