"""Emails to ticket holders: which are written to the outbox, in the transaction of the change itself."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from amarevents.models import Event, OutgoingMail, Ticket, TicketType, User, booking
from amarevents.models.columns import utc_now
from amarevents.models.enums import MailKind, MailStatus
from amarevents.models.mails import MAX_BODY, MAX_SUBJECT
from amarevents.resolvers.tickets import registration
from tests.rest.conftest import Stage
from tests.support.mail_server import MailServer
from tests.support.pauses import Pause
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


async def test_a_free_ticket_is_confirmed_by_email(stage: Stage, configured_mail_server: MailServer) -> None:
    ticket = await register(stage)
    [mail] = await mails()
    assert (mail.kind, mail.status) == CONFIRMED
    assert (mail.recipient, mail.ticket_id, mail.attempts) == ("buyer@example.com", ticket, 0)
    assert mail.next_attempt_at <= utc_now()


async def test_a_pending_ticket_sends_no_email(world: World, stage: Stage, configured_mail_server: MailServer) -> None:
    await world.ticket_type(stage.event, price="100")
    await register(stage)
    assert await mails() == []


async def test_a_ticket_registered_by_the_organizer_is_sent_to_the_guest(
    stage: Stage, configured_mail_server: MailServer
) -> None:
    body = {"event_id": stage.event.id, "name": "Guest", "email": "Guest@example.org"}
    data_of(await stage.organizer.post("/tickets", body), 201)
    assert [mail.recipient for mail in await mails()] == ["guest@example.org"]


async def test_without_a_mail_server_emails_are_held(stage: Stage) -> None:
    await register(stage)
    assert await kinds() == [(MailKind.TICKET_CONFIRMED, MailStatus.HELD)]


async def test_the_organizers_template_is_rendered_with_custom_answers(
    world: World, stage: Stage, configured_mail_server: MailServer
) -> None:
    await Event.filter(id=stage.event.id).update(emailtitle="{name}!", emailmessage="{Size}/{Note}/{id}/{price}")
    await world.custom_field(stage.event, "Size")
    await world.custom_field(stage.event, "Note")
    ticket = await register(stage, name="<b>Rana</b>", custom_fields={"Size": "{name}"})
    [mail] = await mails()
    assert (mail.subject, mail.body) == ("<b>Rana</b>!", f"{{name}}//{ticket}/0")


async def test_email_has_the_number_of_the_ticket_and_keeps_its_limit(
    stage: Stage, configured_mail_server: MailServer
) -> None:
    await Event.filter(id=stage.event.id).update(emailtitle="No. {id}", emailmessage="{id}, " * 6_000)
    ticket = await register(stage)
    [mail] = await mails()
    assert mail.subject == f"No. {ticket}"
    assert mail.body == (f"{ticket}, " * 20_000)[: len(mail.body)]
    assert len(mail.body) <= MAX_BODY
    await Event.filter(id=stage.event.id).update(emailtitle="{id}" * 60)
    ticket = await register(stage)
    [_, mail] = await mails()
    assert mail.subject == (str(ticket) * 60)[:MAX_SUBJECT]


async def test_a_failed_registration_sends_no_email(
    world: World, stage: Stage, configured_mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Because another registration has taken the place since this one read the type."""
    ticket_type = await world.ticket_type(stage.event, capacity=1)
    pause = Pause(monkeypatch)
    pause.stop_after(registration, "load_offer")

    async def take_the_place() -> dict[str, list[dict[str, Any]]]:
        await TicketType.filter(id=ticket_type.id).update(sold=1)
        return await snapshot()

    answer, before = await pause.during(stage.buyer.post("/tickets", {"event_id": stage.event.id}), take_the_place())
    error_in(answer, 400, "SOLD_OUT")
    assert await snapshot() == before


async def test_the_ticket_type_is_locked_last(world: World, stage: Stage, configured_mail_server: MailServer) -> None:
    """By the statements, on PostgreSQL those of its function."""
    await world.ticket_type(stage.event, capacity=5)
    with counted_statements() as statements:
        await register(stage)
    executed = "; ".join(statements).replace(booking.FUNCTION, booking.function())
    written = re.findall(r"(?:INSERT INTO|UPDATE) (\w+) ", executed)
    assert [table for table in written if table not in {"custom_values", "payment_claims", "WHERE"}] == [
        "tickets",
        "outgoing_mails",
        "ticket_types",
    ]


async def test_a_repeated_request_sends_one_email(stage: Stage, configured_mail_server: MailServer) -> None:
    for _ in range(2):
        body = {"event_id": stage.event.id}
        data_of(await stage.buyer.post("/tickets", body, Idempotency_Key="once"), 201)
    assert await kinds() == [CONFIRMED]


