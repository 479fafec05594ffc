"""Lists in pages, by page number and by cursor."""

from typing import Any, Generic, TypeVar

from amarevents.resolvers.core import connections, pagination
from amarevents.schema.core.context import GraphQLContext
from amarevents.schema.core.edges import edge
from amarevents.schema.core.object_types import object_type

T = TypeVar("T")


@object_type
class Pagination(pagination.Pagination):
    pass


@object_type
class Page(pagination.Page[T]):
    """A page of a list."""

    pagination: Pagination


@object_type
class PageInfo(connections.PageInfo):
    pass


@object_type
class Edge(connections.Edge[T]):
    """An item of a list and its cursor."""


async def _count(connection: connections.Connection[Any], context: GraphQLContext) -> int:  # Any: its own view
    return await context.deadline.wait_for(connection.count)


@object_type
class Connection(Generic[T]):
    """A page of a list that can be walked with cursors, in either direction."""

    edges: list[Edge[T]]
    """The items on this page with their cursors."""
    nodes: list[T]
    """The items on this page."""
    page_info: PageInfo
    """Information about this page."""
    total_count = edge(_count, int | None, "The total number of items on all pages.")
