"""What a GraphQL operation is given beside its arguments: the request's context, and loaders of its own."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from strawberry.dataloader import DataLoader
from strawberry.types import Info as StrawberryInfo

from amarevents.resolvers.base import Context
from amarevents.resolvers.events import EventDetailView, load_event_details
from amarevents.resolvers.organizations import OrganizationDetailView, load_organization_details
from amarevents.resolvers.tickets import CustomAnswerView, load_answers

T = TypeVar("T")


def _loader(load: Callable[[Sequence[int]], Awaitable[Mapping[int, T]]]) -> DataLoader[int, T | None]:
    async def load_in_order(ids: list[int]) -> list[T | None]:
        found = await load(ids)
        return [found.get(one) for one in ids]

    return DataLoader(load_fn=load_in_order)


class GraphQLContext:
    """One per operation, ``operation_name`` as the caller gave it. Each loader turns many look-ups into one batch."""

    def __init__(self, request: Context, operation_name: str | None) -> None:
        self.request = request
        self.operation_name = operation_name
        self.event_details: DataLoader[int, EventDetailView | None] = _loader(
            lambda ids: load_event_details(request, ids)
        )
        self.organization_details: DataLoader[int, OrganizationDetailView | None] = _loader(
            lambda ids: load_organization_details(request, ids)
        )
        self.answers: DataLoader[int, list[CustomAnswerView] | None] = _loader(load_answers)


Info = StrawberryInfo[GraphQLContext, None]
