"""Failed deliveries: retries, permanent failures, and an unavailable server or database."""

import asyncio
import datetime
import socket

import pytest

from amarevents.mail import outbox, rendering
from amarevents.mail import worker as worker_module
from amarevents.mail.outbox import INITIAL_DELAY, MAX_ATTEMPTS
from amarevents.mail.smtp import ServerUnavailable, SmtpClient
from amarevents.mail.worker import MailWorker, WorkerTiming
from amarevents.models import OutgoingMail
from amarevents.models.columns import utc_now
from amarevents.models.db.connection import DatabaseUnavailable
from amarevents.models.enums import MailStatus
from amarevents.settings import Settings
from tests.support.mail_server import SENDER, MailServer
from tests.support.outbox import REFUSED, Enqueue, make_due, only_mail, recipients_of, running_worker

pytestmark = pytest.mark.usefixtures("database")


async def test_a_temporary_refusal_is_retried_and_does_not_block_others(
    enqueue: Enqueue, mail_server: MailServer, delivery: MailWorker
) -> None:
    mail_server.refusals[REFUSED] = "451 4.7.1 Greylisted"
    await enqueue(REFUSED, "a@example.com")
    before = utc_now()
    await delivery.send_due()
    assert recipients_of(mail_server) == ["a@example.com"]
    mail = await OutgoingMail.get(recipient=REFUSED)
    assert (mail.status, mail.attempts, mail.last_error) == (MailStatus.PENDING, 1, "451 4.7.1 Greylisted")
    assert 0.7 * INITIAL_DELAY < mail.next_attempt_at - before < 1.5 * INITIAL_DELAY + datetime.timedelta(seconds=20)
    del mail_server.refusals[REFUSED]
    await delivery.send_due()
    assert recipients_of(mail_server) == ["a@example.com"]  # not due yet
    await make_due()
    await delivery.send_due()
    assert recipients_of(mail_server) == ["a@example.com", REFUSED]


async def test_delays_between_attempts_increase(
    enqueue: Enqueue, mail_server: MailServer, delivery: MailWorker
) -> None:
    mail_server.refusals[REFUSED] = "451 Later"
    await enqueue(REFUSED)
    delays = []
    for _ in range(4):
        await make_due()
        await delivery.send_due()
        delays.append((await only_mail()).next_attempt_at - utc_now())
    assert delays == sorted(delays)
    assert delays[-1] > 4 * delays[0]


async def test_an_email_fails_after_the_last_attempt(
    enqueue: Enqueue, mail_server: MailServer, delivery: MailWorker
) -> None:
    mail_server.refusals[REFUSED] = "451 Later"
    await enqueue(REFUSED)
    await OutgoingMail.all().update(attempts=MAX_ATTEMPTS - 2)
    for status in (MailStatus.PENDING, MailStatus.FAILED):
        await make_due()
        await delivery.send_due()
        assert (await only_mail()).status is status
    assert (await only_mail()).last_error == "451 Later"


async def test_a_permanent_refusal_fails_and_does_not_block_others(
    enqueue: Enqueue, mail_server: MailServer, delivery: MailWorker
) -> None:
    mail_server.refusals[REFUSED] = "550 5.1.1 No such mailbox"
    await enqueue(REFUSED, "a@example.com")
    await delivery.send_due()
    mail = await OutgoingMail.get(recipient=REFUSED)
    assert (mail.status, mail.attempts, mail.last_error) == (MailStatus.FAILED, 1, "550 5.1.1 No such mailbox")
    assert recipients_of(mail_server) == ["a@example.com"]


async def test_an_invalid_address_fails_with_a_reason(
    enqueue: Enqueue, mail_server: MailServer, delivery: MailWorker
) -> None:
    await enqueue(f"a@{'x' * 64}.example", "b@example.com")
    await delivery.send_due()
    failed = await OutgoingMail.get(status=MailStatus.FAILED)
    assert "Label too long" in str(failed.last_error)
    assert recipients_of(mail_server) == ["b@example.com"]


async def test_an_unexpected_error_does_not_block_other_emails(
    enqueue: Enqueue, mail_server: MailServer, delivery: MailWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    compose = rendering.compose

    def breaks(mail: OutgoingMail, **others: str | None) -> object:
        if mail.recipient == REFUSED:
            raise RuntimeError("a mistake")
        return compose(mail, code=others["code"], sender=SENDER)

    monkeypatch.setattr(worker_module, "compose", breaks)
    await enqueue(REFUSED, "a@example.com")
    await delivery.send_due()
    mail = await OutgoingMail.get(recipient=REFUSED)
    assert (mail.status, mail.attempts, mail.last_error) == (MailStatus.PENDING, 1, "RuntimeError")
    assert recipients_of(mail_server) == ["a@example.com"]


async def test_an_unavailable_server_costs_one_email_an_attempt(enqueue: Enqueue, deployment: Settings) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        postman = SmtpClient(f"smtp://127.0.0.1:{unused.getsockname()[1]}", SENDER)
        await enqueue("a@example.com", "b@example.com")
        with pytest.raises(ServerUnavailable):
            await MailWorker(postman).send_due()
    assert sorted([mail.attempts for mail in await OutgoingMail.filter(status=MailStatus.PENDING)]) == [0, 1]
    assert (await OutgoingMail.get(attempts=1)).last_error


async def test_the_worker_survives_an_unavailable_server_and_database(
    enqueue: Enqueue, mail_server: MailServer, delivery: MailWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[Exception] = [DatabaseUnavailable("away"), ServerUnavailable("away")]
    due = outbox.due

    async def away(now: datetime.datetime, *, limit: int) -> list[OutgoingMail]:
        if failures:
            raise failures.pop()
        return await due(now, limit=limit)

    monkeypatch.setattr(outbox, "due", away)
    await enqueue("a@example.com")
    async with running_worker(delivery):
        await mail_server.arrival()
    assert failures == []


async def test_the_worker_continues_after_unexpected_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = asyncio.Queue[None]()

    async def fail(_delivery: MailWorker) -> None:
        rounds.put_nowait(None)
        raise RuntimeError("unexpected")

    monkeypatch.setattr(MailWorker, "send_due", fail)
    task = asyncio.create_task(MailWorker(SmtpClient("smtp://127.0.0.1:1", SENDER), WorkerTiming(poll=0.001)).run())
    async with asyncio.timeout(5):
        for _ in range(3):
            await rounds.get()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
