"""Holds of unpaid tickets: how long they last, and what happens at their end (decisions 6.2a)."""

import asyncio
import datetime
from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette

from amarevents.models import Event, OutgoingMail, Ticket
from amarevents.models.enums import MailKind, TicketStatus
from amarevents.resolvers.tickets import holds
from amarevents.security.context import Context
from tests.rest.conftest import Stage
from tests.support.graphql_answers import answer_of
from tests.support.holds import HOUR, end_holds, unpaid_ticket
from tests.support.places import places_held
from tests.support.rest_answers import data_of, refused
from tests.support.world import World

NOW = datetime.datetime(2030, 1, 1, 12, tzinfo=datetime.UTC)
REGISTER = (
    "mutation($id: ID!, $transaction: String) { registerForEvent(input: {eventId: $id, transactionId: $transaction})"
    " { id status expiresAt } }"
)
ADD_PAYMENT = (
    "mutation($id: ID!) { addPayment(input: {ticketId: $id, transactionId: \"8N7A6\"}) { status expiresAt } }"
)  # fmt: skip


# When a hold ends -------------------------------------------------------------------------------------------------

HOLDS = [
    (None, {}, "2030-01-02T12:00:00Z"),  # the default of the platform
    (30, {}, "2030-01-01T12:30:00Z"),
    (30, {"amount": 0}, "2030-01-01T12:30:00Z"),
    (0, {}, None),
    (30, {"transaction_id": "8N7A6"}, None),
]


@pytest.mark.parametrize(("minutes", "body", "expires_at"), HOLDS)
async def test_unpaid_ticket_shows_when_it_expires(
    world: World,
    stage: Stage,
    set_clock: Callable[[datetime.datetime], None],
    minutes: int | None,
    body: dict[str, Any],
    expires_at: str | None,
) -> None:
    await world.ticket_type(stage.event, price="500")
    data_of(await stage.organizer.put(f"/events/{stage.event.id}", {"hold_minutes": minutes}))
    set_clock(NOW)
    created = data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id, **body}), 201)
    assert (created["status"], created["expires_at"]) == ("Pending", expires_at)
    assert data_of(await stage.buyer.get(f"/tickets/{created['id']}"))["expires_at"] == expires_at


async def test_graphql_shows_when_a_ticket_expires(
    world: World, stage: Stage, set_clock: Callable[[datetime.datetime], None], configure: Callable[..., None]
) -> None:
    configure(hold_minutes=90)
    await world.ticket_type(stage.event, price="500")
    set_clock(NOW)
    unpaid = await answer_of(stage.buyer, REGISTER, id=stage.event.id)
    paid = await answer_of(stage.buyer, REGISTER, id=stage.event.id, transaction="8N7A6")
    assert (unpaid["expiresAt"], paid["expiresAt"]) == ("2030-01-01T13:30:00Z", None)


@pytest.mark.parametrize(("amount", "expires"), [(None, False), (5, True)])
async def test_free_ticket_expires_only_if_a_payment_was_claimed(
    stage: Stage, amount: int | None, *, expires: bool
) -> None:
    created = data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id, "amount": amount}), 201)
    assert (created["expires_at"] is not None) is expires


async def test_changed_hold_applies_to_later_registrations(world: World, stage: Stage) -> None:
    ticket = await unpaid_ticket(
        world, stage.event, stage.buyer_account, await world.ticket_type(stage.event, price="5"), ends_in=HOUR
    )
    data_of(await stage.organizer.put(f"/events/{stage.event.id}", {"hold_minutes": 0}))
    assert (await Ticket.get(id=ticket.id)).hold_expires_at == ticket.hold_expires_at


# The end of a hold ------------------------------------------------------------------------------------------------


async def test_ticket_fails_when_its_hold_ends(world: World, stage: Stage, app: Starlette) -> None:
    ticket_type = await world.ticket_type(stage.event, price="500", capacity=5)
    overdue = await unpaid_ticket(world, stage.event, stage.buyer_account, ticket_type, ends_in=-HOUR)
    later = await unpaid_ticket(world, stage.event, stage.buyer_account, ticket_type, ends_in=HOUR)
    await end_holds(app)
    failed = await Ticket.get(id=overdue.id)
    assert (failed.status, failed.decision_reason, failed.hold_expires_at) == (TicketStatus.FAILED, "expired", None)
    assert failed.decided_at is not None
    assert (await Ticket.get(id=later.id)).status is TicketStatus.PENDING
    assert await places_held() == {ticket_type.id: 1}


