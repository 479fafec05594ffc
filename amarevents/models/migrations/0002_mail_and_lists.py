"""The email outbox, email confirmations, search for accounts, and indexes for lists."""

import unicodedata

from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.migrations.schema_editor import BaseSchemaEditor
from tortoise.migrations.schema_generator.state_apps import StateApps
from amarevents.models.enums import MailKind, MailStatus
from amarevents.models.columns import utc_now
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index


def searchable(*parts: str) -> str:
    return "\n".join(unicodedata.normalize("NFC", part.casefold()) for part in parts)


async def fill_search_text(apps: StateApps, editor: BaseSchemaEditor) -> None:
    """Fill the search text of existing accounts (decisions 8.5)."""
    client = editor.client
    parameters = "$1 WHERE id = $2" if client.capabilities.dialect == "postgres" else "? WHERE id = ?"
    for row in await client.execute_query_dict("SELECT id, username, email, number FROM users"):
        text = searchable(row["username"], row["email"], row["number"])
        await client.execute_query(f"UPDATE users SET search_text = {parameters}", [text, row["id"]])


async def add_search_index(apps: StateApps, editor: BaseSchemaEditor) -> None:
    """Add a trigram index if the first migration could install the extension."""
    client = editor.client
    if client.capabilities.dialect != "postgres":
        return
    if await client.execute_query_dict("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'"):
        await client.execute_query("CREATE INDEX ix_users_search_text ON users USING gin (search_text gin_trgm_ops)")


async def remove_search_index(apps: StateApps, editor: BaseSchemaEditor) -> None:
    if editor.client.capabilities.dialect == "postgres":
        await editor.client.execute_query("DROP INDEX IF EXISTS ix_users_search_text")


class Migration(migrations.Migration):
    dependencies = [('models', '0001_initial')]

    initial = False

    operations = [
        ops.CreateModel(
            name='EmailConfirmation',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('user', fields.ForeignKeyField('models.User', source_field='user_id', db_constraint=True, to_field='id', related_name='email_confirmations', on_delete=OnDelete.CASCADE)),
                ('digest', fields.CharField(unique=True, max_length=64)),
                ('email', fields.CharField(max_length=255)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('created_at', fields.DatetimeField(default=utc_now, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'email_confirmations', 'app': 'models', 'indexes': [Index(fields=['user_id']), Index(fields=['expires_at'])], 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='OutgoingMail',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('kind', fields.CharEnumField(description='MailKind', enum_type=MailKind, max_length=20)),
                ('status', fields.CharEnumField(default=MailStatus.PENDING, description='MailStatus', enum_type=MailStatus, max_length=20)),
                ('user', fields.ForeignKeyField('models.User', source_field='user_id', null=True, db_constraint=True, to_field='id', related_name='mails', on_delete=OnDelete.CASCADE)),
                ('ticket', fields.ForeignKeyField('models.Ticket', source_field='ticket_id', null=True, db_constraint=True, to_field='id', related_name='mails', on_delete=OnDelete.CASCADE)),
                ('recipient', fields.CharField(max_length=255)),
                ('subject', fields.TextField(unique=False)),
                ('body', fields.TextField(unique=False)),
                ('attempts', fields.IntField(default=0)),
                ('next_attempt_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('sent_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('last_error', fields.TextField(null=True, unique=False)),
                ('created_at', fields.DatetimeField(default=utc_now, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'outgoing_mails', 'app': 'models', 'indexes': [Index(fields=['status', 'next_attempt_at', 'id']), Index(fields=['status', 'id']), Index(fields=['user_id']), Index(fields=['ticket_id'])], 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.AddIndex(
            model_name='ApiKey',
            index=Index(fields=['key_type', 'id']),
        ),
        ops.AddIndex(
            model_name='ApiKey',
            index=Index(fields=['is_active', 'id']),
        ),
        ops.AddIndex(
            model_name='Donation',
            index=Index(fields=['organization_id', 'id']),
        ),
        ops.AddIndex(
            model_name='Event',
            index=Index(fields=['sort_date', 'id']),
        ),
        ops.AddField(
            model_name='IdempotencyRecord',
            name='user',
            field=fields.ForeignKeyField('models.User', source_field='user_id', null=True, db_constraint=True, to_field='id', related_name='idempotency_records', on_delete=OnDelete.CASCADE),
        ),
        ops.AddIndex(
            model_name='IdempotencyRecord',
            index=Index(fields=['user_id']),
        ),
        ops.AddIndex(
            model_name='Ticket',
            index=Index(fields=['event_id', 'id']),
        ),
        ops.AddIndex(
            model_name='Ticket',
            index=Index(fields=['status', 'amount']),
        ),
        ops.AddIndex(
            model_name='Ticket',
            index=Index(fields=['created_at']),
        ),
        ops.AddField(
            model_name='User',
            name='search_text',
            field=fields.TextField(default='', db_default='', unique=False),
        ),
        ops.AddIndex(
            model_name='User',
            index=Index(fields=['type', 'id']),
        ),
        ops.AddIndex(
            model_name='User',
            index=Index(fields=['admin', 'id']),
        ),
        ops.AddIndex(
            model_name='User',
            index=Index(fields=['created_at']),
        ),
        ops.RunPython(fill_search_text, ops.RunPython.noop),
        ops.RunPython(add_search_index, remove_search_index),
    ]
