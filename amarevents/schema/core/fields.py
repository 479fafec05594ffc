"""Root fields made of operations: queries, mutations and subscriptions.

Each is an ordinary Strawberry field with a ``FieldExtension``, which gives it the arguments of the operation's input
and resolves it by calling the operation. It is nullable, so that a field that fails does not hide what the others
return (decisions 9.3).
"""

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, TypeAlias, get_origin

import strawberry
from strawberry.extensions.field_extension import AsyncExtensionResolver, FieldExtension, SyncExtensionResolver
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from amarevents.resolvers.core.idempotency import LIFETIME_HOURS
from amarevents.resolvers.core.operation import Operation
from amarevents.resolvers.core.pagination import Page
from amarevents.resolvers.core.subscription import Subscription
from amarevents.schema.core.context import Info
from amarevents.schema.core.inputs import argument, input_argument, input_arguments, parse_id, to_values

AnyOperation: TypeAlias = Operation[object]
Returns: TypeAlias = Any
"""The type of a field as an annotation, which only Strawberry reads."""

OPERATION_FIELDS: list[str] = []
"""The names of the operations that have a query or a mutation, for tests that look for operations without one."""
SUBSCRIPTION_FIELDS: list[str] = []
"""The names of the subscriptions that have a field."""

_IDEMPOTENCY_KEY = argument(
    "idempotency_key",
    str | None,
    "A unique value of your choice, such as a UUID. Repeating a mutation with the same key and the same input within "
    f"{LIFETIME_HOURS} hours returns the first result and has no further effect.",
)


def query(operation: AnyOperation, returns: Returns) -> StrawberryField:
    """Return a query with ``id``, if the operation takes one, and one argument per field of its input.

    A query that returns a list has the items of the page that the operation returns, without its pagination.
    """
    OPERATION_FIELDS.append(operation.name)
    return strawberry_field(QueryField(operation, _is_list(returns)), returns | None, operation.description)


def _is_list(returns: object) -> bool:
    return get_origin(returns) is list


def mutation(operation: AnyOperation, returns: Returns, *, flat: bool = False) -> StrawberryField:
    """Return a mutation with ``id``, ``input`` and ``idempotencyKey``, those of them that the operation takes.

    ``flat``: instead of ``input`` it has one argument per field of the input, as a query has.
    """
    OPERATION_FIELDS.append(operation.name)
    return strawberry_field(_Mutation(operation, flat), returns | None, operation.description)


def subscription(source: Subscription[Any], returns: Returns) -> StrawberryField:  # Any: each has its own view
    """Return a subscription with one argument per field of its input."""
    SUBSCRIPTION_FIELDS.append(source.name)
    return strawberry_field(_Subscription(source), returns | None, source.description, is_subscription=True)


def strawberry_field(
    extension: FieldExtension, returns: Returns, description: str, *, is_subscription: bool = False
) -> StrawberryField:
    """Return a field that the extension resolves."""
    made: StrawberryField = strawberry.field(
        graphql_type=returns, description=description, extensions=[extension], is_subscription=is_subscription
    )
    return made


@dataclass(frozen=True)
class QueryField(FieldExtension):
    """Resolves a query."""

    operation: AnyOperation
    is_plain_list: bool

    def apply(self, field: StrawberryField) -> None:
        field.arguments = [*_id_argument(self.operation), *_input_arguments(self.operation)]

    def take(self, given: dict[str, Any]) -> tuple[int | None, dict[str, object] | None]:
        """Return the ID and the values of the input that are in the arguments."""
        record_id = _take_id(self.operation, given)
        return record_id, to_values(self.operation.input_type, given) if self.operation.input_type else None

    def value_of(self, answer: object) -> object:
        """Return the value of the field, given what the operation has returned."""
        return answer.items if self.is_plain_list and isinstance(answer, Page) else answer

    async def resolve_async(self, next_: AsyncExtensionResolver, source: object, info: Info, **given: Any) -> object:
        context = info.context
        record_id, data = self.take(given)
        answer = await context.answer(
            str(info.path.key), lambda: self.operation(context.request, id=record_id, data=data)
        )
        return self.value_of(answer)


@dataclass(frozen=True)
class _Mutation(FieldExtension):
    operation: AnyOperation
    flat: bool

    def apply(self, field: StrawberryField) -> None:
        operation = self.operation
        if self.flat or operation.input_type is None:
            arguments = _input_arguments(operation)
        else:
            arguments = [input_argument(operation.input_type)]
        key = [_IDEMPOTENCY_KEY] if operation.creates else []
        field.arguments = [*_id_argument(operation), *arguments, *key]

    async def resolve_async(self, next_: AsyncExtensionResolver, source: object, info: Info, **given: Any) -> object:
        operation, context = self.operation, info.context
        record_id = _take_id(operation, given)
        key = given.pop("idempotency_key", None)
        values = given if self.flat or "input" not in given else vars(given["input"])
        data = to_values(operation.input_type, values) if operation.input_type else None
        await context.start_mutation()
        answer = await context.deadline.start(
            lambda: operation(context.request, id=record_id, data=data, idempotency_key=key)
        )
        await context.finish_mutation()
        return answer


@dataclass(frozen=True)
class _Subscription(FieldExtension):
    source: Subscription[Any]

    def apply(self, field: StrawberryField) -> None:
        field.arguments = input_arguments(self.source.input_type)

    async def resolve(
        self, next_: SyncExtensionResolver, source: object, info: Info, **given: Any
    ) -> AsyncGenerator[object, None]:
        context = info.context
        data = to_values(self.source.input_type, given)
        async with contextlib.aclosing(self.source(context.request, data, on_started=context.started.set)) as views:
            async for view in views:
                context.start_delivery()
                yield view


def _id_argument(operation: AnyOperation) -> list[StrawberryArgument]:
    return [argument("id", strawberry.ID, operation.id_description)] if operation.takes_id else []


def _input_arguments(operation: AnyOperation) -> list[StrawberryArgument]:
    return input_arguments(operation.input_type) if operation.input_type else []


def _take_id(operation: AnyOperation, given: dict[str, Any]) -> int | None:
    """Remove the ID from the arguments and return it; None if it is no integer, for which operations raise NotFound."""
    return parse_id(given.pop("id")) if operation.takes_id else None
