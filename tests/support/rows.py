"""Rows for every table of the database, and the content of all tables for comparison."""

import datetime
from decimal import Decimal
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.context import require_context

from amarevents.models import (
    ApiKey,
    CheckIn,
    CustomField,
    CustomValue,
    Donation,
    EmailConfirmation,
    Event,
    GalleryImage,
    IdempotencyRecord,
    Organization,
    OutgoingMail,
    PasswordReset,
    PaymentClaim,
    Plan,
    Seeding,
    Session,
    Ticket,
    TicketType,
    User,
)
from amarevents.models.enums import KeyType, MailKind, PaymentMethod, TicketStatus

LATER = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)


async def add_user(name: str = "someone") -> User:
    return await User.create(username=name, email=f"{name}@example.org", number="01700000000", password_hash="-")


async def add_organization() -> Organization:
    return await Organization.create(user=await add_user(), plan=await Plan.get(name="Free"), name="Club")


async def add_ticket_type(**values: Any) -> TicketType:  # Any: the values of any columns
    event = await Event.create(organization=await add_organization(), name="Concert")
    return await TicketType.create(event=event, name="Standing", **values)


async def fill_every_table() -> None:
    """Create a row in every table."""
    ticket_type = await add_ticket_type(capacity=10, sold=1, price=Decimal("250.50"))
    event = await ticket_type.event
    user, organization = await User.get(), await Organization.get()
    ticket = await Ticket.create(
        code="first",
        event=event,
        user=user,
        ticket_type=ticket_type,
        name="A Guest",
        email=user.email,
        amount=ticket_type.price,
        due=ticket_type.price,
        status=TicketStatus.SUCCESS,
        transaction_id="8N7A",
    )
    await PaymentClaim.create(scope=organization.id, transaction_key="8n7a", ticket=ticket)
    question = await CustomField.create(event=event, name="Size", options=["S", "M"])
    await CustomValue.create(ticket=ticket, field=question, value="M")
    await CheckIn.create(
        ticket=ticket, event_id=event.id, gate="North", scan_id="1", checked_in_by=user, checked_in_at=LATER
    )
    await GalleryImage.create(event=event, url="https://example.org/image.png")
    donation = await Donation.create(
        organization=organization, email=user.email, number="-", amount=5, transaction_id="D1", type=PaymentMethod.BKASH
    )
    await PaymentClaim.create(scope=organization.id, transaction_key="d1", donation=donation)
    await ApiKey.create(user=user, name="Key", digest="k", key_prefix="ae_u_", key_type=KeyType.USER)
    await _add_sessions_and_links(user)
    await IdempotencyRecord.create(digest="i", fingerprint="f")
    await OutgoingMail.create(
        kind=MailKind.TICKET_CONFIRMED,
        ticket=ticket,
        recipient=ticket.email,
        subject="Concert",
        body="Come in",
        next_attempt_at=LATER,
    )
    await Seeding.create()


async def _add_sessions_and_links(user: User) -> None:
    await Session.create(user=user, digest="s", expires_at=LATER)
    await EmailConfirmation.create(user=user, digest="c", email=user.email, expires_at=LATER)
    await PasswordReset.create(user=user, digest="r", email=user.email, expires_at=LATER)


async def read_every_table(client: BaseDBAsyncClient) -> dict[str, list[dict[str, Any]]]:
    apps = require_context().apps
    assert apps is not None
    tables = sorted(model._meta.db_table for model in apps["models"].values())
    return {table: await client.execute_query_dict(f'SELECT * FROM "{table}" ORDER BY id') for table in tables}
