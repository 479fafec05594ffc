"""What a GraphQL operation is given beside its arguments: the request's context, and loaders of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import TypeVar

from strawberry.dataloader import DataLoader
from strawberry.types import Info as StrawberryInfo

from amarevents.resolvers.base import Context, Page
from amarevents.resolvers.check_in import AdmissionView, AttendanceView, load_admissions, load_attendance
from amarevents.resolvers.event_tickets import load_event_tickets
from amarevents.resolvers.events import EventDetailView, load_event_details
from amarevents.resolvers.gallery import GalleryImageView, load_galleries
from amarevents.resolvers.organizations import OrganizationDetailView, load_organization_details
from amarevents.resolvers.payments import DecisionView, load_decisions
from amarevents.resolvers.statistics import EventStatsView, load_event_stats
from amarevents.resolvers.tickets import CustomAnswerView, ListByStatus, TicketView, load_answers
from amarevents.schema.deadlines import Deadline

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class GraphQLContext:
    """One per operation. Each loader turns many look-ups into one batch.

    ``operation_name`` is what the caller gave, ``cost`` what the operation may cost, once it has been weighed;
    ``deadline`` is when queries and mutations are to be done. ``begun``: a subscription has been let in, and misses
    nothing from here on.
    """

    def __init__(self, request: Context, operation_name: str | None) -> None:
        self.request = request
        self.operation_name = operation_name
        self.cost: int | None = None
        self.deadline = Deadline()
        self.begun = asyncio.Event()
        self.event_details: DataLoader[int, EventDetailView | None] = self._loader(
            lambda ids: load_event_details(request, ids)
        )
        self.organization_details: DataLoader[int, OrganizationDetailView | None] = self._loader(
            lambda ids: load_organization_details(request, ids)
        )
        self.event_stats: DataLoader[int, EventStatsView | None] = self._loader(
            lambda ids: load_event_stats(request, ids)
        )
        self.event_tickets: DataLoader[tuple[int, ListByStatus], Page[TicketView] | None] = self._loader(
            lambda asked: load_event_tickets(request, asked)
        )
        self.galleries: DataLoader[int, list[GalleryImageView] | None] = self._loader(load_galleries)
        self.answers: DataLoader[int, list[CustomAnswerView] | None] = self._loader(load_answers)
        self.admissions: DataLoader[int, AdmissionView | None] = self._loader(lambda ids: load_admissions(request, ids))
        self.attendance: DataLoader[int, AttendanceView | None] = self._loader(
            lambda ids: load_attendance(request, ids)
        )
        self.decisions: DataLoader[int, DecisionView | None] = self._loader(load_decisions)

    def _loader(self, load: Callable[[Sequence[K]], Awaitable[Mapping[K, T]]]) -> DataLoader[K, T | None]:
        async def load_in_order(keys: list[K]) -> list[T | None]:
            found = await self.deadline.wait_for(lambda: load(keys))
            return [found.get(one) for one in keys]

        return DataLoader(load_fn=load_in_order)

    def forget_loaded(self) -> None:
        """Begin anew with every loader: what was loaded before a mutation, or for an earlier delivery, is old."""
        for loader in vars(self).values():
            if isinstance(loader, DataLoader):
                loader.clear_all()


Info = StrawberryInfo[GraphQLContext, None]
