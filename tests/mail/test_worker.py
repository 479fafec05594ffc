"""Sending what is in the outbox: every mail at least once, by one process at a time, and nobody waits for it."""

import asyncio
import contextlib
import datetime
import socket
from collections.abc import AsyncIterator, Callable

import pytest

from amarevents.mail import outbox, rendering
from amarevents.mail import worker as delivering
from amarevents.mail.outbox import INITIAL_DELAY, MAX_ATTEMPTS
from amarevents.mail.smtp import ServerUnavailable, SmtpClient
from amarevents.mail.templates import EmailContent
from amarevents.mail.worker import LEASE, MailWorker, WorkerTiming
from amarevents.models import OutgoingMail, Ticket
from amarevents.models.columns import utc_now
from amarevents.models.db.connection import DatabaseUnavailable
from amarevents.models.enums import MailKind, MailStatus
from amarevents.settings import Settings
from tests.rest.conftest import Stage
from tests.support.mail_server import SENDER, PostOffice
from tests.support.rest_answers import data_of

NOBODY = "nobody@example.com"
WORKERS = 5

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def put(office: PostOffice, deployment: Settings) -> Callable[..., object]:
    """``await put(recipient, …)``: write mails that are due."""

    async def write(*recipients: str) -> None:
        for recipient in recipients:
            mail = EmailContent(f"To {recipient}", "https://amarevents.example/x?token=secret")
            await outbox.enqueue(mail, MailKind.CONFIRM_EMAIL, recipient, settings=deployment, now=utc_now())
        await OutgoingMail.all().update(status=MailStatus.PENDING)

    return write


Put = Callable[..., "asyncio.Future[None]"]


async def make_due() -> None:
    """As when the time for the next attempt has come."""
    await OutgoingMail.filter(status=MailStatus.PENDING).update(next_attempt_at=utc_now())


async def the_mail() -> OutgoingMail:
    return await OutgoingMail.get()


def recipients_of(office: PostOffice) -> list[str]:
    return sorted(one.recipients[0] for one in office.delivered)


@contextlib.asynccontextmanager
async def running(one: MailWorker) -> AsyncIterator[None]:
    task = asyncio.create_task(one.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


# What goes well -------------------------------------------------------------------------------------------------


async def test_a_registration_brings_its_ticket_by_mail(
    stage: Stage, mailing: PostOffice, delivery: MailWorker
) -> None:
    made = data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id}), 201)
    await delivery.send_due()
    [got] = mailing.delivered
    assert got.recipients == ["buyer@example.com"]
    assert made["code"] in got.text
    assert [part.get_filename() for part in got.message.iter_attachments()] == ["ticket.png"]


async def test_what_was_sent_says_so_and_keeps_no_text(put: Put, office: PostOffice, delivery: MailWorker) -> None:
    await put("a@example.com")
    await delivery.send_due()
    mail = await the_mail()
    assert (mail.status, mail.body, mail.attempts, mail.last_error) == (MailStatus.SENT, "", 1, None)
    assert mail.sent_at is not None
    await make_due()
    await delivery.send_due()
    assert len(office.delivered) == 1


@pytest.mark.parametrize("status", [MailStatus.HELD, MailStatus.FAILED, MailStatus.SENT])
async def test_only_what_is_pending_is_sent(
    put: Put, office: PostOffice, delivery: MailWorker, status: MailStatus
) -> None:
    await put("a@example.com")
    await OutgoingMail.all().update(status=status)
    await delivery.send_due()
    assert office.connections == 0


async def test_the_task_sends_what_comes_and_ends_when_told_to(
    put: Put, office: PostOffice, delivery: MailWorker
) -> None:
    async with running(delivery):
        await put("a@example.com")
        await office.arrival()
        await put("b@example.com")
        await office.arrival()
    assert recipients_of(office) == ["a@example.com", "b@example.com"]


