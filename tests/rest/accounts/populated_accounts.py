"""Accounts with rows in every table, for tests that delete them."""

from typing import Any

from amarevents.models import (
    CustomValue,
    EmailConfirmation,
    IdempotencyRecord,
    OutgoingMail,
    PasswordReset,
    Ticket,
    TicketType,
    User,
)
from amarevents.models.columns import utc_now
from amarevents.models.enums import KeyType, MailKind, Privacy, TicketStatus
from tests.rest.conftest import Stage
from tests.support.world import World

MAIL: dict[str, Any] = {"subject": "x", "body": "x", "next_attempt_at": utc_now()}  # Any: each column's own type


async def populated_organizer(world: World, stage: Stage, ticket_type: TicketType) -> User:
    """Create an organizer with rows in every table of accounts; ``ticket_type`` is of another organizer's event."""
    account = await world.organizer()
    await world.key(account, KeyType.ORGANIZER)
    await world.session(account)
    for _ in range(2):
        await add_populated_organization(world, stage, account)
    for status in TicketStatus:
        await add_email(await world.ticket(stage.event, account, ticket_type=ticket_type, status=status))
    await world.ticket(stage.event, account, ticket_type=ticket_type, email="guest@example.com")
    digest = f"{account.id:064}"
    await EmailConfirmation.create(user=account, email=account.email, digest=digest, expires_at=utc_now())
    await PasswordReset.create(user=account, email=account.email, digest=digest, expires_at=utc_now())
    await OutgoingMail.create(kind=MailKind.CONFIRM_EMAIL, user=account, recipient=account.email, **MAIL)
    await IdempotencyRecord.create(user=account, digest=digest, fingerprint="0" * 64)
    return account


async def add_email(ticket: Ticket) -> None:
    await OutgoingMail.create(kind=MailKind.TICKET_CONFIRMED, ticket=ticket, recipient=ticket.email, **MAIL)


async def add_populated_organization(world: World, stage: Stage, owner: User) -> None:
    organization = await world.organization(owner)
    await world.donation(organization)
    for privacy in Privacy:
        event = await world.event(organization, privacy=privacy)
        question = await world.custom_field(event, "Size")
        await world.gallery_image(event)
        ticket_type = await world.ticket_type(event, capacity=10)
        for attendee in (owner, stage.buyer_account):
            ticket = await world.ticket(event, attendee, ticket_type=ticket_type)
            await CustomValue.create(ticket=ticket, field=question, value="M")
            await add_email(ticket)
