"""Where a plan finds the values of fields: in the objects themselves, or behind their edges (core/edges.py)."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import ClassVar, Protocol, TypeAlias

from amarevents.resolvers.core.inputs import Input
from amarevents.schema.core.edges import Access, Batch, PagedEdgeField, Parent, Steps
from amarevents.schema.execution.leaves import Value
from amarevents.schema.execution.plans.arguments import Arguments
from amarevents.schema.execution.plans.run import AnyLoad, Run, together

Keys: TypeAlias = Sequence[Hashable | None]


class Source(Protocol):
    """Where the values of a field come from."""

    @property
    def load(self) -> AnyLoad | None:
        """The load function, if one finds the values of all objects."""

    @property
    def waits(self) -> bool:
        """Whether something is loaded to find the values."""

    def prepare(self, parents: Sequence[Parent], run: Run) -> Keys:
        """Return the keys of the objects for the load function. Raises the refusal of a caller who may not see them."""

    async def find(self, parents: Sequence[Parent], keys: Keys, run: Run) -> Sequence[Value]:
        """Return the value for each object."""


@dataclass(frozen=True, slots=True)
class FromAttribute:
    """An attribute of the objects."""

    attribute: str
    access: Access | None = None

    load: ClassVar[None] = None
    waits: ClassVar[bool] = False

    def prepare(self, parents: Sequence[Parent], run: Run) -> Keys:
        if self.access is not None:
            self.access.check_policy(run.context.request.principal)
        return ()

    async def find(self, parents: Sequence[Parent], keys: Keys, run: Run) -> Sequence[Value]:
        return list(map(attrgetter(self.attribute), parents))


@dataclass(frozen=True, slots=True)
class FromBatch:
    """An edge that a load function finds; ``page`` are the arguments of a list."""

    batch: Batch
    access: Access
    page: "Page | None" = None

    waits: ClassVar[bool] = True

    @property
    def load(self) -> AnyLoad:
        return self.batch.load

    def prepare(self, parents: Sequence[Parent], run: Run) -> Keys:
        principal, require_access = run.context.request.principal, self.batch.require_access
        self.access.check(principal, *parents)
        keys = list(map(attrgetter(self.batch.key), parents))
        if require_access is not None:
            for key in set(keys) - {None}:
                require_access(principal, key)
        if self.page is None:
            return keys
        data = self.page.input_of(run)
        return [(key, data) for key in keys]

    async def find(self, parents: Sequence[Parent], keys: Keys, run: Run) -> Sequence[Value]:
        found = await run.load(self.batch.load, keys)
        value_of = self.batch.value_of
        return [None if key is None else value_of(found.get(key)) for key in keys]


@dataclass(frozen=True, slots=True)
class Page:
    """The arguments of a list behind an edge, validated once if the document contains them whole."""

    field: PagedEdgeField
    arguments: Arguments
    constant: Input | None

    def input_of(self, run: Run) -> Input:
        """Return the input of the list. Raises ValidationFailed and what invalid arguments raise."""
        data = self.constant
        if data is None:
            data = self.field.input_of(self.arguments.values(run.variables))
        self.field.check_cursors(data, run.context.request)
        return data


@dataclass(frozen=True, slots=True)
class FromView:
    """An edge of objects that are what its load function would find."""

    batch: Batch
    access: Access

    load: ClassVar[None] = None
    waits: ClassVar[bool] = False

    def prepare(self, parents: Sequence[Parent], run: Run) -> Keys:
        self.access.check(run.context.request.principal, *parents)
        return ()

    async def find(self, parents: Sequence[Parent], keys: Keys, run: Run) -> Sequence[Value]:
        return list(map(self.batch.value_of, parents))


@dataclass(frozen=True, slots=True)
class FromSteps:
    """An edge that a function finds for one object."""

    steps: Steps
    access: Access

    load: ClassVar[None] = None
    waits: ClassVar[bool] = True

    def prepare(self, parents: Sequence[Parent], run: Run) -> Keys:
        self.access.check(run.context.request.principal, *parents)
        return ()

    async def find(self, parents: Sequence[Parent], keys: Keys, run: Run) -> Sequence[Value]:
        return await together([_result(self.steps, parent, run) for parent in parents])


async def _result(steps: Steps, parent: Parent, run: Run) -> object:
    return await steps(parent, run.context)
