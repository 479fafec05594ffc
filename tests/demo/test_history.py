"""The history of the demo: its events, tickets and donations, generated without a database."""

import datetime
import re
from collections import Counter

import pytest

from amarevents.demo import rows
from amarevents.demo.events import EVENTS
from amarevents.demo.history import DemoHistory, TicketDraft
from amarevents.demo.organizations import DONATIONS, ORGANIZATIONS
from amarevents.demo.people import ADMINS, ATTENDEES, DEMO_ATTENDEE, DEMO_ORGANIZER, NEWCOMERS, ORGANIZERS, phone
from amarevents.demo.specs import EventSpec
from amarevents.models import CustomField
from amarevents.models.enums import Category, DonationStatus, PaymentMethod, TicketStatus
from amarevents.resolvers.tickets.codes import new_ticket_code
from amarevents.resolvers.tickets.custom_answers import check_answers
from amarevents.settings import Settings

TODAY = datetime.date(2026, 3, 10)
# The beginning of TODAY in Dhaka.
MIDNIGHT = datetime.datetime(2026, 3, 9, 18, tzinfo=datetime.UTC)
BANGLA = re.compile(r"[\u0980-\u09ff]")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
KNOWN_PLACEHOLDERS = {"name", "event", "location", "date", "price", "id"}


@pytest.fixture(scope="module")
def tickets() -> list[TicketDraft]:
    return DemoHistory(TODAY).tickets()


def tickets_of(event: EventSpec, tickets: list[TicketDraft]) -> list[TicketDraft]:
    return [draft for draft in tickets if draft.event == event.name]


def test_history_of_the_same_day_is_the_same() -> None:
    first, second = DemoHistory(TODAY), DemoHistory(TODAY)
    assert first.tickets() == second.tickets()
    assert first.donations() == second.donations()


def test_history_of_a_later_day_moves_by_the_difference(tickets: list[TicketDraft]) -> None:
    later = DemoHistory(TODAY + datetime.timedelta(days=5)).tickets()
    assert {draft.created_at - datetime.timedelta(days=5) for draft in later} == {d.created_at for d in tickets}


def test_names_are_unique() -> None:
    people = [*ADMINS, *ORGANIZERS, *ATTENDEES, *NEWCOMERS]
    named = ([p.username for p in people], [e.name for e in EVENTS], [o.name for o in ORGANIZATIONS])
    assert all(len(names) == len(set(names)) for names in named)


def test_accounts_hold_no_more_places_than_they_may(tickets: list[TicketDraft]) -> None:
    """Places per account, and no unpaid ticket that would expire (decisions 6.2a)."""
    limits = {event.name: event.places_per_account or Settings().places_per_account for event in EVENTS}
    held = Counter((draft.event, draft.account) for draft in tickets if draft.status.holds_place)
    assert all(places <= limits[event] for (event, _), places in held.items())
    assert all(draft.transaction_id for draft in tickets if draft.status is TicketStatus.PENDING)


def test_events_cover_all_categories_and_some_are_private_or_undated() -> None:
    assert {event.category for event in EVENTS} >= set(Category)
    assert sum(event.private for event in EVENTS) >= 3
    assert sum(event.day is None for event in EVENTS) >= 3
    assert len(EVENTS) >= 30


def test_events_range_from_last_month_to_half_a_year_ahead() -> None:
    days = [event.day for event in EVENTS if event.day is not None]
    assert -31 <= min(days) <= -20
    assert 150 <= max(days) <= 183


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_deadline_is_not_after_date(event: EventSpec) -> None:
    assert event.day is None or event.deadline is None or event.deadline <= event.day


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_email_texts_use_only_known_placeholders(event: EventSpec) -> None:
    used = set(PLACEHOLDER.findall(f"{event.emailtitle} {event.emailmessage} {event.template}"))
    assert used <= KNOWN_PLACEHOLDERS | {field.name for field in event.fields}


def test_some_email_texts_use_a_custom_field() -> None:
    assert any(f"{{{field.name}}}" in (event.emailmessage or "") for event in EVENTS for field in event.fields)


def test_some_texts_are_bangla_and_some_english(tickets: list[TicketDraft]) -> None:
    names = [event.name for event in EVENTS]
    assert 5 <= sum(bool(BANGLA.search(name)) for name in names) <= len(names) - 15
    assert any(BANGLA.search(event.description) for event in EVENTS)
    assert 50 <= sum(bool(BANGLA.search(draft.name)) for draft in tickets) <= len(tickets) - 50


def test_history_has_several_hundred_tickets_with_every_status(tickets: list[TicketDraft]) -> None:
    by_status = Counter(draft.status for draft in tickets)
    assert 300 <= len(tickets) <= 500
    assert all(by_status[status] >= 8 for status in TicketStatus)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_places_held_match_the_specification_and_the_capacity(event: EventSpec, tickets: list[TicketDraft]) -> None:
    sold = rows.sold_places(tickets)
    assert {ticket_type.name: sold[event.name, ticket_type.name] for ticket_type in event.types} == {
        k.name: k.held for k in event.types
    }
    assert all(ticket_type.capacity == 0 or ticket_type.held <= ticket_type.capacity for ticket_type in event.types)
    assert sold[event.name, None] == event.held


