"""Text in its normal form, and the folded forms that are compared (decisions 1.11)."""

from collections.abc import AsyncIterator, Callable
from functools import partial
from itertools import count
from typing import Any

from tortoise import migrations
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.migrations import operations as ops
from tortoise.migrations.schema_editor import BaseSchemaEditor
from tortoise.migrations.schema_generator.state_apps import StateApps
from amarevents.text import email_key, fold, nfc, phone_digits, search_text
from tortoise import fields
from tortoise.indexes import Index

BATCH = 1000

Row = dict[str, Any]

# What people typed, by model. JSON is normalized as its text.
TYPED = {
    'ApiKey': ['name'],
    'CheckIn': ['gate'],
    'CustomField': ['name', 'options'],
    'CustomValue': ['value'],
    'Donation': ['email', 'number', 'note'],
    'Event': ['name', 'location', 'description', 'banner', 'logo', 'notice', 'emailtitle', 'emailmessage', 'template', 'socials', 'wallets'],
    'GalleryImage': ['url', 'caption'],
    'Organization': ['name', 'description', 'logo', 'notice'],
    'Plan': ['name', 'features'],
    'Ticket': ['name', 'email', 'number', 'note', 'decision_reason'],
    'TicketType': ['name', 'description'],
    'User': ['username', 'email', 'number', 'pfp', 'country'],
}

KEYS = ('search_text', 'username_key', 'email_key', 'name_key')

# The columns that are computed from them, by model.
COMPUTED: dict[str, Callable[[Row], Row]] = {
    'Event': lambda row: {'search_text': search_text(row['name'], row['location'], row['description'])},
    'Organization': lambda row: {'search_text': search_text(row['name'], row['description'])},
    'Plan': lambda row: {'name_key': fold(row['name'])[:200]},
    'Ticket': lambda row: {'email_key': email_key(row['email'])[:255]},
    'User': lambda row: {
        'username_key': fold(row['username'])[:200],
        'email_key': email_key(row['email'])[:255],
        'search_text': search_text(row['username'], row['email'], email_key(row['email']), row['number'], phone_digits(row['number'])),
    },
}


async def normalize(apps: StateApps, editor: BaseSchemaEditor) -> None:
    # Keys must never be equal, not even between the updates of two rows: no folded text has this character.
    await editor.client.execute_query("UPDATE users SET username_key = '\u200b' || id")
    for name, typed in TYPED.items():
        model = apps.get_model(f'models.{name}')
        columns = [*typed, *(column for column in KEYS if column in model._meta.fields_map)]
        # A text that its normal form would make too long for its column stays as it is; it is compared folded.
        limits = {column: getattr(model._meta.fields_map[column], 'max_length', None) for column in typed}
        compute = partial(computed, limits=limits, compute=COMPUTED.get(name))
        await update_rows(editor.client, model._meta.db_table, columns, compute)


def computed(row: Row, *, limits: dict[str, int | None], compute: Callable[[Row], Row] | None) -> Row:
    """Return the row in its normal form, with the columns that are computed from it."""
    normal = {**row, **{column: normal_form(row[column], limit) for column, limit in limits.items()}}
    return {**normal, **compute(normal)} if compute else normal


def normal_form(text: str | None, limit: int | None) -> str | None:
    normal = text and nfc(text)
    return text if normal and limit and len(normal) > limit else normal


async def update_rows(client: BaseDBAsyncClient, table: str, columns: list[str], compute: Callable[[Row], Row]) -> None:
    """Write the rows that ``compute`` changes."""
    postgres = client.capabilities.dialect == 'postgres'
    marks = (f'${number}' for number in count(1)) if postgres else iter(lambda: '?', None)
    assignments = ', '.join(f'{column} = {next(marks)}' for column in columns)
    update = f'UPDATE {table} SET {assignments} WHERE id = {next(marks)}'
    async for rows in batches(client, table, columns):
        changed = [new for row in rows if (new := compute(row)) != row]
        values = [[*(row[column] for column in columns), row['id']] for row in changed]
        if values:
            await client.execute_many(update, values)


async def batches(client: BaseDBAsyncClient, table: str, columns: list[str]) -> AsyncIterator[list[Row]]:
    selected, last = ', '.join(['id', *columns]), 0
    while rows := await client.execute_query_dict(
        f'SELECT {selected} FROM {table} WHERE id > {last} ORDER BY id LIMIT {BATCH}'
    ):
        last = rows[-1]['id']
        yield [dict(row) for row in rows]


class Migration(migrations.Migration):
    dependencies = [('models', '0003_check_ins_and_decisions')]

    initial = False

    operations = [
        ops.AddField(
            model_name='Plan',
            name='name_key',
            field=fields.CharField(default='', db_default='', max_length=200),
        ),
        ops.AddField(
            model_name='Ticket',
            name='email_key',
            field=fields.CharField(default='', db_default='', max_length=255),
        ),
        ops.AddField(
            model_name='User',
            name='email_key',
            field=fields.CharField(default='', db_default='', max_length=255),
        ),
        ops.RunPython(normalize, ops.RunPython.noop),
        ops.AlterField(
            model_name='Plan',
            name='name',
            field=fields.CharField(max_length=200),
        ),
        ops.AlterField(
            model_name='Plan',
            name='name_key',
            field=fields.CharField(unique=True, max_length=200),
        ),
        ops.AlterField(
            model_name='Ticket',
            name='email_key',
            field=fields.CharField(max_length=255),
        ),
        ops.RemoveIndex(
            model_name='Ticket',
            name=None,
            fields=['email', 'id'],
        ),
        ops.AddIndex(
            model_name='Ticket',
            index=Index(fields=['email_key', 'id']),
        ),
        ops.AlterField(
            model_name='User',
            name='email',
            field=fields.CharField(max_length=255),
        ),
        ops.AlterField(
            model_name='User',
            name='email_key',
            field=fields.CharField(unique=True, max_length=255),
        ),
    ]
