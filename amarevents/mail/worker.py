"""Sending what is in the outbox, by a task in every process: each mail at least once, by one process at a time."""

import asyncio
import datetime
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from email.errors import MessageError
from email.message import EmailMessage
from typing import Any

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
BATCH_SIZE = 50  # mails over one connection
MAX_BACKOFF = 60.0  # seconds between rounds while the server is away


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerTiming:
    """In seconds: how often to look, and how long the mail under way has when the process stops."""

    poll: float = 1.0
    grace: float = 5.0


class MailWorker:
    """Takes mails out of the outbox and has ``client`` send them. No database connection is held meanwhile."""

    def __init__(self, client: SmtpClient, pace: WorkerTiming | None = None) -> None:
        self._postman = client
        self._pace = pace or WorkerTiming()

    async def run(self) -> None:
        """Until cancelled. A server or a database that is away costs pauses, no mail."""
        pause = self._pace.poll
        while True:
            try:
                await self.send_due()
                pause = self._pace.poll
            except (ServerUnavailable, BaseORMException, DatabaseUnavailable) as error:
                logger.warning("Mails have to wait: %s", error)
                pause = min(2 * pause, MAX_BACKOFF)
            except Exception:  # nobody would notice that the task has ended
                logger.exception("Mails have to wait")
                pause = min(2 * pause, MAX_BACKOFF)
            await asyncio.sleep(pause)

    async def send_due(self) -> None:
        """One round. Raises ServerUnavailable where the server cannot be used."""
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
            logger.warning("Mail %d cannot be delivered", mail.id)
            await outbox.mark_failed(mail, str(refusal))
        except MailDeferred as delay:
            await outbox.reschedule(mail, str(delay), utc_now())
            if isinstance(delay, ServerUnavailable):
                raise
        except Exception as error:  # whatever is wrong with one mail must not stop the others
            logger.exception("Mail %d could not be sent", mail.id)
            await self._postman.close()  # nobody knows in what state the connection is
            await outbox.reschedule(mail, type(error).__name__, utc_now())
        else:
            await outbox.mark_sent(mail, utc_now())


def _composed(mail: OutgoingMail, sender: str) -> EmailMessage:
    code = mail.ticket.code if mail.kind is MailKind.TICKET_CONFIRMED and mail.ticket else None
    try:
        return compose(mail, code=code, sender=sender)
    except (ValueError, MessageError) as error:
        raise MailRejected(f"No message can be made of it: {error}") from error


async def _with_grace(work: Coroutine[Any, Any, None], seconds: float) -> None:  # Any: what coroutines never use
    """Await ``work``; cancelled meanwhile, let it come to its end for so long, so that what was sent is marked.

    In a task of its own also because the SMTP client awaits by ``asyncio.wait_for``, which in Python 3.11 swallows a
    cancellation that comes together with an answer.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=seconds)
        task.cancel()
        await asyncio.wait([task], timeout=seconds)
        if task.done() and not task.cancelled():
            task.exception()  # seen: the process ends, and the mail is due again when its lease ends
        raise


def mail_worker(settings: Settings) -> MailWorker | None:
    """None without an SMTP server: mails are then held."""
    if settings.smtp_url is None or settings.mail_from is None:
        return None
    return MailWorker(SmtpClient(settings.smtp_url, settings.mail_from))
