"""Duplication of events: the mutation, and an event that has something of everything."""

from typing import Any

from amarevents.models import CustomValue, Event, OutgoingMail
from amarevents.models.columns import utc_now
from amarevents.models.enums import Category, FieldType, MailKind, Privacy, TicketStatus
from tests.rest.conftest import Stage
from tests.support.graphql_answers import Request, answer_of, refused
from tests.support.world import Caller, World, in_days

# Any throughout: JSON.

MANAGERS = ["organizer", "admin", "organizer's session", "admin's session"]
"""The callers of a stage that manage its event."""

DUPLICATE = (
    "mutation($id: ID!, $input: DuplicateEventInput!, $key: String)"
    "{ duplicateEvent(id: $id, input: $input, idempotencyKey: $key) {"
    " id name category organizationId organizationName date deadline location description banner logo privacy notice"
    " socials { type url } wallets registrationOpen emailtitle emailmessage template"
    " holdMinutes placesPerAccount createdAt updatedAt"
    " ticketTypes { id eventId name price capacity description sold available isAvailable }"
    " customFields { id eventId name type options required position }"
    " gallery { id } stats { total } attendance { checkedIn expected } tickets { items { id } } } }"
)

_DUPLICATE_ALONE = (
    "mutation($id: ID!, $input: DuplicateEventInput!, $key: String)"
    "{ duplicateEvent(id: $id, input: $input, idempotencyKey: $key) { id } }"
)


def duplicating(caller: Caller, event: Event, key: str | None = None, **fields: object) -> Request:
    """Return a request for the ID alone, because edges are read after the operation, when the copy may be gone.

    The name of the copy is "Copy" unless ``fields`` has another one.
    """
    return caller.graphql_response(_DUPLICATE_ALONE, id=event.id, input={"name": "Copy", **fields}, key=key)


async def complete_event(world: World, stage: Stage) -> Event:
    """Create an event with a value in each column, and with parts, tickets, a check-in, an image and an email."""
    assert stage.organizer.user is not None
    event = await world.event(
        stage.organization,
        name="Boishakh",
        category=Category.CULTURAL,
        date=in_days(30),
        deadline=in_days(20),
        location="Ramna",
        description="Songs\nand food",
        banner="https://example.com/banner.png",
        logo="https://example.com/logo.png",
        notice="Bring water",
        emailtitle="Hi {name}",
        emailmessage="See you at {event}",
        template="plain",
        socials=[{"type": "facebook", "url": "https://example.com/boishakh"}],
        wallets={"bkash": "01700000000"},
        hold_minutes=90,
        places_per_account=4,
    )
    seat = await world.ticket_type(event, name="Seat", price="499.50", capacity=40, description="Front rows")
    standing = await world.ticket_type(event, name="Standing")
    await world.ticket(event, stage.buyer_account, ticket_type=standing)
    # Sorted by position: not in the order of their IDs.
    await world.custom_field(event, "Meal", position=7)
    sizes = ["S", "M"]
    size = await world.custom_field(event, "Size", type=FieldType.DROPDOWN, options=sizes, required=True, position=3)
    for status in TicketStatus:
        await world.ticket(event, stage.buyer_account, ticket_type=seat, status=status)
    ticket = await world.ticket(event, stage.buyer_account, ticket_type=seat)
    await world.check_in(ticket, stage.organizer.user)
    await CustomValue.create(ticket=ticket, field=size, value="M")
    await OutgoingMail.create(
        kind=MailKind.TICKET_CONFIRMED, ticket=ticket, recipient=ticket.email, subject="x", body="x",
        next_attempt_at=utc_now(),
    )  # fmt: skip
    await world.gallery_image(event, caption="Stage")
    return event


async def duplicate(caller: Caller, event: Event, **fields: Any) -> Any:
    """Duplicate the event, and return the copy with its parts."""
    return await answer_of(caller, DUPLICATE, id=event.id, input={"name": "Copy", **fields})


async def not_duplicated(caller: Caller, event_id: object, code: str, **fields: Any) -> dict[str, str]:
    """Require that the request is refused and changes nothing, and return the fields that the error names."""
    return await refused(caller, DUPLICATE, code, id=event_id, input={"name": "Copy", **fields}, key="k1")


async def caller_named(world: World, stage: Stage, name: str) -> Caller:
    """Return a caller of the stage such as ``organizer``, or its session, such as ``organizer's session``."""
    who, _, is_session = name.partition("'s ")
    caller: Caller = getattr(stage, who)
    assert caller.user is not None
    return await world.session(caller.user) if is_session else caller


async def make_private(event: Event) -> None:
    await Event.filter(id=event.id).update(privacy=Privacy.PRIVATE)