def test_without_a_server_there_is_no_task() -> None:
    assert delivering.mail_worker(Settings()) is None
    assert delivering.mail_worker(Settings(smtp_url="smtp://127.0.0.1", mail_from=SENDER)) is not None


# What goes wrong ------------------------------------------------------------------------------------------------


async def test_a_temporary_refusal_is_tried_again_later_and_stops_nobody(
    put: Put, office: PostOffice, delivery: MailWorker
) -> None:
    office.refusals[NOBODY] = "451 4.7.1 Greylisted"
    await put(NOBODY, "a@example.com")
    before = utc_now()
    await delivery.send_due()
    assert recipients_of(office) == ["a@example.com"]
    mail = await OutgoingMail.get(recipient=NOBODY)
    assert (mail.status, mail.attempts, mail.last_error) == (MailStatus.PENDING, 1, "451 4.7.1 Greylisted")
    assert 0.7 * INITIAL_DELAY < mail.next_attempt_at - before < 1.5 * INITIAL_DELAY + datetime.timedelta(seconds=20)
    del office.refusals[NOBODY]
    await delivery.send_due()
    assert recipients_of(office) == ["a@example.com"]  # its time has not come
    await make_due()
    await delivery.send_due()
    assert recipients_of(office) == ["a@example.com", NOBODY]


async def test_each_delay_is_longer(put: Put, office: PostOffice, delivery: MailWorker) -> None:
    office.refusals[NOBODY] = "451 Later"
    await put(NOBODY)
    delays = []
    for _ in range(4):
        await make_due()
        await delivery.send_due()
        delays.append((await the_mail()).next_attempt_at - utc_now())
    assert delays == sorted(delays)
    assert delays[-1] > 4 * delays[0]


async def test_after_the_last_attempt_a_mail_has_failed(put: Put, office: PostOffice, delivery: MailWorker) -> None:
    office.refusals[NOBODY] = "451 Later"
    await put(NOBODY)
    await OutgoingMail.all().update(attempts=MAX_ATTEMPTS - 2)
    for status in (MailStatus.PENDING, MailStatus.FAILED):
        await make_due()
        await delivery.send_due()
        assert (await the_mail()).status is status
    assert (await the_mail()).last_error == "451 Later"


async def test_a_permanent_refusal_has_failed_at_once_and_stops_nobody(
    put: Put, office: PostOffice, delivery: MailWorker
) -> None:
    office.refusals[NOBODY] = "550 5.1.1 No such mailbox"
    await put(NOBODY, "a@example.com")
    await delivery.send_due()
    mail = await OutgoingMail.get(recipient=NOBODY)
    assert (mail.status, mail.attempts, mail.last_error) == (MailStatus.FAILED, 1, "550 5.1.1 No such mailbox")
    assert recipients_of(office) == ["a@example.com"]


async def test_an_address_that_cannot_be_written_to_has_failed_and_says_why(
    put: Put, office: PostOffice, delivery: MailWorker
) -> None:
    await put(f"a@{'x' * 64}.example", "b@example.com")
    await delivery.send_due()
    failed = await OutgoingMail.get(status=MailStatus.FAILED)
    assert "label" in str(failed.last_error)
    assert recipients_of(office) == ["b@example.com"]


