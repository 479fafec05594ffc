"""Holds of unpaid places, and the limit of places per account."""

from tortoise import migrations


class Migration(migrations.Migration):
    dependencies = [('models', '0005_payments')]

    initial = False

    operations = []
