"""Every edge of the schema asks the database as often for eight objects as for two."""

from typing import Any

import pytest

from amarevents.models import CustomValue, OutgoingMail, Ticket, User
from amarevents.models.columns import utc_now
from amarevents.models.enums import AccountType, KeyType, MailKind
from amarevents.resolvers.tickets.queries import load_event_tickets
from amarevents.schema.types import events
from tests.support.graph import EDGES, TYPES, lift_bounds, selected
from tests.support.statements import counted_statements
from tests.support.tables import require_rows
from tests.support.world import Caller, World, empty_tables, in_days

# Any: JSON.

LISTS = {
    "Account": "{ users(limit: 100) { items { %s } } }",
    "AccountApiKey": "{ adminApiKeys(limit: 100) { items { %s } } }",
    "ApiKey": "{ users(limit: 100) { items { apiKeys { %s } } } }",
    "CustomField": "{ events(limit: 100) { items { customFields { %s } } } }",
    "Donation": "{ donations(limit: 100) { items { %s } } }",
    "Event": "{ events(limit: 100) { items { %s } } }",
    "GalleryImage": "{ events(limit: 100) { items { gallery { %s } } } }",
    "Organization": "{ organizations(limit: 100) { items { %s } } }",
    "OutgoingMail": "{ outbox(limit: 100) { items { %s } } }",
    "OwnedOrganization": "{ users(limit: 100) { items { organizations { %s } } } }",
    "RateLimit": "{ rateLimits { %s } }",
    "Ticket": "{ myTickets(limit: 100) { items { %s } } }",
    "TicketType": "{ events(limit: 100) { items { ticketTypes { %s } } } }",
}
"""Where each type with edges stands in a list, for an admin."""

SINGLE = {"Identity": "{ me { %s } }", "Profile": "{ myProfile { %s } }", "User": "{ user(id: $id) { %s } }"}
"""Types that stand in no list: what their edges lead to is counted."""


async def _fill(world: World, admin: User, number: int) -> None:
    """Everything that belongs together, so many times: each thing with an account, an event and a plan of its own."""
    for _ in range(number):
        owner = await world.organizer()
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
    await event.save()
    field = await world.custom_field(event, "Size")
    await world.gallery_image(event)
    # The admin's own by its email, registered by somebody else.
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


async def _counted(world: World, document: str, number: int) -> tuple[int, list[Any]]:
    """How many statements the document takes where everything is there so many times, and what its edge has shown."""
    await empty_tables()
    admin = await world.admin(type=AccountType.ORGANIZER)
    await _fill(world, admin, number)
    caller: Caller = await world.session(admin)
    with counted_statements() as statements:
        answer = await caller.graphql(document.replace("$id", str(admin.id)))
    assert "errors" not in answer
    return len(statements), list(_values(answer["data"]))


def _values(data: Any) -> Any:
    """What stands behind the name ``edge``."""
    for part in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from _values(part)
    if isinstance(data, dict) and "edge" in data:
        yield data["edge"]


def _length(value: Any) -> int:
    """Of a list or a page; 1 for anything else that is there."""
    if isinstance(value, dict) and "items" in value:
        return len(value["items"])
    return len(value) if isinstance(value, list) else int(value not in (None, {}))


def test_every_type_with_edges_is_looked_at() -> None:
    table = "LISTS or SINGLE in tests/schema/core/test_edge_loading.py"
    require_rows(table, LISTS | SINGLE, [of for of, _ in EDGES])
    assert TYPES.keys() > SINGLE.keys()


@pytest.mark.parametrize(("of", "edge"), EDGES)
async def test_an_edge_asks_as_often_for_many_as_for_few(
    world: World, monkeypatch: pytest.MonkeyPatch, of: str, edge: str
) -> None:
    lift_bounds(monkeypatch)
    document = (LISTS | SINGLE)[of] % f"edge: {selected(edge, TYPES[of].fields[edge], 0)}"
    few, shown_of_few = await _counted(world, document, 2)
    many, shown_of_many = await _counted(world, document, 8)
    assert sum(map(_length, shown_of_few)) >= 2 or of in SINGLE
    more = sum(map(_length, shown_of_many)) - sum(map(_length, shown_of_few))
    assert more >= 6, f"_fill in tests/schema/core/test_edge_loading.py creates nothing for {of}.{edge} to show"
    assert 0 < few == many


async def test_an_edge_that_asks_for_each_object_is_noticed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: one batch for each event."""

    async def one_by_one(ctx: Any, asked: Any) -> Any:
        pages: dict[Any, Any] = {}
        for one in asked:
            pages |= await load_event_tickets(ctx, [one])
        return pages

    monkeypatch.setattr(events, "load_event_tickets", one_by_one)
    document = LISTS["Event"] % "edge: tickets { items { id } }"
    few, _ = await _counted(world, document, 2)
    many, _ = await _counted(world, document, 8)
    assert few < many
