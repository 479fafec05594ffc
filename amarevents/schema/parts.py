"""What belongs to an event, and leads back to it."""

from typing import TYPE_CHECKING, Annotated, Any, Protocol

import strawberry

from amarevents.resolvers.base import RecordId
from amarevents.resolvers.events import EventView
from amarevents.schema.context import Info, require
from amarevents.schema.fields import link

if TYPE_CHECKING:
    from amarevents.schema.events import Event


class BelongsToEvent(Protocol):
    """A part of an event, such as a ticket."""

    @property
    def event_id(self) -> RecordId: ...


async def event_of(part: BelongsToEvent, info: Info) -> EventView:
    """The event that something belongs to, as far as the caller may know of it."""
    return await require(info.context.events, part.event_id, "Event")


def event_link(description: str) -> Any:  # Any: what strawberry.field returns
    """The field that leads from a part to its event."""
    return link(event_of, Annotated["Event", strawberry.lazy("amarevents.schema.events")] | None, description)
