"""The outbox: what puts mails in, lets one process take one out at a time, and clears it."""

import datetime
import secrets

from tortoise.expressions import F
from tortoise.queryset import QuerySet

from amarevents.mail.templates import EmailContent
from amarevents.models import OutgoingMail
from amarevents.models.enums import MailKind, MailStatus
from amarevents.settings import Settings

RETENTION = datetime.timedelta(days=30)  # sent mails
FIRST_DELAY = datetime.timedelta(minutes=1)
LONGEST_DELAY = datetime.timedelta(hours=4)
MAX_ATTEMPTS = 20  # which takes two days
_DELETED_AT_ONCE = 1_000


async def enqueue(
    letter: EmailContent,
    kind: MailKind,
    recipient: str,
    *,
    settings: Settings,
    now: datetime.datetime,
    user_id: int | None = None,
    ticket_id: int | None = None,
    held_because: str | None = None,
) -> None:
    """Write a mail in the transaction of what it tells.

    Held where there is no server to send it by, or ``held_because`` of something else.
    """
    await OutgoingMail.create(
        kind=kind,
        status=MailStatus.HELD if settings.smtp_url is None or held_because else MailStatus.PENDING,
        last_error=held_because,
        user_id=user_id,
        ticket_id=ticket_id,
        recipient=recipient,
        subject=letter.subject,
        body=letter.text,
        next_attempt_at=now,
        created_at=now,
    )


def unsent(**about: int) -> QuerySet[OutgoingMail]:
    """The mails about a ticket (``ticket_id``) or an account (``user_id``) that have not left, failed ones included."""
    return OutgoingMail.filter(**about).exclude(status=MailStatus.SENT)


async def due(now: datetime.datetime, *, limit: int) -> list[OutgoingMail]:
    """What is to be sent now, those that have waited longest first, with their tickets."""
    waiting = OutgoingMail.filter(status=MailStatus.PENDING, next_attempt_at__lte=now)
    return await waiting.order_by("next_attempt_at", "id").limit(limit).select_related("ticket")


def _as_claimed(mail: OutgoingMail) -> QuerySet[OutgoingMail]:
    return OutgoingMail.filter(id=mail.id, status=MailStatus.PENDING, next_attempt_at=mail.next_attempt_at)


async def claim(mail: OutgoingMail, until: datetime.datetime) -> bool:
    """Keep everybody else from sending the mail until then; False where another process was first.

    One conditional update decides. Whoever dies afterwards loses nothing: the mail is due again at ``until``.
    """
    if not await _as_claimed(mail).update(next_attempt_at=until, attempts=F("attempts") + 1):
        return False
    mail.next_attempt_at = until
    mail.attempts += 1
    return True


async def mark_sent(mail: OutgoingMail, now: datetime.datetime) -> None:
    """The server has it. The text goes: it is the recipient's, and links in it open things."""
    await OutgoingMail.filter(id=mail.id).update(status=MailStatus.SENT, sent_at=now, body="", last_error=None)


async def reschedule(mail: OutgoingMail, reason: str, now: datetime.datetime) -> None:
    """Try a claimed mail again later, or give it up after ``MAX_ATTEMPTS``."""
    if mail.attempts >= MAX_ATTEMPTS:
        await mark_failed(mail, reason)
    else:
        await _as_claimed(mail).update(next_attempt_at=now + delay_after(mail.attempts), last_error=reason)


async def mark_failed(mail: OutgoingMail, reason: str) -> None:
    await _as_claimed(mail).update(status=MailStatus.FAILED, last_error=reason)


def delay_after(attempts: int) -> datetime.timedelta:
    """Doubled after each attempt, give or take a fifth, so that what failed together is not tried together."""
    doubled = min(FIRST_DELAY * (1 << attempts - 1), LONGEST_DELAY)
    return doubled * (80 + secrets.randbelow(41)) / 100


async def release(chosen: QuerySet[OutgoingMail], now: datetime.datetime) -> int:
    """Send the held and failed ones among them after all, with all attempts before them; how many there were."""
    stopped = chosen.filter(status__in=[MailStatus.HELD, MailStatus.FAILED])
    return await stopped.update(status=MailStatus.PENDING, attempts=0, next_attempt_at=now)


async def purge_sent(now: datetime.datetime) -> None:
    """Delete what was sent long ago, a part at a time; run now and then by the process.

    ``next_attempt_at`` of a sent mail is the end of its last lease, minutes after it was sent, and has an index.
    """
    old = OutgoingMail.filter(status=MailStatus.SENT, next_attempt_at__lt=now - RETENTION)
    ids = await old.order_by("next_attempt_at").limit(_DELETED_AT_ONCE).values_list("id", flat=True)
    if ids:
        await OutgoingMail.filter(id__in=ids).delete()