async def test_attendee_and_buyer_learn_of_the_end(world: World, stage: Stage, app: Starlette) -> None:
    ticket_type = await world.ticket_type(stage.event, price="500")
    ticket = await unpaid_ticket(world, stage.event, stage.buyer_account, ticket_type, ends_in=-HOUR)
    await end_holds(app)
    [mail] = await OutgoingMail.all()
    assert (mail.kind, mail.recipient, mail.ticket_id) == (MailKind.HOLD_EXPIRED, ticket.email, ticket.id)
    assert stage.event.name in mail.subject
    assert "register again" in mail.body
    query = "query($id: ID!) { ticket(id: $id) { status decision { reason } } }"
    assert await answer_of(stage.buyer, query, id=ticket.id) == {"status": "FAILED", "decision": {"reason": "expired"}}


async def test_paid_and_decided_tickets_keep_their_places(world: World, stage: Stage, app: Starlette) -> None:
    ticket_type = await world.ticket_type(stage.event, price="500")
    paid, approved, free = [
        await unpaid_ticket(world, stage.event, stage.buyer_account, ticket_type, ends_in=HOUR) for _ in range(3)
    ]
    assert (await answer_of(stage.buyer, ADD_PAYMENT, id=paid.id)) == {"status": "PENDING", "expiresAt": None}
    data_of(await stage.organizer.put(f"/tickets/{approved.id}", {"status": "Success"}))
    await Ticket.filter(id=free.id).update(due=0)
    data_of(await stage.organizer.put(f"/tickets/{free.id}", {"amount": 0}))
    await end_holds(app, after=2 * HOUR)
    assert await places_held() == {ticket_type.id: 3}
    assert not await OutgoingMail.filter(kind=MailKind.HOLD_EXPIRED).exists()


async def test_strangers_get_few_emails_about_registrations_by_others(
    world: World, stage: Stage, app: Starlette, configure: Callable[..., None]
) -> None:
    configure(mails_per_recipient=2)
    ticket_type = await world.ticket_type(stage.event, price="500")
    for _ in range(3):
        ticket = await unpaid_ticket(world, stage.event, stage.buyer_account, ticket_type, ends_in=-HOUR)
        await Ticket.filter(id=ticket.id).update(email="stranger@example.com", email_key="stranger@example.com")
    await end_holds(app)
    reasons = await OutgoingMail.filter(recipient="stranger@example.com").values_list("last_error", flat=True)
    assert sorted(reason is None for reason in reasons) == [False, True, True]


