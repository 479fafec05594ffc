"""Text in its normal form, and the folded forms that are compared."""

from tortoise import migrations


class Migration(migrations.Migration):
    dependencies = [('models', '0003_check_ins_and_decisions')]

    initial = False

    operations = []
