"""Periodic maintenance: last use of API keys, ends of holds, and purges of old records."""

import asyncio
import datetime
import logging

import pytest
from starlette.applications import Starlette

from amarevents.models import (
    ApiKey,
    EmailConfirmation,
    IdempotencyRecord,
    OutgoingMail,
    PasswordReset,
    Ticket,
    TicketType,
)
from amarevents.models.columns import utc_now
from amarevents.models.db.connection import DatabaseUnavailable
from amarevents.models.enums import MailKind, MailStatus, TicketStatus
from amarevents.security.services import Services
from amarevents.server import maintenance
from tests.support.holds import HOUR, unpaid_ticket
from tests.support.world import World


@pytest.fixture
def services(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> Services:
    monkeypatch.setattr(maintenance, "INTERVAL", datetime.timedelta(milliseconds=5))
    shared: Services = app.state.services
    return shared


async def maintain(services: Services, seconds: float = 0.2) -> None:
    """Run maintenance for ``seconds``."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(maintenance.run_maintenance(services), seconds)


async def test_the_last_use_of_an_api_key_is_stored(world: World, services: Services) -> None:
    caller = await world.user_key()
    assert (await caller.get("/auth/me")).status_code == 200
    await maintain(services)
    key = await ApiKey.get(user_id=caller.user.id if caller.user else 0)
    assert key.last_used_at is not None
    assert utc_now() - key.last_used_at < datetime.timedelta(minutes=1)


async def test_idempotency_records_are_purged_after_a_day(world: World, services: Services) -> None:
    for digest, hours in (("old", 25), ("young", 23)):
        age = datetime.timedelta(hours=hours)
        await IdempotencyRecord.create(digest=digest, fingerprint="f", created_at=utc_now() - age)
    await maintain(services)
    assert [record.digest for record in await IdempotencyRecord.all()] == ["young"]


async def test_sent_emails_and_expired_links_are_purged(world: World, services: Services) -> None:
    user, now = await world.user(), utc_now()
    for days in (29, 31):
        at = now - datetime.timedelta(days=days)
        await OutgoingMail.create(
            kind=MailKind.CONFIRM_EMAIL,
            status=MailStatus.SENT,
            recipient=f"{days}@example.org",
            subject="",
            body="",
            next_attempt_at=at,
        )
    for digest, hours in (("expired", -1), ("live", 1)):
        for kind in (EmailConfirmation, PasswordReset):
            await kind.create(
                user=user, digest=digest, email=user.email, expires_at=now + datetime.timedelta(hours=hours)
            )
    await maintain(services)
    assert [mail.recipient for mail in await OutgoingMail.all()] == ["29@example.org"]
    assert [link.digest for link in await EmailConfirmation.all()] == ["live"]
    assert [link.digest for link in await PasswordReset.all()] == ["live"]


async def test_overdue_holds_are_ended(world: World, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "HOLDS_INTERVAL", datetime.timedelta(milliseconds=5))
    owner = await world.organizer()
    event = await world.event(owner)
    ticket_type = await world.ticket_type(event, price="500", capacity=1)
    overdue = await unpaid_ticket(world, event, owner, ticket_type, ends_in=-HOUR)
    await maintain(services)
    assert (await Ticket.get(id=overdue.id)).status is TicketStatus.FAILED
    assert (await TicketType.get(id=ticket_type.id)).sold == 0


async def test_maintenance_continues_after_a_database_failure(
    services: Services, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried: list[datetime.datetime] = []

    async def away(now: datetime.datetime) -> None:
        tried.append(now)
        raise DatabaseUnavailable("connection refused")

    monkeypatch.setattr(maintenance, "purge_expired_records", away)
    with caplog.at_level(logging.WARNING):
        await maintain(services)
    assert len(tried) > 1
    assert "Maintenance failed, will retry: connection refused" in caplog.text