async def test_tickets_are_locked_during_one_call_of_the_limiter(
    world: World, stage: Stage, app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many emails it counts: none of them waits for another."""
    all_are_asked = asyncio.Barrier(3)

    async def ask_together(_ctx: Context, _recipient: str, *, registered_by: str) -> None:
        async with asyncio.timeout(5):
            await all_are_asked.wait()

    monkeypatch.setattr(holds, "reason_to_hold_email", ask_together)
    ticket_type = await world.ticket_type(stage.event, price="500")
    for _ in range(3):
        await unpaid_ticket(world, stage.event, stage.buyer_account, ticket_type, ends_in=-HOUR)
    await end_holds(app)
    assert await OutgoingMail.filter(kind=MailKind.HOLD_EXPIRED).count() == 3


async def test_email_about_the_end_follows_a_corrected_address(world: World, stage: Stage, app: Starlette) -> None:
    ticket_type = await world.ticket_type(stage.event, price="500")
    ticket = await unpaid_ticket(world, stage.event, stage.buyer_account, ticket_type, ends_in=-HOUR)
    await end_holds(app)
    data_of(await stage.organizer.put(f"/tickets/{ticket.id}", {"email": "right@example.com"}))
    [mail] = await OutgoingMail.all()
    assert (mail.kind, mail.recipient) == (MailKind.HOLD_EXPIRED, "right@example.com")


# Changes by the organizer -----------------------------------------------------------------------------------------

CHANGES = [
    ({"transaction_id": None}, {"transaction_id": "8N7A6"}, True),
    ({"status": "Pending"}, {"status": TicketStatus.FAILED}, True),
    ({"status": "Pending"}, {"status": TicketStatus.FAILED, "transaction_id": "8N7A6"}, False),
    ({"status": "Success"}, {"status": TicketStatus.FAILED}, False),
]


@pytest.mark.parametrize(("body", "before", "is_held"), CHANGES)
async def test_ticket_that_is_to_be_paid_again_gets_a_new_hold(
    world: World, stage: Stage, body: dict[str, Any], before: dict[str, Any], *, is_held: bool
) -> None:
    ticket_type = await world.ticket_type(stage.event, price="500")
    values = {"status": TicketStatus.PENDING, "due": 500, **before}
    ticket = await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type, **values)
    shown = data_of(await stage.organizer.put(f"/tickets/{ticket.id}", body))
    assert (shown["expires_at"] is not None) is is_held


async def test_other_changes_do_not_extend_the_hold(world: World, stage: Stage) -> None:
    ticket_type = await world.ticket_type(stage.event, price="500")
    ticket = await unpaid_ticket(world, stage.event, stage.buyer_account, ticket_type, ends_in=HOUR)
    data_of(await stage.organizer.put(f"/tickets/{ticket.id}", {"note": "will pay tomorrow", "amount": 450}))
    assert (await Ticket.get(id=ticket.id)).hold_expires_at == ticket.hold_expires_at


async def test_expired_ticket_is_approved_if_a_place_is_left(world: World, stage: Stage, app: Starlette) -> None:
    ticket_type = await world.ticket_type(stage.event, price="500", capacity=1)
    first = await unpaid_ticket(world, stage.event, stage.buyer_account, ticket_type, ends_in=-HOUR)
    await end_holds(app)
    data_of(await stage.organizer.put(f"/tickets/{first.id}", {"status": "Success"}))
    data_of(await stage.organizer.put(f"/tickets/{first.id}", {"status": "Failed"}))
    data_of(await stage.rival.post("/tickets", {"event_id": stage.event.id}), 201)
    await refused(stage.organizer.put(f"/tickets/{first.id}", {"status": "Success"}), 400, "SOLD_OUT")
    assert await places_held() == {ticket_type.id: 1}


async def test_organizer_can_use_the_place_of_an_overdue_hold(world: World, stage: Stage) -> None:
    ticket_type = await world.ticket_type(stage.event, price="500", capacity=1)
    failed = await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type, status=TicketStatus.FAILED)
    overdue = await unpaid_ticket(world, stage.event, stage.buyer_account, ticket_type, ends_in=-HOUR)
    data_of(await stage.organizer.put(f"/tickets/{failed.id}", {"status": "Success"}))
    assert (await Ticket.get(id=overdue.id)).status is TicketStatus.FAILED
    assert await places_held() == {ticket_type.id: 1}


# The setting ------------------------------------------------------------------------------------------------------


async def test_organizers_and_admins_alone_see_the_settings(world: World, stage: Stage) -> None:
    body = {"name": "Fair", "organization_id": stage.organization.id, "hold_minutes": 45, "places_per_account": 3}
    created = data_of(await stage.organizer.post("/events", body), 201)
    path = f"/events/{created['id']}"
    for caller in (stage.organizer, stage.admin):
        shown = data_of(await caller.get(path))
        assert (shown["hold_minutes"], shown["places_per_account"]) == (45, 3)
    assert not {"hold_minutes", "places_per_account"} & data_of(await stage.buyer.get(path)).keys()
    query = "query($id: ID!) { event(id: $id) { holdMinutes placesPerAccount } }"
    assert await answer_of(stage.organizer, query, id=created["id"]) == {"holdMinutes": 45, "placesPerAccount": 3}
    cleared = data_of(await stage.organizer.put(path, {"hold_minutes": None, "places_per_account": None}))
    assert (cleared["hold_minutes"], cleared["places_per_account"]) == (None, None)


@pytest.mark.parametrize("invalid", [-1, 1.5, "soon", True, 2**31])
async def test_settings_are_counts(stage: Stage, invalid: object) -> None:
    for name in ("hold_minutes", "places_per_account"):
        fields = await refused(
            stage.organizer.put(f"/events/{stage.event.id}", {name: invalid}), 400, "VALIDATION_ERROR"
        )
        assert set(fields) == {name}
    assert (await Event.get(id=stage.event.id)).hold_minutes is None
