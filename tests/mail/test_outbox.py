"""The outbox: how long emails are retried and kept, and who sees it."""

import datetime
from typing import Any

from amarevents.mail import outbox
from amarevents.mail.outbox import MAX_ATTEMPTS, MAX_DELAY, delay_after
from amarevents.mail.templates import EmailContent
from amarevents.models import OutgoingMail
from amarevents.models.columns import utc_now
from amarevents.models.enums import KeyType, MailKind, MailStatus
from amarevents.settings import Settings
from tests.rest.conftest import Stage
from tests.support.mail_server import MailServer
from tests.support.rest_answers import data_of
from tests.support.world import World

# Any below: JSON bodies.


async def register(stage: Stage, **body: Any) -> int:
    made = data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id, **body}), 201)
    return int(made["id"])


async def mails() -> list[OutgoingMail]:
    return await OutgoingMail.all().order_by("id")


async def create_email(settings: Settings, **changes: Any) -> OutgoingMail:
    """Create a pending email that is due."""
    content = EmailContent("Hello", "Hello")
    await outbox.enqueue(content, MailKind.CONFIRM_EMAIL, "a@example.org", settings=settings, now=utc_now())
    mail = await OutgoingMail.all().order_by("-id").first()
    assert mail is not None
    await OutgoingMail.filter(id=mail.id).update(**{"status": MailStatus.PENDING, **changes})
    return await OutgoingMail.get(id=mail.id)


async def test_sent_emails_are_purged_after_thirty_days(database: None, deployment: Settings) -> None:
    now = utc_now()
    for status in MailStatus:
        for days in (29, 31):
            await create_email(deployment, status=status, next_attempt_at=now - datetime.timedelta(days=days))
    await outbox.purge_sent(now)
    assert await OutgoingMail.filter(status=MailStatus.SENT).count() == 1
    assert await OutgoingMail.all().count() == 2 * len(MailStatus) - 1


async def test_release_requeues_only_held_and_failed_emails(database: None, deployment: Settings) -> None:
    for status in MailStatus:
        await create_email(deployment, status=status, attempts=5)
    assert await outbox.release(OutgoingMail.all(), utc_now()) == 2
    states = sorted((mail.status, mail.attempts) for mail in await mails())
    assert states == [("pending", 0), ("pending", 0), ("pending", 5), ("sent", 5)]


def test_attempts_continue_for_about_two_days_with_bounded_delays() -> None:
    delays = [delay_after(attempt) for attempt in range(1, MAX_ATTEMPTS)]
    total = sum(delays, datetime.timedelta())
    assert datetime.timedelta(hours=36) < total < datetime.timedelta(hours=60)
    assert max(delays) <= MAX_DELAY * 1.2
    assert delays[0] < datetime.timedelta(minutes=2)
    assert len({delay_after(MAX_ATTEMPTS) for _ in range(50)}) > 1


# The list for admins --------------------------------------------------------------------------------------------

OUTBOX = """query($status: MailStatus) { outbox(status: $status, limit: 2) {
    items { id kind status recipient subject userId ticketId attempts nextAttemptAt sentAt lastError createdAt }
    pagination { total pages }
} }"""


async def test_admins_see_the_outbox_without_bodies(stage: Stage, configured_mail_server: MailServer) -> None:
    tickets = [await register(stage) for _ in range(3)]
    await OutgoingMail.filter(ticket_id=tickets[0]).update(status=MailStatus.FAILED, last_error="550 no")
    listed = (await stage.admin.graphql(OUTBOX))["data"]["outbox"]
    assert [mail["ticketId"] for mail in listed["items"]] == [str(tickets[2]), str(tickets[1])]
    assert listed["pagination"] == {"total": 3, "pages": 2}
    [failed] = (await stage.admin.graphql(OUTBOX, status="FAILED"))["data"]["outbox"]["items"]
    assert (failed["status"], failed["kind"], failed["lastError"]) == ("FAILED", "TICKET_CONFIRMED", "550 no")
    schema = await stage.admin.graphql('{ __type(name: "OutgoingMail") { fields { name } } }')
    assert "body" not in {field["name"] for field in schema["data"]["__type"]["fields"]}


async def test_only_admins_see_the_outbox(world: World, stage: Stage) -> None:
    assert stage.admin.user is not None
    callers = {
        "anonymous": world.anonymous,
        "buyer": stage.buyer,
        "organizer": stage.organizer,
        "organizer's session": await world.session(await world.organizer()),
        "admin's user key": await world.key(stage.admin.user, KeyType.USER),
        "admin key without the scope": await world.key(stage.admin.user, KeyType.ADMIN, permissions=["tickets:read"]),
    }
    answers = {name: await caller.graphql(OUTBOX) for name, caller in callers.items()}
    statuses = {name: answer["errors"][0]["extensions"]["status"] for name, answer in answers.items()}
    assert statuses == {**dict.fromkeys(callers, 403), "anonymous": 401}
    assert [answer["data"] for answer in answers.values()] == [{"outbox": None}] * len(callers)


async def test_an_admin_in_a_session_sees_the_outbox(world: World, stage: Stage) -> None:
    answer = await (await world.session(await world.admin())).graphql(OUTBOX)
    assert answer["data"]["outbox"]["items"] == []
