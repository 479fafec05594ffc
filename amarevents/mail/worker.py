"""The background task of each process that sends the emails of the outbox, each at least once."""

import asyncio
import datetime
import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from email.errors import MessageError
from email.message import EmailMessage

from tortoise.exceptions import BaseORMException

from amarevents.mail import outbox
from amarevents.mail.rendering import compose, deliverable
from amarevents.mail.smtp import MailDeferred, MailRejected, ServerUnavailable, SmtpClient
from amarevents.models import OutgoingMail
from amarevents.models.columns import utc_now
from amarevents.models.db.connection import DatabaseUnavailable
from amarevents.models.enums import MailKind
from amarevents.settings import Settings

logger = logging.getLogger(__name__)

LEASE = datetime.timedelta(minutes=10)  # well above smtp.MAIL_SECONDS
BATCH_SIZE = 50  # emails sent over one connection
MAX_BACKOFF = 60.0  # seconds between batches while the server is unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerTiming:
    """Seconds between checks of the outbox, and seconds to finish the current email when the process stops."""

    poll: float = 1.0
    grace: float = 5.0


class MailWorker:
    """Sends the emails of the outbox with ``client``, without holding a database connection while sending."""

    def __init__(self, client: SmtpClient, pace: WorkerTiming | None = None) -> None:
        self._postman = client
        self._pace = pace or WorkerTiming()

    async def run(self) -> None:
        """Send emails until cancelled. Errors of the server or the database cause longer pauses."""
        pause = self._pace.poll
        while True:
            try:
                await self.send_due()
                pause = self._pace.poll
            except (ServerUnavailable, BaseORMException, DatabaseUnavailable) as error:
                logger.warning("Emails cannot be sent at the moment: %s", error)
                pause = min(2 * pause, MAX_BACKOFF)
            except Exception:  # the task must survive any error, because nothing restarts it
                logger.exception("Emails cannot be sent at the moment")
                pause = min(2 * pause, MAX_BACKOFF)
            await asyncio.sleep(pause)

    async def send_due(self) -> None:
        """Send a batch of due emails. Raises ServerUnavailable."""
        try:
            for mail in await outbox.due(utc_now(), limit=BATCH_SIZE):
                if await outbox.claim(mail, utc_now() + LEASE):
                    await _with_grace(self._deliver(mail), self._pace.grace)
        finally:
            await _with_grace(self._postman.close(), self._pace.grace)

    async def _deliver(self, mail: OutgoingMail) -> None:
        try:
            message = await asyncio.to_thread(_composed, mail, self._postman.sender)
            await self._postman.send(message, deliverable(mail.recipient))
        except MailRejected as refusal:
            logger.warning("Email %d cannot be delivered", mail.id)
            await outbox.mark_failed(mail, str(refusal))
        except MailDeferred as delay:
            await outbox.reschedule(mail, str(delay), utc_now())
            if isinstance(delay, ServerUnavailable):
                raise
        except Exception as error:  # an error with one email must not stop the others
            logger.exception("Email %d could not be sent", mail.id)
            await self._postman.close()  # its state is unknown
            await outbox.reschedule(mail, type(error).__name__, utc_now())
        else:
            await outbox.mark_sent(mail, utc_now())


def _composed(mail: OutgoingMail, sender: str) -> EmailMessage:
    code = mail.ticket.code if mail.kind is MailKind.TICKET_CONFIRMED and mail.ticket else None
    try:
        return compose(mail, code=code, sender=sender)
    except (ValueError, MessageError) as error:
        raise MailRejected(f"The message cannot be composed: {error}") from error


async def _with_grace(work: Awaitable[None], seconds: float) -> None:
    """Await ``work``. When cancelled, give it ``seconds`` to finish, so that a sent email is marked as sent.

    It runs in a task of its own also because the SMTP client uses ``asyncio.wait_for``, which in Python 3.11 can
    swallow a cancellation.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=seconds)
        task.cancel()
        await asyncio.wait([task], timeout=seconds)
        if task.done() and not task.cancelled():
            task.exception()  # retrieved, so that asyncio does not log it; the email is due again after its lease
        raise


def mail_worker(settings: Settings) -> MailWorker | None:
    """Return a worker, or None if no SMTP server is configured: emails are then held."""
    if settings.smtp_url is None or settings.mail_from is None:
        return None
    return MailWorker(SmtpClient(settings.smtp_url, settings.mail_from))