async def test_a_mail_that_breaks_our_own_code_stops_nobody(
    put: Put, office: PostOffice, delivery: MailWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    compose = rendering.compose

    def breaks(mail: OutgoingMail, **others: str | None) -> object:
        if mail.recipient == NOBODY:
            raise RuntimeError("a mistake")
        return compose(mail, code=others["code"], sender=SENDER)

    monkeypatch.setattr(delivering, "compose", breaks)
    await put(NOBODY, "a@example.com")
    await delivery.send_due()
    mail = await OutgoingMail.get(recipient=NOBODY)
    assert (mail.status, mail.attempts, mail.last_error) == (MailStatus.PENDING, 1, "RuntimeError")
    assert recipients_of(office) == ["a@example.com"]


async def test_a_server_that_is_away_costs_one_mail_an_attempt(put: Put, deployment: Settings) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        postman = SmtpClient(f"smtp://127.0.0.1:{unused.getsockname()[1]}", SENDER)
        await put("a@example.com", "b@example.com")
        with pytest.raises(ServerUnavailable):
            await MailWorker(postman).send_due()
    assert sorted([mail.attempts for mail in await OutgoingMail.filter(status=MailStatus.PENDING)]) == [0, 1]
    assert (await OutgoingMail.get(attempts=1)).last_error


async def test_the_task_outlives_a_server_and_a_database_that_are_away(
    put: Put, office: PostOffice, delivery: MailWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[Exception] = [DatabaseUnavailable("away"), ServerUnavailable("away")]
    due = outbox.due

    async def away(now: datetime.datetime, *, limit: int) -> list[OutgoingMail]:
        if failures:
            raise failures.pop()
        return await due(now, limit=limit)

    monkeypatch.setattr(outbox, "due", away)
    await put("a@example.com")
    async with running(delivery):
        await office.arrival()
    assert failures == []


# Nobody waits ---------------------------------------------------------------------------------------------------


async def test_registrations_go_on_while_the_server_answers_nothing(
    stage: Stage, mailing: PostOffice, delivery: MailWorker, put: Put
) -> None:
    mailing.answering.clear()
    await put("a@example.com")
    sending = asyncio.create_task(delivery.send_due())
    await mailing.asked.wait()
    asked = [stage.buyer.post("/tickets", {"event_id": stage.event.id}) for _ in range(20)]
    assert {answer.status_code for answer in await asyncio.gather(*asked)} == {201}
    assert (mailing.delivered, sending.done()) == ([], False)
    mailing.answering.set()
    await sending
    assert recipients_of(mailing) == ["a@example.com"]
    assert await OutgoingMail.filter(status=MailStatus.PENDING).count() == 20


async def test_a_ticket_deleted_while_its_mail_is_under_way_breaks_nothing(
    stage: Stage, mailing: PostOffice, delivery: MailWorker
) -> None:
    data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id}), 201)
    mailing.answering.clear()
    sending = asyncio.create_task(delivery.send_due())
    await mailing.asked.wait()
    await Ticket.all().delete()
    mailing.answering.set()
    await sending
    assert await OutgoingMail.all().count() == 0


# Several processes, and such as die -----------------------------------------------------------------------------


