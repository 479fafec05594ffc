"""Several workers on one outbox: claims and leases, and workers that die."""

import asyncio
import datetime

import pytest

from amarevents.mail import outbox
from amarevents.mail.smtp import SmtpClient
from amarevents.mail.worker import LEASE, MailWorker
from amarevents.models import OutgoingMail
from amarevents.models.columns import utc_now
from amarevents.models.db.connection import DatabaseUnavailable
from amarevents.models.enums import MailStatus
from tests.support.mail_server import SENDER, MailServer
from tests.support.outbox import Enqueue, make_due, only_mail, recipients_of

WORKERS = 5


pytestmark = pytest.mark.usefixtures("database")


async def send_all_at_once(mail_server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let several workers read the outbox before any of them claims an email."""
    due, together = outbox.due, asyncio.Barrier(WORKERS)

    async def due_together(now: datetime.datetime, *, limit: int) -> list[OutgoingMail]:
        found = await due(now, limit=limit)
        await together.wait()
        return found

    monkeypatch.setattr(outbox, "due", due_together)
    workers = [MailWorker(SmtpClient(mail_server.url, SENDER)) for _ in range(WORKERS)]
    await asyncio.gather(*(worker.send_due() for worker in workers))


async def test_many_workers_send_each_mail_once(
    enqueue: Enqueue, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipients = [f"person{number:02}@example.com" for number in range(20)]
    await enqueue(*recipients)
    await send_all_at_once(mail_server, monkeypatch)
    assert recipients_of(mail_server) == recipients
    assert await OutgoingMail.filter(status=MailStatus.SENT, attempts=1).count() == len(recipients)


async def test_without_claims_emails_are_sent_several_times(
    enqueue: Enqueue, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the test above."""

    async def take(_mail: OutgoingMail, _until: datetime.datetime) -> bool:
        return True

    monkeypatch.setattr(outbox, "claim", take)
    await enqueue("a@example.com", "b@example.com")
    await send_all_at_once(mail_server, monkeypatch)
    assert len(mail_server.delivered) == 2 * WORKERS


async def test_an_email_that_was_sent_but_not_marked_is_sent_again_with_its_message_id(
    enqueue: Enqueue, mail_server: MailServer, delivery: MailWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(_mail: OutgoingMail, _now: datetime.datetime) -> None:
        raise DatabaseUnavailable("the process ends here")

    await enqueue("a@example.com")
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "mark_sent", dies)
        with pytest.raises(DatabaseUnavailable):
            await delivery.send_due()
    await delivery.send_due()
    assert len(mail_server.delivered) == 1  # the lease has not ended
    await make_due()
    await delivery.send_due()
    first, again = mail_server.delivered
    assert first.message["Message-ID"] == again.message["Message-ID"]
    assert (await only_mail()).status is MailStatus.SENT


async def test_an_email_claimed_by_a_dead_worker_is_sent_after_the_lease(
    enqueue: Enqueue, mail_server: MailServer, delivery: MailWorker
) -> None:
    await enqueue("a@example.com")
    now = utc_now()
    [mail] = await outbox.due(now, limit=1)
    assert await outbox.claim(mail, now + LEASE)  # the worker dies here
    assert await outbox.due(now + LEASE - datetime.timedelta(seconds=1), limit=1) == []
    assert [found.id for found in await outbox.due(now + LEASE, limit=1)] == [mail.id]
    await make_due()
    await delivery.send_due()
    assert recipients_of(mail_server) == ["a@example.com"]


async def test_a_worker_whose_lease_has_ended_does_not_change_the_email(
    enqueue: Enqueue, mail_server: MailServer, delivery: MailWorker
) -> None:
    await enqueue("a@example.com")
    [mail] = await outbox.due(utc_now(), limit=1)
    assert await outbox.claim(mail, utc_now() + LEASE)
    await make_due()
    await delivery.send_due()  # another worker
    await outbox.mark_failed(mail, "too late")
    await outbox.reschedule(mail, "too late", utc_now())
    assert (await only_mail()).status is MailStatus.SENT
