"""The order of event lists, and the values of answers."""

from tortoise import migrations


class Migration(migrations.Migration):
    dependencies = [('models', '0006_holds')]

    initial = False

    operations = []