async def send_all_at_once(office: PostOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds of several workers, all of which have read the outbox before any of them claims a mail."""
    due, together = outbox.due, asyncio.Barrier(WORKERS)

    async def due_together(now: datetime.datetime, *, limit: int) -> list[OutgoingMail]:
        found = await due(now, limit=limit)
        await together.wait()
        return found

    monkeypatch.setattr(outbox, "due", due_together)
    workers = [MailWorker(SmtpClient(office.url, SENDER)) for _ in range(WORKERS)]
    await asyncio.gather(*(worker.send_due() for worker in workers))


async def test_many_workers_send_each_mail_once(put: Put, office: PostOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    everybody = [f"person{number:02}@example.com" for number in range(20)]
    await put(*everybody)
    await send_all_at_once(office, monkeypatch)
    assert recipients_of(office) == everybody
    assert await OutgoingMail.filter(status=MailStatus.SENT, attempts=1).count() == len(everybody)


async def test_without_the_claim_they_send_them_several_times(
    put: Put, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control."""

    async def take(_mail: OutgoingMail, _until: datetime.datetime) -> bool:
        return True

    monkeypatch.setattr(outbox, "claim", take)
    await put("a@example.com", "b@example.com")
    await send_all_at_once(office, monkeypatch)
    assert len(office.delivered) == 2 * WORKERS


async def test_a_mail_that_was_sent_but_not_marked_is_sent_again_as_the_same(
    put: Put, office: PostOffice, delivery: MailWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(_mail: OutgoingMail, _now: datetime.datetime) -> None:
        raise DatabaseUnavailable("the process ends here")

    await put("a@example.com")
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "mark_sent", dies)
        with pytest.raises(DatabaseUnavailable):
            await delivery.send_due()
    await delivery.send_due()
    assert len(office.delivered) == 1  # its lease lasts
    await make_due()
    await delivery.send_due()
    first, again = office.delivered
    assert first.message["Message-ID"] == again.message["Message-ID"]
    assert (await the_mail()).status is MailStatus.SENT


async def test_a_worker_that_dies_within_its_lease_loses_nothing(
    put: Put, office: PostOffice, delivery: MailWorker
) -> None:
    await put("a@example.com")
    now = utc_now()
    [mail] = await outbox.due(now, limit=1)
    assert await outbox.claim(mail, now + LEASE)  # and is never heard of again
    assert await outbox.due(now + LEASE - datetime.timedelta(seconds=1), limit=1) == []
    assert [found.id for found in await outbox.due(now + LEASE, limit=1)] == [mail.id]
    await make_due()
    await delivery.send_due()
    assert recipients_of(office) == ["a@example.com"]


async def test_a_worker_whose_lease_has_ended_undoes_nothing(
    put: Put, office: PostOffice, delivery: MailWorker
) -> None:
    await put("a@example.com")
    [mail] = await outbox.due(utc_now(), limit=1)
    assert await outbox.claim(mail, utc_now() + LEASE)
    await make_due()
    await delivery.send_due()  # another one
    await outbox.mark_failed(mail, "too late")
    await outbox.reschedule(mail, "too late", utc_now())
    assert (await the_mail()).status is MailStatus.SENT


async def test_a_process_that_stops_finishes_the_mail_under_way(put: Put, office: PostOffice) -> None:
    office.answering.clear()
    await put("a@example.com", "b@example.com")
    sending = asyncio.create_task(MailWorker(SmtpClient(office.url, SENDER), WorkerTiming(grace=20)).send_due())
    await office.asked.wait()
    sending.cancel()
    await asyncio.sleep(0)
    office.answering.set()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert recipients_of(office) == ["a@example.com"]
    assert [mail.status for mail in await OutgoingMail.all().order_by("id")] == [MailStatus.SENT, MailStatus.PENDING]


async def test_a_process_that_stops_does_not_wait_for_ever(put: Put, office: PostOffice) -> None:
    office.answering.clear()
    await put("a@example.com")
    sending = asyncio.create_task(MailWorker(SmtpClient(office.url, SENDER), WorkerTiming(grace=0.05)).send_due())
    await office.asked.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    mail = await the_mail()
    assert (mail.status, mail.attempts) == (MailStatus.PENDING, 1)
    assert mail.next_attempt_at > utc_now()


async def test_the_task_ends_at_whatever_moment_it_is_told_to(
    put: Put, office: PostOffice, delivery: MailWorker
) -> None:
    for moment in range(60):
        await put(f"person{moment}@example.com")
        async with asyncio.timeout(10), running(delivery):
            await office.arrival()
            for _ in range(moment):
                await asyncio.sleep(0)
    assert len({one.recipients[0] for one in office.delivered}) == 60


async def test_delivery_goes_on_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = asyncio.Queue[None]()

    async def fail(_delivery: MailWorker) -> None:
        rounds.put_nowait(None)
        raise RuntimeError("nobody has foreseen this")

    monkeypatch.setattr(MailWorker, "send_due", fail)
    running = asyncio.create_task(MailWorker(SmtpClient("smtp://127.0.0.1:1", SENDER), WorkerTiming(poll=0.001)).run())
    async with asyncio.timeout(5):
        for _ in range(3):
            await rounds.get()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
