"""What is due for tickets, and payment claims, by which a transaction pays once."""

from tortoise import migrations


class Migration(migrations.Migration):
    dependencies = [('models', '0004_text')]

    initial = False

    operations = []