@pytest.fixture
async def pending(world: World, stage: Stage) -> int:
    """Register for a paid ticket, and return its ID."""
    await world.ticket_type(stage.event, price="100")
    return await register(stage, transaction_id="8n7a")


async def test_an_approval_sends_a_confirmation(
    world: World, stage: Stage, configured_mail_server: MailServer, pending: int
) -> None:
    await Event.filter(id=stage.event.id).update(emailmessage="{Size}: {price}")
    await world.custom_field(stage.event, "Size")
    await change(stage, pending, status="Success", amount=120)
    [mail] = await mails()
    assert ((mail.kind, mail.status), mail.body) == (CONFIRMED, ": 120")


async def test_a_rejection_uses_the_platforms_template(
    stage: Stage, configured_mail_server: MailServer, pending: int
) -> None:
    await Event.filter(id=stage.event.id).update(emailtitle="Welcome", emailmessage="Your place is good")
    await change(stage, pending, status="Failed")
    [mail] = await mails()
    assert (mail.kind, mail.status) == REJECTED
    assert "Welcome" not in mail.subject
    assert "8n7a" in mail.body


@pytest.mark.parametrize("status", ["Pending", "Refunded"])
async def test_other_statuses_withdraw_the_email_and_send_none(
    stage: Stage, configured_mail_server: MailServer, pending: int, status: str
) -> None:
    await change(stage, pending, status="Success")
    await change(stage, pending, status=status)
    assert await mails() == []


async def test_a_revised_decision_replaces_an_unsent_email(
    stage: Stage, configured_mail_server: MailServer, pending: int
) -> None:
    for status, expected in (("Success", CONFIRMED), ("Failed", REJECTED), ("Success", CONFIRMED)):
        await change(stage, pending, status=status)
        assert await kinds() == [expected]


async def test_a_revised_decision_keeps_a_sent_email(
    stage: Stage, configured_mail_server: MailServer, pending: int
) -> None:
    await change(stage, pending, status="Success")
    await OutgoingMail.all().update(status=MailStatus.SENT)
    await change(stage, pending, status="Failed")
    assert await kinds() == [(MailKind.TICKET_CONFIRMED, MailStatus.SENT), REJECTED]


@pytest.mark.parametrize("body", [{"status": "Success"}, {"note": "seen"}, {"name": "Other"}])
async def test_other_changes_send_no_second_email(
    stage: Stage, configured_mail_server: MailServer, pending: int, body: dict[str, str]
) -> None:
    await change(stage, pending, status="Success")
    [first] = await mails()
    await change(stage, pending, **body)
    assert [mail.id for mail in await mails()] == [first.id]


async def test_a_corrected_address_replaces_that_of_an_unsent_email(
    stage: Stage, configured_mail_server: MailServer, pending: int
) -> None:
    await change(stage, pending, status="Success")
    await change(stage, pending, email="right@example.org")
    assert [mail.recipient for mail in await mails()] == ["right@example.org"]


async def test_a_failed_change_sends_no_email(world: World, stage: Stage, configured_mail_server: MailServer) -> None:
    await world.ticket_type(stage.event, capacity=1, price="100")
    refunded = await register(stage)
    await change(stage, refunded, status="Refunded")
    await register(stage)
    before = await snapshot()
    error_in(await stage.organizer.put(f"/tickets/{refunded}", {"status": "Success"}), 400, "SOLD_OUT")
    assert await snapshot() == before


@pytest.mark.parametrize("model", [Ticket, Event, User])
async def test_emails_are_deleted_with_their_ticket_event_or_account(
    stage: Stage, configured_mail_server: MailServer, model: type[Ticket | Event | User]
) -> None:
    ticket = await Ticket.get(id=await register(stage))
    ids: dict[type, int] = {Ticket: ticket.id, Event: ticket.event_id, User: ticket.user_id}
    await model.filter(id=ids[model]).delete()
    assert await mails() == []


async def test_emails_to_other_addresses_are_limited(stage: Stage, configure: Callable[..., None]) -> None:
    configure(mails_per_recipient=2)
    body = {"event_id": stage.event.id, "email": "stranger@example.com", "name": "Buy at evil.example"}
    for _ in range(3):
        data_of(await stage.buyer.post("/tickets", body), 201)
    mails = await OutgoingMail.all().order_by("id")
    assert [mail.last_error is None for mail in mails] == [True, True, False]
    assert mails[-1].status is MailStatus.HELD


async def test_emails_to_the_callers_own_address_and_to_guests_are_not_limited(
    stage: Stage, configure: Callable[..., None]
) -> None:
    configure(mails_per_recipient=1)
    for _ in range(3):
        data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id}), 201)
        data_of(await stage.organizer.post("/tickets", {"event_id": stage.event.id, "email": "g@example.com"}), 201)
    assert [mail.last_error for mail in await OutgoingMail.all()] == [None] * 6
