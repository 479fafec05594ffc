"""The outbox: enqueues emails, lets one process at a time claim an email, reschedules and purges."""

import datetime
import secrets

from tortoise.expressions import F
from tortoise.queryset import QuerySet

from amarevents.mail.templates import EmailContent
from amarevents.models import OutgoingMail
from amarevents.models.enums import MailKind, MailStatus
from amarevents.settings import Settings

RETENTION = datetime.timedelta(days=30)  # of sent emails
INITIAL_DELAY = datetime.timedelta(minutes=1)
MAX_DELAY = datetime.timedelta(hours=4)
MAX_ATTEMPTS = 20  # over about two days
_PURGE_BATCH_SIZE = 1_000


def initial_status(settings: Settings, held_because: str | None) -> MailStatus:
    """Return the status of a new email: held for a reason, or if no SMTP server is configured, otherwise pending."""
    return MailStatus.HELD if settings.smtp_url is None or held_because else MailStatus.PENDING


async def enqueue(
    content: EmailContent,
    kind: MailKind,
    recipient: str,
    *,
    settings: Settings,
    now: datetime.datetime,
    user_id: int | None = None,
    ticket_id: int | None = None,
    held_because: str | None = None,
) -> None:
    """Add an email to the outbox, within the transaction of the change that it announces.

    It is due at once, unless ``initial_status`` holds it.
    """
    await OutgoingMail.create(
        kind=kind,
        status=initial_status(settings, held_because),
        last_error=held_because,
        user_id=user_id,
        ticket_id=ticket_id,
        recipient=recipient,
        subject=content.subject,
        body=content.text,
        next_attempt_at=now,
        created_at=now,
    )


def unsent(**about: int) -> QuerySet[OutgoingMail]:
    """Return the emails about a ticket (``ticket_id``) or account (``user_id``) that were not sent, failed ones too."""
    return OutgoingMail.filter(**about).exclude(status=MailStatus.SENT)


async def due(now: datetime.datetime, *, limit: int) -> list[OutgoingMail]:
    """Return the emails that are due, with their tickets, in the order in which they became due."""
    waiting = OutgoingMail.filter(status=MailStatus.PENDING, next_attempt_at__lte=now)
    return await waiting.order_by("next_attempt_at", "id").limit(limit).select_related("ticket")


def _still_claimed(mail: OutgoingMail) -> QuerySet[OutgoingMail]:
    """Select the email unless another process has claimed it since it was read."""
    return OutgoingMail.filter(id=mail.id, status=MailStatus.PENDING, next_attempt_at=mail.next_attempt_at)


async def claim(mail: OutgoingMail, until: datetime.datetime) -> bool:
    """Lease the email to this process until ``until``. Return False if another process was faster.

    A conditional update decides. If the process dies during the lease, the email is due again at its end.
    """
    if not await _still_claimed(mail).update(next_attempt_at=until, attempts=F("attempts") + 1):
        return False
    mail.next_attempt_at = until
    mail.attempts += 1
    return True


async def mark_sent(mail: OutgoingMail, now: datetime.datetime) -> None:
    """Mark an email as sent and delete its body, which is private and can contain secret links."""
    await OutgoingMail.filter(id=mail.id).update(status=MailStatus.SENT, sent_at=now, body="", last_error=None)


async def reschedule(mail: OutgoingMail, reason: str, now: datetime.datetime) -> None:
    """Schedule the next attempt for a claimed email, or mark it as failed after ``MAX_ATTEMPTS``."""
    if mail.attempts >= MAX_ATTEMPTS:
        await mark_failed(mail, reason)
    else:
        await _still_claimed(mail).update(next_attempt_at=now + delay_after(mail.attempts), last_error=reason)


async def mark_failed(mail: OutgoingMail, reason: str) -> None:
    """Mark a claimed email as failed, so that it is not tried again."""
    await _still_claimed(mail).update(status=MailStatus.FAILED, last_error=reason)


def delay_after(attempts: int) -> datetime.timedelta:
    """Return the exponential backoff after so many attempts, with 20 % jitter in either direction."""
    doubled = min(INITIAL_DELAY * (1 << attempts - 1), MAX_DELAY)
    return doubled * (80 + secrets.randbelow(41)) / 100


async def release(chosen: QuerySet[OutgoingMail], now: datetime.datetime) -> int:
    """Make the held and failed emails among ``chosen`` due with all attempts left, and return their number."""
    stopped = chosen.filter(status__in=[MailStatus.HELD, MailStatus.FAILED])
    return await stopped.update(status=MailStatus.PENDING, attempts=0, next_attempt_at=now)


async def purge_sent(now: datetime.datetime) -> None:
    """Delete a batch of the emails sent more than ``RETENTION`` ago.

    Selects by ``next_attempt_at``, which has an index: for a sent email it is the end of the last lease, a few minutes
    after it was sent.
    """
    old = OutgoingMail.filter(status=MailStatus.SENT, next_attempt_at__lt=now - RETENTION)
    ids = await old.order_by("next_attempt_at").limit(_PURGE_BATCH_SIZE).values_list("id", flat=True)
    if ids:
        await OutgoingMail.filter(id__in=ids).delete()
