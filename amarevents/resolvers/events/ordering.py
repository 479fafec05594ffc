"""Ordered parts of an event: its custom fields and its gallery images (decisions 4.7).

Every change to them locks the event first (see ``core.locking``), so changes to the parts of one event happen one after
the other: limits and unique names hold, positions stay distinct, and nothing is added to a deleted event.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from tortoise.expressions import F
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.models import CustomField, Event, GalleryImage
from amarevents.resolvers.core.inputs import Input
from amarevents.resolvers.core.permissions import PART_NOUNS, require_event_manager, require_part_manager
from amarevents.security.context import Context

P = TypeVar("P", CustomField, GalleryImage)


@asynccontextmanager
async def edit_parts(ctx: Context, model: type[P], event_id: int) -> AsyncIterator[list[P]]:
    """Lock the parts of an event for the block, which runs in a transaction, and return them in their order.

    Raises NotFound, or Forbidden if the caller does not manage the event.
    """
    await require_event_manager(ctx, event_id)
    async with in_transaction():
        yield await lock_parts(model, event_id)


@asynccontextmanager
async def edit_part(ctx: Context, model: type[P], part_id: int) -> AsyncIterator[tuple[P, list[P]]]:
    """Lock a part and the other parts of its event for the block, which runs in a transaction, and return them.

    Raises NotFound, or Forbidden if the caller does not manage the event.
    """
    event_id = (await require_part_manager(ctx, model, part_id)).event_id
    async with in_transaction():
        parts = {part.id: part for part in await lock_parts(model, event_id)}
        if part_id not in parts:  # deleted since its permission was checked
            raise errors.NotFound(PART_NOUNS[model])
        yield parts.pop(part_id), list(parts.values())


async def lock_parts(model: type[P], event_id: int) -> list[P]:
    """Lock the event until the transaction ends, and return its parts in their order. Raises NotFound."""
    if await Event.filter(id=event_id).select_for_update().only("id").get_or_none() is None:
        raise errors.NotFound("Event")
    return await model.filter(event_id=event_id).order_by("position", "id")


async def insert_part(model: type[P], parts: Sequence[P], data: Input, *, position: int | None) -> P:
    """Create a part at the position, or at the end; the parts from there on move by one."""
    end = parts[-1].position + 1 if parts else 0
    if position is None or position >= end:
        position = end
    else:
        moved = [part.id for part in parts if part.position >= position]
        await model.filter(id__in=moved).update(position=F("position") + 1)
    return await model.create(**data.model_dump(exclude={"position"}), position=position)


async def reorder_parts(ctx: Context, model: type[P], event_id: int, ids: Sequence[int]) -> list[P]:
    """Put the parts of an event in the order of their IDs, and return them.

    Raises ValidationFailed unless ``ids`` contains the ID of each part exactly once.
    """
    async with edit_parts(ctx, model, event_id) as parts:
        by_id = {part.id: part for part in parts}
        if sorted(ids) != sorted(by_id):
            raise errors.ValidationFailed({"ids": f"must contain the ID of each of the {len(by_id)} exactly once"})
        ordered = [by_id[part_id] for part_id in ids]
        for position, part in enumerate(ordered):
            part.position = position
        if ordered:
            await model.bulk_update(ordered, fields=["position"])
    return ordered
