"""A private event with all its parts, and the callers who must not see it."""

import datetime
from dataclasses import dataclass

from amarevents.models import CustomValue, Event, Ticket, TicketType
from amarevents.models.enums import Category, Privacy
from tests.rest.conftest import Stage
from tests.support.world import Caller, World

OTHER_CALLERS = ["anonymous", "buyer", "rival", "buyer session", "rival session"]
# Texts that only the rows of the private event contain.
PRIVATE_TEXTS = [
    "Hidden supper", "Lalmatia", "behind the blue door", "hidden notice", "01911111111", "hidden title", "Balcony",
    "Allergies", "peanuts", "hidden-picture", "Zohra", "zohra@private.example", "01922222222", "TXHIDDEN1",
    "no onions", "AEHIDDENCODE",
]  # fmt: skip


@dataclass
class PrivateEvent:
    """A private, sold-out event that is over, of an organization that also has public ones."""

    event: Event
    ticket_type: TicketType
    ticket: Ticket


async def create_private_event(world: World, stage: Stage) -> PrivateEvent:
    event = await world.event(
        stage.organization, name="Hidden supper", location="Lalmatia", description="behind the blue door",
        notice="hidden notice", wallets={"bkash": "01911111111"}, emailtitle="hidden title", privacy=Privacy.PRIVATE,
        category=Category.FESTIVAL, date=datetime.date(2001, 2, 3),
    )  # fmt: skip
    ticket_type = await world.ticket_type(event, name="Balcony", capacity=1, price="700")
    question = await world.custom_field(event, "Allergies", required=True)
    await world.gallery_image(event, url="https://example.com/hidden-picture.png")
    ticket = await world.ticket(
        event, await world.user(username="zohra"), ticket_type=ticket_type, name="Zohra", email="zohra@private.example",
        number="01922222222", transaction_id="TXHIDDEN1", note="no onions", code="AEHIDDENCODE",
    )  # fmt: skip
    await CustomValue.create(ticket=ticket, field=question, value="peanuts")
    return PrivateEvent(event, ticket_type, ticket)


async def other_callers(world: World, stage: Stage) -> dict[str, Caller]:
    """Return the callers of OTHER_CALLERS by name."""
    assert stage.rival.user is not None
    return {
        "anonymous": world.anonymous,
        "buyer": stage.buyer,
        "rival": stage.rival,
        "buyer session": await world.session(stage.buyer_account),
        "rival session": await world.session(stage.rival.user),
    }
