"""What every paged list carries beside its items."""

from typing import Any, Generic, TypeVar

import strawberry

from amarevents.resolvers.core import connections, pagination
from amarevents.resolvers.core.descriptions import public_text
from amarevents.schema.core.context import Info
from amarevents.schema.core.fields import link


@strawberry.type(name="Pagination", description="Where a page stands in its list.")
class Pagination(pagination.Pagination):
    pass


T = TypeVar("T")


async def _count(connection: connections.Connection[Any], info: Info) -> int:  # Any: whatever it lists
    return await info.context.deadline.wait_for(connection.count)


@strawberry.type(name="PageInfo", description=public_text(connections.PageInfo.__doc__))
class PageInfo(connections.PageInfo):
    pass


@strawberry.type(description=public_text(connections.Edge.__doc__))
class Edge(Generic[T]):
    cursor: str
    """The position of the object in the list: an opaque text to pass as `after` or `before`."""
    node: T
    """The object."""


@strawberry.type(description="A part of a list that can be walked on from either end.")
class Connection(Generic[T]):
    edges: list[Edge[T]]
    """The objects on this page, each with its cursor."""
    nodes: list[T]
    """The objects on this page, without their cursors."""
    page_info: PageInfo
    """The cursors at both ends of this page, and whether there is more."""
    total_count = link(_count, int | None, "How many the whole list has, on all its pages.")