def test_some_ticket_types_are_sold_out_nearly_sold_out_or_unlimited() -> None:
    ticket_types = [ticket_type for event in EVENTS for ticket_type in event.types]
    left = [ticket_type.capacity - ticket_type.held for ticket_type in ticket_types if ticket_type.capacity]
    assert 0 in left
    assert 1 in left
    assert any(ticket_type.capacity == 0 and ticket_type.price == 0 for ticket_type in ticket_types)
    assert any(ticket_type.capacity > 0 and ticket_type.price > 0 for ticket_type in ticket_types)


def test_free_tickets_are_never_pending_and_have_no_payment(tickets: list[TicketDraft]) -> None:
    free = [draft for draft in tickets if not draft.amount]
    assert {draft.status for draft in free} == {TicketStatus.SUCCESS, TicketStatus.FAILED}
    assert {(draft.transaction_id, draft.payment_method) for draft in free} == {(None, None)}


def test_paid_tickets_have_a_unique_normalized_transaction_id(tickets: list[TicketDraft]) -> None:
    paid = [draft for draft in tickets if draft.amount]
    transactions = {draft.transaction_id for draft in paid if draft.transaction_id}
    assert len(transactions) == len(paid)
    assert all(transaction == transaction.upper() for transaction in transactions)
    assert all(draft.payment_method for draft in paid)


def test_codes_have_the_form_of_new_ticket_codes(tickets: list[TicketDraft]) -> None:
    form = re.compile(r"AE[A-Z2-7]{25}")
    assert form.fullmatch(new_ticket_code())
    assert all(form.fullmatch(draft.code) for draft in tickets)


def test_payments_use_every_method(tickets: list[TicketDraft]) -> None:
    used = {draft.payment_method for draft in tickets} | {spec.type for spec in DONATIONS}
    assert used >= set(PaymentMethod)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_answers_are_valid_for_their_fields(event: EventSpec, tickets: list[TicketDraft]) -> None:
    fields = list(rows.custom_fields(event, event_id=1))
    for number, field in enumerate(fields, start=1):
        field.id = number
    for draft in tickets_of(event, tickets):
        assert _stored(fields, dict(draft.answers)) == draft.answers


def _stored(fields: list[CustomField], given: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the answers as registration stores them, or raise ValidationFailed."""
    names = {field.id: field.name for field in fields}
    return tuple((names[number], answer.value) for number, answer in check_answers(fields, given).items())


def test_timestamps_are_in_order_and_before_today(tickets: list[TicketDraft]) -> None:
    instants = [(draft.created_at, draft.updated_at) for draft in tickets]
    instants += [(draft.created_at, draft.updated_at) for draft in DemoHistory(TODAY).donations()]
    assert all(created_at <= updated_at <= MIDNIGHT for created_at, updated_at in instants)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_registrations_are_before_the_deadline(event: EventSpec, tickets: list[TicketDraft]) -> None:
    closing = TODAY + datetime.timedelta(days=min(day for day in (event.day, event.deadline, 0) if day is not None))
    assert max(draft.created_at for draft in tickets_of(event, tickets)).date() <= closing


def test_demo_organizer_has_pending_payments_and_demo_attendee_has_tickets(tickets: list[TicketDraft]) -> None:
    keys = {spec.key for spec in ORGANIZATIONS if spec.owner == DEMO_ORGANIZER}
    events = {event.name for event in EVENTS if event.organization in keys}
    pending = [draft for draft in tickets if draft.event in events and draft.status is TicketStatus.PENDING]
    assert len(pending) >= 10
    assert sum(draft.account == DEMO_ATTENDEE for draft in tickets) >= 3


def test_donations_cover_every_status_with_and_without_an_organization() -> None:
    assert {(spec.status, spec.organization is None) for spec in DONATIONS} == {
        (status, is_for_platform) for status in DonationStatus for is_for_platform in (True, False)
    }


def test_organizations_do_not_exceed_their_event_limit() -> None:
    used = Counter(event.organization for event in EVENTS)
    assert used.keys() == {spec.key for spec in ORGANIZATIONS}
    assert all(spec.eventcount is None or used[spec.key] <= spec.eventcount for spec in ORGANIZATIONS)


def test_phone_numbers_are_fictitious_bangladeshi_mobile_numbers() -> None:
    assert all(re.fullmatch(r"01[3-9]0000[0-9]{4}", phone(serial)) for serial in range(1000))


def test_emails_use_reserved_domains(tickets: list[TicketDraft]) -> None:
    addresses = [draft.email for draft in tickets] + [draft.email for draft in DemoHistory(TODAY).donations()]
    assert {address.partition("@")[2] for address in addresses} == {"example.com", "example.net", "example.org"}
    assert all(spec.domain.endswith(".example") for spec in ORGANIZATIONS)
