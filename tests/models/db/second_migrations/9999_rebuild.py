# ruff: noqa: N999, RUF012 - named and laid out like all migrations
from enum import StrEnum

from tortoise import fields, migrations
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import CheckConstraint

from tests.support.migrations import MIGRATION_NAMES


class TicketStatus(StrEnum):
    PENDING = "Pending"
    SUCCESS = "Success"
    FAILED = "Failed"
    REFUNDED = "Refunded"
    WAITING = "Waiting"


class Migration(migrations.Migration):
    dependencies = [("models", MIGRATION_NAMES[-1])]

    operations = [
        ops.AlterField("User", "country", fields.CharField(max_length=60, null=True)),
        ops.RemoveField("Event", "template"),
        ops.RemoveField("GalleryImage", "position"),  # and its index
        ops.AlterField("Session", "digest", fields.CharField(max_length=64)),  # no longer unique
        ops.AddConstraint("Donation", CheckConstraint(check="amount > 0", name="ck_donations_amount")),
        ops.AlterField("Ticket", "status", fields.CharEnumField(TicketStatus, max_length=20, default="Pending")),
        ops.AlterField("TicketType", "name", fields.CharField(max_length=250)),
        ops.AlterField("CustomField", "name", fields.CharField(max_length=250)),
        ops.AlterField("Organization", "search_text", fields.TextField(default="", null=True)),
        ops.AddField("Plan", "description", fields.TextField(null=True)),
    ]
