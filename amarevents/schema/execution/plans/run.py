"""One execution of a plan, with what its parts share."""

import asyncio
from collections.abc import Coroutine, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from graphql.execution.values import VariableValues

from amarevents.schema.core.context import GraphQLContext, Wanted
from amarevents.schema.core.dataloaders import LoadFunction
from amarevents.schema.core.edges import Found

T = TypeVar("T")

AnyLoad: TypeAlias = LoadFunction[Found, Found]


class Unplanned(Exception):
    """Something that the stock engine has to handle."""


@dataclass(slots=True)
class Run:
    """One execution of a plan. ``wanted`` is what the whole operation needs of what each load function finds."""

    context: GraphQLContext
    variables: VariableValues
    wanted: Mapping[AnyLoad, Wanted]
    maximum_size: int
    size: int = 0

    def count(self, size: int) -> None:
        """Count objects towards the maximum size of the response. Raises Unplanned beyond it."""
        self.size += size
        if self.size > self.maximum_size:
            raise Unplanned

    async def load(self, load: AnyLoad, keys: Iterable[Hashable | None]) -> Mapping[Found, Found]:
        """Return what a load function finds for keys, except for None."""
        distinct = dict.fromkeys(keys)
        distinct.pop(None, None)
        return await self.context.load_all(load, distinct, self.wanted[load]) if distinct else {}


async def together(work: Sequence[Coroutine[object, object, T]]) -> list[T]:
    """Return the results of coroutines that run at the same time; the first failure cancels the others."""
    if len(work) < 2:
        return [await one for one in work]
    try:
        async with asyncio.TaskGroup() as tasks:
            started = [tasks.create_task(one) for one in work]
    except BaseExceptionGroup as failures:
        raise Unplanned from failures
    return [task.result() for task in started]
