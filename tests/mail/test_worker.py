"""The mail worker: it sends pending emails in the background, until it is cancelled."""

import asyncio

import pytest

from amarevents.mail import worker as worker_module
from amarevents.mail.smtp import SmtpClient
from amarevents.mail.worker import MailWorker, WorkerTiming
from amarevents.models import OutgoingMail, Ticket
from amarevents.models.columns import utc_now
from amarevents.models.enums import MailStatus
from amarevents.settings import Settings
from tests.rest.conftest import Stage
from tests.support.mail_server import SENDER, MailServer
from tests.support.outbox import Enqueue, make_due, only_mail, recipients_of, running_worker
from tests.support.rest_answers import data_of

pytestmark = pytest.mark.usefixtures("database")


async def test_a_registration_sends_the_ticket_by_email(
    stage: Stage, configured_mail_server: MailServer, delivery: MailWorker
) -> None:
    made = data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id}), 201)
    await delivery.send_due()
    [got] = configured_mail_server.delivered
    assert got.recipients == ["buyer@example.com"]
    assert made["code"] in got.text
    assert [part.get_filename() for part in got.message.iter_attachments()] == ["ticket.png"]


async def test_a_sent_email_is_marked_and_its_body_removed(
    enqueue: Enqueue, mail_server: MailServer, delivery: MailWorker
) -> None:
    await enqueue("a@example.com")
    await delivery.send_due()
    mail = await only_mail()
    assert (mail.status, mail.body, mail.attempts, mail.last_error) == (MailStatus.SENT, "", 1, None)
    assert mail.sent_at is not None
    await make_due()
    await delivery.send_due()
    assert len(mail_server.delivered) == 1


@pytest.mark.parametrize("status", [MailStatus.HELD, MailStatus.FAILED, MailStatus.SENT])
async def test_only_pending_emails_are_sent(
    enqueue: Enqueue, mail_server: MailServer, delivery: MailWorker, status: MailStatus
) -> None:
    await enqueue("a@example.com")
    await OutgoingMail.all().update(status=status)
    await delivery.send_due()
    assert mail_server.connections == 0


async def test_the_worker_sends_new_emails_until_it_is_cancelled(
    enqueue: Enqueue, mail_server: MailServer, delivery: MailWorker
) -> None:
    async with running_worker(delivery):
        await enqueue("a@example.com")
        await mail_server.arrival()
        await enqueue("b@example.com")
        await mail_server.arrival()
    assert recipients_of(mail_server) == ["a@example.com", "b@example.com"]


def test_without_a_mail_server_there_is_no_worker() -> None:
    assert worker_module.mail_worker(Settings()) is None
    assert worker_module.mail_worker(Settings(smtp_url="smtp://127.0.0.1", mail_from=SENDER)) is not None


async def test_registrations_do_not_wait_for_the_mail_server(
    stage: Stage, configured_mail_server: MailServer, delivery: MailWorker, enqueue: Enqueue
) -> None:
    configured_mail_server.answering.clear()
    await enqueue("a@example.com")
    sending = asyncio.create_task(delivery.send_due())
    await configured_mail_server.receiving.wait()
    requests = [stage.buyer.post("/tickets", {"event_id": stage.event.id}) for _ in range(20)]
    assert {answer.status_code for answer in await asyncio.gather(*requests)} == {201}
    assert (configured_mail_server.delivered, sending.done()) == ([], False)
    configured_mail_server.answering.set()
    await sending
    assert recipients_of(configured_mail_server) == ["a@example.com"]
    assert await OutgoingMail.filter(status=MailStatus.PENDING).count() == 20


async def test_a_ticket_may_be_deleted_while_its_email_is_sent(
    stage: Stage, configured_mail_server: MailServer, delivery: MailWorker
) -> None:
    data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id}), 201)
    configured_mail_server.answering.clear()
    sending = asyncio.create_task(delivery.send_due())
    await configured_mail_server.receiving.wait()
    await Ticket.all().delete()
    configured_mail_server.answering.set()
    await sending
    assert await OutgoingMail.all().count() == 0


async def test_shutdown_finishes_the_email_being_sent(enqueue: Enqueue, mail_server: MailServer) -> None:
    mail_server.answering.clear()
    await enqueue("a@example.com", "b@example.com")
    sending = asyncio.create_task(MailWorker(SmtpClient(mail_server.url, SENDER), WorkerTiming(grace=20)).send_due())
    await mail_server.receiving.wait()
    sending.cancel()
    await asyncio.sleep(0)
    mail_server.answering.set()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert recipients_of(mail_server) == ["a@example.com"]
    assert [mail.status for mail in await OutgoingMail.all().order_by("id")] == [MailStatus.SENT, MailStatus.PENDING]


async def test_shutdown_waits_for_a_limited_time(enqueue: Enqueue, mail_server: MailServer) -> None:
    mail_server.answering.clear()
    await enqueue("a@example.com")
    sending = asyncio.create_task(MailWorker(SmtpClient(mail_server.url, SENDER), WorkerTiming(grace=0.05)).send_due())
    await mail_server.receiving.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    mail = await only_mail()
    assert (mail.status, mail.attempts) == (MailStatus.PENDING, 1)
    assert mail.next_attempt_at > utc_now()


async def test_the_worker_can_be_cancelled_at_any_moment(
    enqueue: Enqueue, mail_server: MailServer, delivery: MailWorker
) -> None:
    for moment in range(60):
        await enqueue(f"person{moment}@example.com")
        async with asyncio.timeout(10), running_worker(delivery):
            await mail_server.arrival()
            for _ in range(moment):
                await asyncio.sleep(0)
    assert len({one.recipients[0] for one in mail_server.delivered}) == 60
