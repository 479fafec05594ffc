"""Emails in the outbox, and a worker that sends them, for the tests of delivery."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from amarevents.mail import outbox
from amarevents.mail.templates import EmailContent
from amarevents.mail.worker import MailWorker
from amarevents.models import OutgoingMail
from amarevents.models.columns import utc_now
from amarevents.models.enums import MailKind, MailStatus
from amarevents.settings import Settings
from tests.support.mail_server import MailServer

REFUSED = "refused@example.com"

Enqueue = Callable[..., "asyncio.Future[None]"]
"""``await enqueue(recipient, …)``: write emails that are due."""


async def enqueue_due(settings: Settings, *recipients: str) -> None:
    """Write an email to each recipient that is due."""
    for recipient in recipients:
        email = EmailContent(f"To {recipient}", "https://amarevents.example/x?token=secret")
        await outbox.enqueue(email, MailKind.CONFIRM_EMAIL, recipient, settings=settings, now=utc_now())
    await OutgoingMail.all().update(status=MailStatus.PENDING)


async def make_due() -> None:
    """Let the time for the next attempt come."""
    await OutgoingMail.filter(status=MailStatus.PENDING).update(next_attempt_at=utc_now())


async def only_mail() -> OutgoingMail:
    """Return the only email in the outbox."""
    return await OutgoingMail.get()


def recipients_of(mail_server: MailServer) -> list[str]:
    """Return the recipients of all delivered emails, sorted."""
    return sorted(email.recipients[0] for email in mail_server.delivered)


@contextlib.asynccontextmanager
async def running_worker(worker: MailWorker) -> AsyncIterator[None]:
    """Run the worker until the block ends."""
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
