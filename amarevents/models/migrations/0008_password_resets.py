"""Links that set a forgotten password."""

from tortoise import migrations


class Migration(migrations.Migration):
    dependencies = [('models', '0007_event_lists')]

    initial = False

    operations = []
