"""Seeding a database with the demo data."""

import datetime
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tortoise.functions import Count

from amarevents.demo import DatabaseNotEmpty, SeedSummary, is_empty, seed, seeding, was_seeded
from amarevents.demo.rows import UNUSABLE_PASSWORD_HASH
from amarevents.models import (
    CustomField,
    CustomValue,
    Donation,
    Event,
    GalleryImage,
    Organization,
    Seeding,
    Ticket,
    TicketType,
    User,
)
from amarevents.models.enums import AccountType, TicketStatus
from amarevents.models.events import UNDATED
from amarevents.text import search_text

pytestmark = pytest.mark.usefixtures("database")

TODAY = datetime.date(2026, 3, 10)


@pytest.fixture
async def summary(database: object) -> SeedSummary:
    return await seed(TODAY)


async def create_account(username: str) -> User:
    return await User.create(
        username=username,
        email=f"{username}@example.net",
        number="01700000000",
        password_hash="someone's hash",
    )


async def count_rows() -> int:
    models = (CustomField, CustomValue, Donation, Event, GalleryImage, Organization, Seeding, Ticket, TicketType, User)
    return sum([await model.all().count() for model in models])


async def test_new_database_is_empty_and_not_seeded() -> None:
    assert await is_empty()
    assert not await was_seeded()


async def test_seeded_database_is_not_empty(summary: SeedSummary) -> None:
    assert not await is_empty()
    assert await was_seeded()


async def test_summary_counts_the_rows(summary: SeedSummary) -> None:
    assert summary == SeedSummary(
        users=await User.all().count(),
        organizations=await Organization.all().count(),
        events=await Event.all().count(),
        ticket_types=await TicketType.all().count(),
        tickets=await Ticket.all().count(),
        donations=await Donation.all().count(),
    )
    assert summary.tickets >= 300


async def test_database_with_an_account_is_refused() -> None:
    await create_account("early.bird")
    with pytest.raises(DatabaseNotEmpty):
        await seed(TODAY)
    assert await count_rows() == 1


async def test_account_created_during_seeding_rolls_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async def report_empty() -> bool:
        return True

    await create_account("demo")
    monkeypatch.setattr(seeding, "is_empty", report_empty)
    with pytest.raises(DatabaseNotEmpty):
        await seed(TODAY)
    assert await count_rows() == 1


async def test_failed_seeding_leaves_an_empty_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**options: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(Seeding, "create", fail)
    with pytest.raises(RuntimeError):
        await seed(TODAY)
    assert await count_rows() == 0


async def test_data_of_the_same_day_is_the_same() -> None:
    await seed(TODAY)
    first = await contents()
    await User.all().delete()
    await Donation.all().delete()
    await seed(TODAY)
    assert await contents() == first


async def contents() -> dict[str, Any]:  # Any: rows of several models
    """Return all columns of the demo data except IDs, in a fixed order."""
    return {name: [list(row.values()) for row in await read()] for name, read in _READERS.items()}


def _reader(query: Any, *columns: str) -> Callable[[], Awaitable[list[dict[str, Any]]]]:  # Any: a model class
    return lambda: query.all().order_by(*columns).values(*columns)


_READERS = {
    "users": _reader(User, "username", "email", "number", "type", "admin", "created_at"),
    "organizations": _reader(Organization, "name", "user__username", "events_used", "search_text", "created_at"),
    "events": _reader(Event, "name", "organization__name", "date", "category", "description", "created_at"),
    "ticket_types": _reader(TicketType, "event__name", "name", "price", "capacity", "sold"),
    "tickets": _reader(
        Ticket, "code", "event__name", "user__username", "ticket_type__name", "name", "status", "transaction_id", "note"
    ),
    "answers": _reader(CustomValue, "ticket__code", "field__name", "value"),
    "gallery": _reader(GalleryImage, "event__name", "position", "url", "caption"),
    "donations": _reader(Donation, "transaction_id", "organization__name", "amount", "status", "created_at"),
}


async def test_sold_counts_the_tickets_that_hold_places_within_the_capacity(summary: SeedSummary) -> None:
    holding = [status for status in TicketStatus if status.holds_place]
    held = Counter([ticket.ticket_type_id for ticket in await Ticket.filter(status__in=holding)])
    types = await TicketType.all()
    assert {ticket_type.id: ticket_type.sold for ticket_type in types} == {
        ticket_type.id: held[ticket_type.id] for ticket_type in types
    }
    assert all(ticket_type.capacity == 0 or ticket_type.sold <= ticket_type.capacity for ticket_type in types)
    assert any(ticket_type.capacity and ticket_type.sold == ticket_type.capacity for ticket_type in types)


async def test_tickets_have_a_type_of_their_event_and_its_price(summary: SeedSummary) -> None:
    for ticket in await Ticket.all().select_related("ticket_type"):
        ticket_type = ticket.ticket_type
        assert ticket.amount == (ticket_type.price if ticket_type else 0)
        assert ticket_type is None or ticket_type.event_id == ticket.event_id


async def test_only_events_without_types_have_tickets_without_one(summary: SeedSummary) -> None:
    typed = await TicketType.all().distinct().values_list("event_id", flat=True)
    assert await Ticket.filter(ticket_type_id__isnull=True).exists()
    assert not await Ticket.filter(ticket_type_id__isnull=True, event_id__in=typed).exists()


async def test_answers_belong_to_the_event_of_their_ticket(summary: SeedSummary) -> None:
    answers = await CustomValue.all().select_related("ticket", "field")
    assert len(answers) >= 50
    assert all(answer.ticket.event_id == answer.field.event_id for answer in answers)


async def test_events_used_is_the_number_of_events(summary: SeedSummary) -> None:
    counted = await Organization.all().annotate(events=Count("events")).values_list("events_used", "events")
    assert len(counted) == summary.organizations
    assert all(used == events > 0 for used, events in counted)


async def test_search_text_and_sort_date_are_filled(summary: SeedSummary) -> None:
    for event in await Event.all():
        assert event.search_text == search_text(event.name, event.location, event.description)
        assert event.sort_date == (event.date or UNDATED)
    for organization in await Organization.all():
        assert organization.search_text == search_text(organization.name, organization.description)


async def test_search_text_contains_bangla(summary: SeedSummary) -> None:
    assert await Event.filter(search_text__contains="রবীন্দ্র").exists()


async def test_no_account_has_a_usable_password_and_one_is_an_admin(summary: SeedSummary) -> None:
    users = await User.all()
    assert {user.password_hash for user in users} == {UNUSABLE_PASSWORD_HASH}
    assert all(user.username_key == user.username.casefold() for user in users)
    assert sum(user.admin for user in users) == 1


async def test_organizations_are_owned_by_organizers(summary: SeedSummary) -> None:
    owners = {organization.user.type for organization in await Organization.all().select_related("user")}
    assert owners == {AccountType.ORGANIZER}


async def test_tickets_are_newer_than_their_event_and_account(summary: SeedSummary) -> None:
    for ticket in await Ticket.all().select_related("event", "user"):
        assert ticket.event.created_at < ticket.created_at
        assert ticket.user.created_at < ticket.created_at


async def test_events_are_newer_than_their_organization_and_its_owner(summary: SeedSummary) -> None:
    for event in await Event.all().select_related("organization__user"):
        assert event.organization.user.created_at < event.organization.created_at < event.created_at


async def test_ids_are_in_chronological_order(summary: SeedSummary) -> None:
    instants = [ticket.created_at for ticket in await Ticket.all().order_by("id")]
    assert instants == sorted(instants)
