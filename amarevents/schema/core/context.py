"""What a GraphQL operation is given beside its arguments: the request's context, and loaders of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from strawberry.dataloader import DataLoader
from strawberry.types import Info as StrawberryInfo

from amarevents.resolvers.accounts.api_keys import load_account_keys, load_key_owners
from amarevents.resolvers.accounts.profiles import load_account_organizations
from amarevents.resolvers.accounts.related import load_account_tickets, load_accounts, load_organization_owners
from amarevents.resolvers.events.gallery import load_galleries
from amarevents.resolvers.events.organizations import load_organization_details, load_organizations
from amarevents.resolvers.events.plans import load_plans
from amarevents.resolvers.events.queries import load_event_details, load_events, load_organization_events
from amarevents.resolvers.events.statistics import load_event_stats
from amarevents.resolvers.events.ticket_types import load_ticket_types
from amarevents.resolvers.tickets.check_in import load_admissions, load_attendance
from amarevents.resolvers.tickets.payments import load_decisions
from amarevents.resolvers.tickets.queries import load_answers, load_event_tickets, load_tickets
from amarevents.schema.core.timeouts import Deadline
from amarevents.security.auth.principals import SessionToken, identify
from amarevents.security.context import Context

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
        self._has_mutated = False
        self.load_anew()

    async def begin_mutation(self) -> None:
        """What may have changed is loaded anew. For every mutation but the first whoever asks is found anew as well.

        The one before may have ended the key, the session or the role that it came with, or begun another session.
        Raises what is wrong with the credential by now.
        """
        self.load_anew()
        if self._has_mutated:
            if self.request.started_session is not None:
                self.request.credential = SessionToken(self.request.started_session.token)
            self.request.principal = await identify(self.request.credential)
        self._has_mutated = True

    def begin_delivery(self) -> None:
        """What hangs on what a subscription delivers next is loaded anew, and has the time of an operation."""
        self.deadline = Deadline(self.request.services.settings.graphql_timeout_seconds)
        self.load_anew()

    def load_anew(self) -> None:
        """Forget what has been loaded."""
        request, loader = self.request, self._loader
        self.account_keys = loader(partial(load_account_keys, request))
        self.account_organizations = loader(load_account_organizations)
        self.account_tickets = loader(partial(load_account_tickets, request))
        self.accounts = loader(load_accounts)
        self.admissions = loader(partial(load_admissions, request))
        self.answers = loader(load_answers)
        self.attendance = loader(partial(load_attendance, request))
        self.decisions = loader(load_decisions)
        self.event_details = loader(partial(load_event_details, request))
        self.event_stats = loader(partial(load_event_stats, request))
        self.event_tickets = loader(partial(load_event_tickets, request))
        self.events = loader(partial(load_events, request))
        self.galleries = loader(partial(load_galleries, request))
        self.key_owners = loader(load_key_owners)
        self.organization_details = loader(partial(load_organization_details, request))
        self.organization_events = loader(partial(load_organization_events, request))
        self.organization_owners = loader(load_organization_owners)
        self.organizations = loader(load_organizations)
        self.plans = loader(load_plans)
        self.ticket_types = loader(partial(load_ticket_types, request))
        self.tickets = loader(partial(load_tickets, request))

    def _loader(self, load: Callable[[Sequence[K]], Awaitable[Mapping[K, T]]]) -> DataLoader[K, T | None]:
        async def load_in_order(keys: list[K]) -> list[T | None]:
            found = await self.deadline.wait_for(lambda: load(keys))
            return [found.get(one) for one in keys]

        return DataLoader(load_fn=load_in_order)


Info = StrawberryInfo[GraphQLContext, None]
