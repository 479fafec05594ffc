"""Batched loading of every edge in the schema: eight objects take as many statements as two."""

from typing import Any

import pytest

from amarevents.models import CustomValue, OutgoingMail, Ticket, User
from amarevents.models.columns import utc_now
from amarevents.models.enums import AccountType, KeyType, MailKind
from amarevents.resolvers.tickets.queries import load_event_tickets
from tests.support.graph import EDGES, TYPES, lift_limits, replace_batch, select_field
from tests.support.statements import counted_statements
from tests.support.tables import check_rows
from tests.support.world import Caller, World, empty_tables, in_days

# Any: JSON.

LISTS = {
    "ApiKey": "{ users(limit: 100) { items { apiKeys { %s } } } }",
    "CheckIn": "{ myTickets(limit: 100) { items { checkIn { %s } } } }",
    "CustomField": "{ events(limit: 100) { items { customFields { %s } } } }",
    "Donation": "{ donations(limit: 100) { items { %s } } }",
    "Event": "{ events(limit: 100) { items { %s } } }",
    "EventStats": "{ events(limit: 100) { items { stats { %s } } } }",
    "GalleryImage": "{ events(limit: 100) { items { gallery { %s } } } }",
    "Organization": "{ organizations(limit: 100) { items { %s } } }",
    "OutgoingMail": "{ outbox(limit: 100) { items { %s } } }",
    "RateLimit": "{ rateLimits { %s } }",
    "Ticket": "{ myTickets(limit: 100) { items { %s } } }",
    "TicketType": "{ events(limit: 100) { items { ticketTypes { %s } } } }",
    "User": "{ users(limit: 100) { items { %s } } }",
}
"""A list that contains the objects of each type with edges, for an admin."""

NOT_IN_LISTS = {("ApiKey", "key"), ("CheckIn", "outcome"), ("User", "auth"), ("User", "stats"), ("User", "token")}
"""Edges that are null for all objects of a list or for all but the caller's own account."""


async def _fill(world: World, admin: User, number: int) -> None:
    """Create ``number`` complete sets of rows, each with an account, an event and a plan of its own."""
    for _ in range(number):
        owner = await world.organizer(pfp="https://example.com/p.png", country="Bangladesh")
        plan = await world.plan(f"Plan of {owner.username}")
        organization = await world.organization(owner, notice="New", eventcount=5)
        organization.plan = plan
        await organization.save()
        await _event(world, admin, organization)
        await world.event(await world.organization(admin), date=in_days(3))
        await world.donation(organization)
        await (await world.key(owner, KeyType.ORGANIZER)).get("/auth/me")
        await world.key(admin, KeyType.USER)


async def _event(world: World, admin: User, organization: Any) -> None:
    texts = dict.fromkeys(("notice", "emailtitle", "emailmessage", "template"), "Text")
    event = await world.event(organization, socials=[{"type": "web", "url": "https://example.com"}], **texts)
    event.wallets = {"bkash": "01700000000"}
    event.hold_minutes, event.places_per_account = 60, 5
    await event.save()
    field = await world.custom_field(event, "Size")
    await world.gallery_image(event)
    # The ticket belongs to the admin by its email address, but another account registered it.
    attendee = await world.user()
    ticket = await world.ticket(event, attendee, ticket_type=await world.ticket_type(event), email=admin.email)
    await CustomValue.create(ticket=ticket, field=field, value="M")
    await world.check_in(ticket, attendee)
    await Ticket.filter(id=ticket.id).update(decided_at=utc_now())
    await OutgoingMail.create(
        kind=MailKind.TICKET_CONFIRMED,
        ticket=ticket,
        user=attendee,
        recipient=attendee.email,
        subject="Your ticket",
        body="Here it is",
        next_attempt_at=utc_now(),
    )


async def _count_statements(world: World, document: str, number: int) -> tuple[int, list[Any]]:
    """Return the number of statements for the document with ``number`` sets of rows, and the values of its edge."""
    await empty_tables()
    admin = await world.admin(type=AccountType.ORGANIZER)
    await _fill(world, admin, number)
    caller: Caller = await world.session(admin)
    with counted_statements() as statements:
        answer = await caller.graphql(document)
    assert "errors" not in answer
    return len(statements), list(_values(answer["data"]))


def _values(data: Any) -> Any:
    """Yield every value of the name ``edge``."""
    for part in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from _values(part)
    if isinstance(data, dict) and "edge" in data:
        yield data["edge"]


def _length(value: Any) -> int:
    """Return the length of a list or a page; 1 for any other value, and 0 for null or an empty object."""
    if isinstance(value, dict) and "items" in value:
        return len(value["items"])
    return len(value) if isinstance(value, list) else int(value not in (None, {}))


def test_every_type_with_edges_is_covered() -> None:
    check_rows("tests/schema/core/test_edge_loading.py, LISTS", LISTS, {type_name for type_name, _ in EDGES})
    assert set(EDGES) > NOT_IN_LISTS


@pytest.mark.parametrize(("type_name", "edge"), sorted(set(EDGES) - NOT_IN_LISTS))
async def test_edge_takes_as_many_statements_for_many_objects_as_for_few(
    world: World, monkeypatch: pytest.MonkeyPatch, type_name: str, edge: str
) -> None:
    lift_limits(monkeypatch)
    document = LISTS[type_name] % f"edge: {select_field(edge, TYPES[type_name].fields[edge], 0)}"
    few, values_of_few = await _count_statements(world, document, 2)
    many, values_of_many = await _count_statements(world, document, 8)
    assert sum(map(_length, values_of_few)) >= 2
    # Every object has a value behind its edge.
    assert sum(map(_length, values_of_many)) >= sum(map(_length, values_of_few)) + 6
    assert 0 < few == many


async def test_edge_that_is_loaded_object_by_object_is_detected(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: one batch for each event."""

    async def one_by_one(ctx: Any, keys: Any) -> Any:
        pages: dict[Any, Any] = {}
        for key in keys:
            pages |= await load_event_tickets(ctx, [key])
        return pages

    replace_batch(monkeypatch, "Event", "tickets", one_by_one)
    document = LISTS["Event"] % "edge: tickets { items { id } }"
    few, _ = await _count_statements(world, document, 2)
    many, _ = await _count_statements(world, document, 8)
    assert few < many
