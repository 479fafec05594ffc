"""What an event has in an order of its organizer's making: custom fields and pictures (decisions 4.7).

Whoever adds, changes, moves or deletes one locks the event first, which is where ``erasing`` has it in the order of
locks. So one comes after the other: bounds and unique names hold, two orders never mix, and whoever comes after the
event's deletion finds nothing.
"""

from collections.abc import Sequence
from typing import TypeVar

from tortoise.expressions import F

from amarevents import errors
from amarevents.models import CustomField, Event, GalleryImage

P = TypeVar("P", CustomField, GalleryImage)


async def lock_parts(model: type[P], event_id: int) -> list[P]:
    """Those of the event in their order, kept from everybody else until the transaction ends. Raises NotFound."""
    if await Event.filter(id=event_id).select_for_update().only("id").get_or_none() is None:
        raise errors.NotFound("Event")
    return await model.filter(event_id=event_id).order_by("position", "id")


def pick_part(parts: Sequence[P], part_id: int, what: str) -> P:
    """Raises NotFound for one that has been deleted before the event was locked."""
    part = next((one for one in parts if one.id == part_id), None)
    if part is None:
        raise errors.NotFound(what)
    return part


async def make_room(parts: Sequence[P], position: int | None) -> int:
    """The position for one more: where it is asked for, with those from there on moved by one, or at the end."""
    end = parts[-1].position + 1 if parts else 0
    if position is None or position >= end:
        return end
    moved = [part.id for part in parts if part.position >= position]
    await type(parts[0]).filter(id__in=moved).update(position=F("position") + 1)
    return position


async def put_in_order(parts: Sequence[P], ids: Sequence[int]) -> list[P]:
    """Number them as ``ids`` have them. Raises ValidationFailed unless these name each of them once."""
    by_id = {part.id: part for part in parts}
    if sorted(ids) != sorted(by_id):
        raise errors.ValidationFailed({"ids": f"must name each of the event's {len(by_id)} once, and nothing else"})
    ordered = [by_id[part_id] for part_id in ids]
    for position, part in enumerate(ordered):
        part.position = position
    if ordered:
        await type(ordered[0]).bulk_update(ordered, fields=["position"])
    return ordered
