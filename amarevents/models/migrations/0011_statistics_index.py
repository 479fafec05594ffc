"""An index that has all that the statistics of an event are summed from."""

from tortoise import migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [('models', '0010_book_ticket')]

    initial = False

    operations = [
        ops.AddIndex(
            model_name='Ticket',
            index=Index(fields=['event_id', 'ticket_type_id', 'status', 'amount']),
        ),
    ]
