"""Lists that are walked by cursors, of whatever type; a list's own is named after it, such as ``EventConnection``."""

from typing import Any, Generic, TypeVar

import strawberry

from amarevents.resolvers import cursors
from amarevents.resolvers.base import public_text
from amarevents.schema.context import Info
from amarevents.schema.fields import link

T = TypeVar("T")


async def _count(connection: cursors.Connection[Any], info: Info) -> int:  # Any: whatever it lists
    return await info.context.deadline.wait_for(connection.count)


@strawberry.type(name="PageInfo", description=public_text(cursors.PageInfo.__doc__))
class PageInfo(cursors.PageInfo):
    pass


@strawberry.type(description=public_text(cursors.Edge.__doc__))
class Edge(Generic[T]):
    cursor: str
    node: T


@strawberry.type(description="A part of a list that can be walked on from either end.")
class Connection(Generic[T]):
    edges: list[Edge[T]]
    nodes: list[T]
    page_info: PageInfo
    total_count = link(_count, int | None, "How many the whole list has, on all its pages.")
