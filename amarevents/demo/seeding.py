"""Seeding of an empty, migrated database with the demo data, in one transaction.

Rows are inserted in bulk, which does not return IDs, so rows that others refer to are read back by their names.
"""

import datetime
from dataclasses import dataclass

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from amarevents.demo import rows
from amarevents.demo.events import EVENTS
from amarevents.demo.history import DemoHistory, TicketDraft
from amarevents.demo.organizations import ORGANIZATIONS
from amarevents.errors import OperatorError
from amarevents.models import (
    CustomField,
    CustomValue,
    Donation,
    Event,
    GalleryImage,
    Organization,
    PaymentClaim,
    Plan,
    Seeding,
    Ticket,
    TicketType,
    User,
)
from amarevents.models.organizations import DEFAULT_PLAN
from amarevents.resolvers.tickets.payment_claims import claim_of_donation, claim_of_ticket


class DatabaseNotEmpty(OperatorError):
    """The database already has accounts."""

    def __init__(self) -> None:
        super().__init__("The database already has accounts; demo data can only be added to an empty database")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedSummary:
    """The number of rows of each kind that were created."""

    users: int
    organizations: int
    events: int
    ticket_types: int
    tickets: int
    donations: int


async def is_empty() -> bool:
    """Return whether the database has no accounts."""
    return not await User.exists()


async def was_seeded() -> bool:
    """Return whether the database contains the demo data."""
    return await Seeding.exists()


async def seed(today: datetime.date) -> SeedSummary:
    """Fill the database with the demo data for ``today``, all or nothing. The same day results in the same data.

    Raises DatabaseNotEmpty if there are accounts, and Tortoise's DoesNotExist if the default plan is missing.
    """
    async with in_transaction():
        if not await is_empty():
            raise DatabaseNotEmpty
        summary = await _write(DemoHistory(today), today)
        await Seeding.create()
    return summary


async def _write(history: DemoHistory, today: datetime.date) -> SeedSummary:
    users = await _write_users(history)
    organizations = await _write_organizations(history, users)
    events = await _write_events(history, today, organizations)
    tickets = history.tickets()
    types = await _write_ticket_types(tickets, events)
    await _write_tickets(tickets, users, events, types)
    await _write_answers(tickets, await _write_custom_fields(events))
    await GalleryImage.bulk_create([image for spec in EVENTS for image in rows.gallery(spec, events[spec.name].id)])
    donations = await _write_donations(history, organizations)
    await _write_payment_claims()
    return SeedSummary(
        users=len(users),
        organizations=len(organizations),
        events=len(events),
        ticket_types=len(types),
        tickets=len(tickets),
        donations=donations,
    )


async def _write_users(history: DemoHistory) -> dict[str, int]:
    """Create the accounts, and return their IDs by username."""
    try:
        await User.bulk_create(sorted(rows.users(history), key=lambda user: user.created_at))
    except IntegrityError as error:
        # Accounts have been created since the check for an empty database.
        raise DatabaseNotEmpty from error
    return {user.username: user.id for user in await User.all()}


async def _write_organizations(history: DemoHistory, users: dict[str, int]) -> dict[str, int]:
    """Create the organizations, and return their IDs by key."""
    plan = await Plan.get(name=DEFAULT_PLAN)
    await Organization.bulk_create(
        [
            rows.organization(spec, user_id=users[spec.owner], plan_id=plan.id, created_at=history.instant(day))
            for day, spec in enumerate(ORGANIZATIONS, start=-330)
        ]
    )
    ids = {organization.name: organization.id for organization in await Organization.all()}
    return {spec.key: ids[spec.name] for spec in ORGANIZATIONS}


async def _write_events(history: DemoHistory, today: datetime.date, organizations: dict[str, int]) -> dict[str, Event]:
    """Create the events, oldest first, and return them by name."""
    hosts = {spec.key: spec for spec in ORGANIZATIONS}
    events = [
        rows.event(
            spec,
            hosts[spec.organization],
            organization_id=organizations[spec.organization],
            today=today,
            created_at=history.publication_time(spec),
        )
        for spec in EVENTS
    ]
    await Event.bulk_create(sorted(events, key=lambda event: event.created_at))
    return {event.name: event for event in await Event.all()}


async def _write_ticket_types(
    tickets: list[TicketDraft], events: dict[str, Event]
) -> dict[tuple[int, str | None], int]:
    """Create the ticket types with their places held, and return their IDs by event ID and name."""
    sold = rows.sold_places(tickets)
    await TicketType.bulk_create(
        [
            rows.ticket_type(
                kind,
                event_id=events[spec.name].id,
                sold=sold[spec.name, kind.name],
                created_at=events[spec.name].created_at,
            )
            for spec in EVENTS
            for kind in spec.types
        ]
    )
    return {(kind.event_id, kind.name): kind.id for kind in await TicketType.all()}


async def _write_custom_fields(events: dict[str, Event]) -> dict[tuple[str, str], int]:
    """Create the custom fields, and return their IDs by the names of event and field."""
    await CustomField.bulk_create([row for spec in EVENTS for row in rows.custom_fields(spec, events[spec.name].id)])
    names = {event.id: event.name for event in events.values()}
    return {(names[field.event_id], field.name): field.id for field in await CustomField.all()}


async def _write_tickets(
    tickets: list[TicketDraft],
    users: dict[str, int],
    events: dict[str, Event],
    types: dict[tuple[int, str | None], int],
) -> None:
    await Ticket.bulk_create(
        [
            rows.ticket(
                draft,
                event_id=events[draft.event].id,
                user_id=users[draft.account],
                ticket_type_id=types.get((events[draft.event].id, draft.ticket_type)),
            )
            for draft in tickets
        ]
    )


async def _write_answers(tickets: list[TicketDraft], fields: dict[tuple[str, str], int]) -> None:
    ids = {ticket.code: ticket.id for ticket in await Ticket.all()}
    await CustomValue.bulk_create(
        [
            CustomValue(ticket_id=ids[draft.code], field_id=fields[draft.event, name], value=value)
            for draft in tickets
            for name, value in draft.answers
        ]
    )


async def _write_donations(history: DemoHistory, organizations: dict[str, int]) -> int:
    """Create the donations, and return their number. Without an organization they are for the platform (7.3)."""
    donations = [
        rows.donation(draft, None if draft.organization is None else organizations[draft.organization])
        for draft in history.donations()
    ]
    await Donation.bulk_create(donations)
    return len(donations)


async def _write_payment_claims() -> None:
    """Claim the transactions of the tickets and donations: a transaction pays once (decisions 6.6)."""
    tickets = await Ticket.all().select_related("event")
    claims = [(claim_of_ticket(row, row.event.organization_id), row) for row in tickets]
    donations = [(claim_of_donation(row), row) for row in await Donation.all()]
    await PaymentClaim.bulk_create([claim.row(payer) for claim, payer in claims if claim])
    await PaymentClaim.bulk_create([claim.row(payer) for claim, payer in donations if claim])
