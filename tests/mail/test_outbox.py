"""What is written into the outbox, in the transaction of what it tells."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest

from amarevents.mail import outbox
from amarevents.mail.outbox import MAX_ATTEMPTS, MAX_DELAY, delay_after
from amarevents.mail.templates import EmailContent
from amarevents.models import Event, OutgoingMail, Ticket, User
from amarevents.models.columns import utc_now
from amarevents.models.enums import KeyType, MailKind, MailStatus
from amarevents.resolvers.tickets import registration
from amarevents.settings import Settings
from tests.rest.conftest import Stage
from tests.support.mail_server import PostOffice
from tests.support.rest_answers import data_of, error_in
from tests.support.statements import counted_statements
from tests.support.world import World, snapshot

# Any below: JSON bodies.


async def register(stage: Stage, **body: Any) -> int:
    made = data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id, **body}), 201)
    return int(made["id"])


async def change(stage: Stage, ticket: int, **body: Any) -> None:
    data_of(await stage.organizer.put(f"/tickets/{ticket}", body))


async def mails() -> list[OutgoingMail]:
    return await OutgoingMail.all().order_by("id")


async def kinds() -> list[tuple[MailKind, MailStatus]]:
    return [(mail.kind, mail.status) for mail in await mails()]


CONFIRMED = (MailKind.TICKET_CONFIRMED, MailStatus.PENDING)
REJECTED = (MailKind.PAYMENT_REJECTED, MailStatus.PENDING)


# Registering ----------------------------------------------------------------------------------------------------


async def test_a_free_place_is_confirmed_at_once(stage: Stage, mailing: PostOffice) -> None:
    ticket = await register(stage)
    [mail] = await mails()
    assert (mail.kind, mail.status) == CONFIRMED
    assert (mail.recipient, mail.ticket_id, mail.attempts) == ("buyer@example.com", ticket, 0)
    assert mail.next_attempt_at <= utc_now()


async def test_a_place_that_waits_for_approval_is_not_told_of(world: World, stage: Stage, mailing: PostOffice) -> None:
    await world.ticket_type(stage.event, price="100")
    await register(stage)
    assert await mails() == []


async def test_guests_of_the_organizer_are_mailed_themselves(stage: Stage, mailing: PostOffice) -> None:
    body = {"event_id": stage.event.id, "name": "Guest", "email": "Guest@example.org"}
    data_of(await stage.organizer.post("/tickets", body), 201)
    assert [mail.recipient for mail in await mails()] == ["guest@example.org"]


async def test_without_a_mail_server_mails_are_held(stage: Stage) -> None:
    await register(stage)
    assert await kinds() == [(MailKind.TICKET_CONFIRMED, MailStatus.HELD)]


async def test_the_organizers_text_is_filled_in_with_the_answers(
    world: World, stage: Stage, mailing: PostOffice
) -> None:
    await Event.filter(id=stage.event.id).update(emailtitle="{name}!", emailmessage="{Size}/{Note}/{id}/{price}")
    await world.custom_field(stage.event, "Size")
    await world.custom_field(stage.event, "Note")
    ticket = await register(stage, name="<b>Rana</b>", custom_fields={"Size": "{name}"})
    [mail] = await mails()
    assert (mail.subject, mail.body) == ("<b>Rana</b>!", f"{{name}}//{ticket}/0")


async def test_a_registration_that_fails_mails_nothing(
    world: World, stage: Stage, mailing: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.ticket_type(stage.event, capacity=1, sold=1)
    # As for those who see a free place and come too late for it.
    monkeypatch.setattr(registration, "_choose_ticket_type", _seen_before_it_was_sold)
    before = await snapshot()
    error_in(await stage.buyer.post("/tickets", {"event_id": stage.event.id}), 400, "SOLD_OUT")
    assert await snapshot() == before


async def _seen_before_it_was_sold(event: Event, _ticket_type_id: int | None) -> object:
    kind = await event.ticket_types.all().get()  # type: ignore[attr-defined] # the other side of a relation
    kind.sold = 0
    return kind


async def test_the_contended_place_is_taken_after_the_mail_is_written(
    world: World, stage: Stage, mailing: PostOffice
) -> None:
    await world.ticket_type(stage.event, capacity=5)
    with counted_statements() as statements:
        await register(stage)
    writes = [statement.split('"')[1] for statement in statements if not statement.startswith("SELECT")]
    assert writes == ["tickets", "outgoing_mails", "ticket_types"]


async def test_a_repeated_request_mails_once(stage: Stage, mailing: PostOffice) -> None:
    for _ in range(2):
        body = {"event_id": stage.event.id}
        data_of(await stage.buyer.post("/tickets", body, Idempotency_Key="once"), 201)
    assert await kinds() == [CONFIRMED]


# Deciding -------------------------------------------------------------------------------------------------------


@pytest.fixture
async def pending(world: World, stage: Stage) -> int:
    """A ticket that waits for approval."""
    await world.ticket_type(stage.event, price="100")
    return await register(stage, transaction_id="8n7a")


async def test_an_approval_is_told(world: World, stage: Stage, mailing: PostOffice, pending: int) -> None:
    await Event.filter(id=stage.event.id).update(emailmessage="{Size}: {price}")
    await world.custom_field(stage.event, "Size")
    await change(stage, pending, status="Success", amount=120)
    [mail] = await mails()
    assert ((mail.kind, mail.status), mail.body) == (CONFIRMED, ": 120")


async def test_a_rejection_is_told_in_our_words(stage: Stage, mailing: PostOffice, pending: int) -> None:
    await Event.filter(id=stage.event.id).update(emailtitle="Welcome", emailmessage="Your place is good")
    await change(stage, pending, status="Failed")
    [mail] = await mails()
    assert (mail.kind, mail.status) == REJECTED
    assert "Welcome" not in mail.subject
    assert "8N7A" in mail.body


@pytest.mark.parametrize("status", ["Pending", "Refunded"])
async def test_other_statuses_are_not_told_of(stage: Stage, mailing: PostOffice, pending: int, status: str) -> None:
    await change(stage, pending, status="Success")
    await change(stage, pending, status=status)
    assert await mails() == []


async def test_a_decision_that_is_revised_takes_back_what_has_not_left(
    stage: Stage, mailing: PostOffice, pending: int
) -> None:
    for status, told in (("Success", CONFIRMED), ("Failed", REJECTED), ("Success", CONFIRMED)):
        await change(stage, pending, status=status)
        assert await kinds() == [told]


async def test_what_has_left_stays_where_it_is(stage: Stage, mailing: PostOffice, pending: int) -> None:
    await change(stage, pending, status="Success")
    await OutgoingMail.all().update(status=MailStatus.SENT)
    await change(stage, pending, status="Failed")
    assert await kinds() == [(MailKind.TICKET_CONFIRMED, MailStatus.SENT), REJECTED]


@pytest.mark.parametrize("body", [{"status": "Success"}, {"note": "seen"}, {"name": "Other"}])
async def test_what_changes_neither_status_nor_address_is_told_once(
    stage: Stage, mailing: PostOffice, pending: int, body: dict[str, str]
) -> None:
    await change(stage, pending, status="Success")
    [first] = await mails()
    await change(stage, pending, **body)
    assert [mail.id for mail in await mails()] == [first.id]


async def test_a_corrected_address_is_mailed_instead_of_the_wrong_one(
    stage: Stage, mailing: PostOffice, pending: int
) -> None:
    await change(stage, pending, status="Success")
    await change(stage, pending, email="right@example.org")
    assert [mail.recipient for mail in await mails()] == ["right@example.org"]


async def test_a_change_that_fails_mails_nothing(world: World, stage: Stage, mailing: PostOffice) -> None:
    await world.ticket_type(stage.event, capacity=1, price="100")
    refunded = await register(stage)
    await change(stage, refunded, status="Refunded")
    await register(stage)
    before = await snapshot()
    error_in(await stage.organizer.put(f"/tickets/{refunded}", {"status": "Success"}), 400, "SOLD_OUT")
    assert await snapshot() == before


# Deleting -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [Ticket, Event, User])
async def test_mails_go_with_what_they_are_about(
    stage: Stage, mailing: PostOffice, model: type[Ticket | Event | User]
) -> None:
    ticket = await Ticket.get(id=await register(stage))
    ids: dict[type, int] = {Ticket: ticket.id, Event: ticket.event_id, User: ticket.user_id}
    await model.filter(id=ids[model]).delete()
    assert await mails() == []


# Upkeep and operators -------------------------------------------------------------------------------------------


async def put_mail(settings: Settings, **changes: Any) -> OutgoingMail:
    """A pending mail that is due."""
    letter = EmailContent("Hello", "Hello")
    await outbox.enqueue(letter, MailKind.CONFIRM_EMAIL, "a@example.org", settings=settings, now=utc_now())
    mail = await OutgoingMail.all().order_by("-id").first()
    assert mail is not None
    await OutgoingMail.filter(id=mail.id).update(**{"status": MailStatus.PENDING, **changes})
    return await OutgoingMail.get(id=mail.id)


async def test_sent_mails_are_forgotten_after_thirty_days(database: None, deployment: Settings) -> None:
    now = utc_now()
    for status in MailStatus:
        for days in (29, 31):
            await put_mail(deployment, status=status, next_attempt_at=now - datetime.timedelta(days=days))
    await outbox.purge_sent(now)
    assert await OutgoingMail.filter(status=MailStatus.SENT).count() == 1
    assert await OutgoingMail.all().count() == 2 * len(MailStatus) - 1


async def test_release_takes_what_has_stopped_and_nothing_else(database: None, deployment: Settings) -> None:
    for status in MailStatus:
        await put_mail(deployment, status=status, attempts=5)
    assert await outbox.release(OutgoingMail.all(), utc_now()) == 2
    stood = sorted((mail.status, mail.attempts) for mail in await mails())
    assert stood == [("pending", 0), ("pending", 0), ("pending", 5), ("sent", 5)]


def test_attempts_go_on_for_about_two_days_and_never_wait_long() -> None:
    delays = [delay_after(attempt) for attempt in range(1, MAX_ATTEMPTS)]
    total = sum(delays, datetime.timedelta())
    assert datetime.timedelta(hours=36) < total < datetime.timedelta(hours=60)
    assert max(delays) <= MAX_DELAY * 1.2
    assert delays[0] < datetime.timedelta(minutes=2)
    assert len({delay_after(MAX_ATTEMPTS) for _ in range(50)}) > 1


# What admins see ------------------------------------------------------------------------------------------------

OUTBOX = """query($status: MailStatus) { outbox(status: $status, limit: 2) {
    items { id kind status recipient subject userId ticketId attempts nextAttemptAt sentAt lastError createdAt }
    pagination { total pages }
} }"""


async def test_admins_see_the_outbox_without_texts(stage: Stage, mailing: PostOffice) -> None:
    tickets = [await register(stage) for _ in range(3)]
    await OutgoingMail.filter(ticket_id=tickets[0]).update(status=MailStatus.FAILED, last_error="550 no")
    listed = (await stage.admin.graphql(OUTBOX))["data"]["outbox"]
    assert [mail["ticketId"] for mail in listed["items"]] == [str(tickets[2]), str(tickets[1])]
    assert listed["pagination"] == {"total": 3, "pages": 2}
    [failed] = (await stage.admin.graphql(OUTBOX, status="FAILED"))["data"]["outbox"]["items"]
    assert (failed["status"], failed["kind"], failed["lastError"]) == ("FAILED", "TICKET_CONFIRMED", "550 no")
    schema = await stage.admin.graphql('{ __type(name: "OutgoingMail") { fields { name } } }')
    assert "body" not in {field["name"] for field in schema["data"]["__type"]["fields"]}


async def test_nobody_else_sees_it(world: World, stage: Stage) -> None:
    assert stage.admin.user is not None
    callers = {
        "nobody": world.anonymous,
        "buyer": stage.buyer,
        "organizer": stage.organizer,
        "organizer's session": await world.session(await world.organizer()),
        "admin's user key": await world.key(stage.admin.user, KeyType.USER),
        "admin key without the scope": await world.key(stage.admin.user, KeyType.ADMIN, permissions=["tickets:read"]),
    }
    answers = {name: await caller.graphql(OUTBOX) for name, caller in callers.items()}
    statuses = {name: answer["errors"][0]["extensions"]["status"] for name, answer in answers.items()}
    assert statuses == {**dict.fromkeys(callers, 403), "nobody": 401}
    assert [answer["data"] for answer in answers.values()] == [{"outbox": None}] * len(callers)


async def test_an_admins_session_sees_it(world: World, stage: Stage) -> None:
    answer = await (await world.session(await world.admin())).graphql(OUTBOX)
    assert answer["data"]["outbox"]["items"] == []


async def test_strangers_are_not_mailed_without_end(stage: Stage, configure: Callable[..., None]) -> None:
    configure(mails_per_recipient=2)
    body = {"event_id": stage.event.id, "email": "stranger@example.com", "name": "Buy at evil.example"}
    for _ in range(3):
        data_of(await stage.buyer.post("/tickets", body), 201)
    mails = await OutgoingMail.all().order_by("id")
    assert [mail.last_error is None for mail in mails] == [True, True, False]
    assert mails[-1].status is MailStatus.HELD


async def test_ones_own_address_and_the_organizers_guests_are_mailed_always(
    stage: Stage, configure: Callable[..., None]
) -> None:
    configure(mails_per_recipient=1)
    for _ in range(3):
        data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id}), 201)
        data_of(await stage.organizer.post("/tickets", {"event_id": stage.event.id, "email": "g@example.com"}), 201)
    assert [mail.last_error for mail in await OutgoingMail.all()] == [None] * 6
