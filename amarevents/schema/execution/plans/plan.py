"""The plan of a whole query."""

from collections.abc import Mapping
from dataclasses import dataclass

from graphql.execution.values import VariableValues

from amarevents.resolvers.core.inputs import Input
from amarevents.schema.core.context import GraphQLContext, Wanted
from amarevents.schema.core.fields import QueryField
from amarevents.schema.execution import executor
from amarevents.schema.execution.leaves import Value
from amarevents.schema.execution.plans.arguments import Arguments
from amarevents.schema.execution.plans.objects import Values
from amarevents.schema.execution.plans.run import AnyLoad, Run, together


@dataclass(frozen=True, slots=True)
class Root:
    """A root field. ``constant`` are its ID and input, if the document contains its arguments whole."""

    name: str
    field: QueryField
    arguments: Arguments
    constant: tuple[int | None, Input | None] | None
    values: Values
    wanted: Wanted

    async def write(self, run: Run) -> Value:
        """Call the operation and return the written value of the field."""
        record_id, data = self.constant or self.field.take(self.arguments.values(run.variables))
        request = run.context.request_for(self.wanted)
        answer = await run.context.answer(self.name, lambda: self.field.operation(request, id=record_id, data=data))
        [written] = await self.values.write([self.field.value_of(answer)], run)
        return written


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled query: its root fields by their names in the response; None stands for ``__typename``."""

    type_name: str
    roots: Mapping[str, Root | None]
    wanted: Mapping[AnyLoad, Wanted]

    async def execute(self, context: GraphQLContext, variables: VariableValues) -> dict[str, Value]:
        """Return the data of the response.

        Raises any exception for what the stock engine has to handle, which finds what has been loaded in the context.
        """
        roots = [root for root in self.roots.values() if root is not None]
        run = Run(context, variables, self.wanted, executor.MAX_OBJECTS, context.response_size.objects)
        run.count(executor.size_of(len(roots)))
        written = iter(await together([root.write(run) for root in roots]))
        context.response_size.objects = run.size
        return {name: self.type_name if root is None else next(written) for name, root in self.roots.items()}
