"""The function that writes a new ticket in one round trip, on PostgreSQL."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.migrations.schema_editor import BaseSchemaEditor
from tortoise.migrations.schema_generator.state_apps import StateApps
from amarevents.models import booking


async def create_function(apps: StateApps, editor: BaseSchemaEditor) -> None:
    if editor.client.capabilities.dialect == "postgres":
        await editor.client.execute_script(booking.function())


async def drop_function(apps: StateApps, editor: BaseSchemaEditor) -> None:
    if editor.client.capabilities.dialect == "postgres":
        await editor.client.execute_script(f"DROP FUNCTION {booking.FUNCTION}")


class Migration(migrations.Migration):
    dependencies = [('models', '0009_repeated_answers')]

    initial = False

    operations = [ops.RunPython(create_function, drop_function)]
