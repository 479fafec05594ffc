"""Fields made of operations: arguments from the Input, description from the docstring, one call through the door."""

import contextlib
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Annotated, Any

import strawberry

from amarevents.resolvers.accounts.related import OfAccounts
from amarevents.resolvers.core.descriptions import description_of, public_text
from amarevents.resolvers.core.idempotency import LIFETIME_HOURS
from amarevents.resolvers.core.inputs import Input
from amarevents.resolvers.core.operation import Operation, validate
from amarevents.resolvers.tickets.subscriptions import Subscription
from amarevents.schema.core.context import Info
from amarevents.schema.core.inputs import graphql_fields, graphql_type, input_class, to_id, to_values

# Any throughout: signatures are made at import time, of the operation's own types.

_PARENT: Any = strawberry.Parent[Any]  # type: ignore[misc] # an alias that strawberry reads at run time

OPERATION_FIELDS: list[str] = []
"""The names of the operations that have a query or a mutation; tests compare them with all there are."""
OPERATION_EDGES: set[str] = set()
"""The names of the operations that show what an edge shows as well."""

SUBSCRIPTION_FIELDS: list[str] = []
"""The names of the subscriptions that have a field; tests compare them as well."""

_IDEMPOTENCY_KEY = inspect.Parameter(
    "idempotency_key",
    inspect.Parameter.KEYWORD_ONLY,
    default=strawberry.UNSET,
    annotation=Annotated[
        str | None,
        strawberry.argument(
            description="A unique value of your choice, such as a UUID. Repeating a mutation with the same key and the "
            f"same input within {LIFETIME_HOURS} hours returns the first result and has no further effect."
        ),
    ],
)


def query(operation: Operation[Any], returns: Any) -> Any:
    """A query: ``(id)`` and one argument per field of the Input."""
    parameters = [_id(operation)] if operation.takes_id else []
    if operation.input_type is not None:
        parameters += _arguments(operation.input_type)

    async def resolve(info: Info, **given: Any) -> Any:
        target = to_id(given.pop("id")) if operation.takes_id else None
        data = to_values(operation.input_type, given) if operation.input_type else None
        context = info.context
        return await context.deadline.begin(lambda: operation(context.request, id=_whole(target), data=data))

    return _field(operation, resolve, parameters, returns)


def mutation(operation: Operation[Any], returns: Any, *, flat: bool = False) -> Any:
    """A mutation: ``(id, input, idempotencyKey)``, those of them that the operation takes.

    ``flat``: instead of ``input`` one argument per field of the Input, as a query has.
    """
    parameters = [_id(operation)] if operation.takes_id else []
    if operation.input_type is not None:
        parameters += _arguments(operation.input_type) if flat else [_input(operation.input_type)]
    if operation.creates:
        parameters.append(_IDEMPOTENCY_KEY)

    async def resolve(info: Info, **given: Any) -> Any:
        context = info.context
        target = to_id(given.pop("id")) if operation.takes_id else None
        given_key = given.pop("idempotency_key", strawberry.UNSET)
        key = None if given_key is strawberry.UNSET else given_key
        values = vars(given["input"]) if "input" in given and not flat else given
        data = to_values(operation.input_type, values) if operation.input_type else None
        await context.begin_mutation()
        return await context.deadline.begin(
            lambda: operation(context.request, id=_whole(target), data=data, idempotency_key=key)
        )

    return _field(operation, resolve, parameters, returns)


def subscription(followed: Subscription[Any], returns: Any) -> Any:
    """A subscription: one argument per field of the Input. Each delivery loads anew what hangs on its view."""
    parameters = _arguments(followed.input_type)

    async def resolve(info: Info, **given: Any) -> AsyncGenerator[Any, None]:
        request, data = info.context.request, to_values(followed.input_type, given)
        async with contextlib.aclosing(followed(request, data, begun=info.context.begun.set)) as views:
            async for view in views:
                info.context.begin_delivery()
                yield view

    _sign(resolve, followed.name, parameters, AsyncGenerator[returns | None, None])
    SUBSCRIPTION_FIELDS.append(followed.name)
    return strawberry.subscription(resolver=resolve, description=followed.description)


def _id(operation: Operation[Any]) -> inspect.Parameter:
    documented = Annotated[strawberry.ID, strawberry.argument(description=operation.id_description)]
    return inspect.Parameter("id", inspect.Parameter.KEYWORD_ONLY, annotation=documented)


def _input(input_type: type[Input]) -> inspect.Parameter:
    summary = public_text(input_type.__doc__).partition("\n")[0]
    documented = Annotated[input_class(input_type), strawberry.argument(description=summary)]
    return inspect.Parameter("input", inspect.Parameter.KEYWORD_ONLY, annotation=documented)


def _arguments(input_type: type[Input]) -> list[inspect.Parameter]:
    return [_argument(input_type, name, field) for name, field in graphql_fields(input_type).items()]


def _argument(input_type: type[Input], name: str, field: Any) -> inspect.Parameter:
    default = inspect.Parameter.empty if field.is_required() else strawberry.UNSET
    description = description_of(input_type, name)
    documented = Annotated[graphql_type(field), strawberry.argument(description=description)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=documented)


def _whole(target: object) -> int | None:
    return target if isinstance(target, int) else None


def _field(
    operation: Operation[Any],
    resolve: Callable[..., Any],
    parameters: list[inspect.Parameter],
    returns: Any,
    *,
    of: Any = None,
    description: str | None = None,
) -> Any:
    """Nullable, so that one failing field does not hide what another has answered (decisions 9.3).

    ``of``: the annotation of the object that the field hangs on, None for a root's.
    """
    _sign(resolve, operation.name, parameters, returns | None, of=of)
    if of is None:
        OPERATION_FIELDS.append(operation.name)
    else:
        OPERATION_EDGES.add(operation.name)
    return strawberry.field(resolver=resolve, description=description or operation.description)


def _sign(
    resolve: Callable[..., Any], name: str, parameters: list[inspect.Parameter], returns: Any, *, of: Any = None
) -> None:
    """Give a resolver the name and the signature that Strawberry makes the field of."""
    info = inspect.Parameter("info", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Info)
    root = [inspect.Parameter("root", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=of)] if of else []
    required_first = sorted(parameters, key=lambda parameter: parameter.default is not inspect.Parameter.empty)
    annotations = {parameter.name: parameter.annotation for parameter in [*root, info, *parameters]}
    resolve.__name__ = name
    resolve.__annotations__ = {**annotations, "return": returns}
    resolve.__signature__ = inspect.Signature(  # type: ignore[attr-defined] # functions may carry one
        [*root, info, *required_first], return_annotation=returns
    )


def edge(
    load: Callable[[Any, Info], Awaitable[Any]],
    name: str,
    of: Any,
    description: str,
    *,
    as_in: Operation[Any] | None = None,
) -> Any:
    """A field that lists leave out: the attribute ``name``, of type ``of``, of what ``load`` finds for the object.

    Null where that has no such attribute: what only owner and admins see is missing from everybody else's view.
    ``as_in``: the operation that shows the same; who may not call it is refused here as well.
    """

    async def attribute(root: Any, info: Info) -> Any:
        return getattr(await load(root, info), name, None)

    return link(attribute, of, description, as_in=as_in)


def link(
    load: Callable[[Any, Info], Awaitable[Any]],
    of: Any,
    description: str,
    *,
    as_in: Operation[Any] | None = None,
    of_account: OfAccounts | None = None,
) -> Any:
    """A field that leads from an object to what ``load`` finds for it, of type ``of``; it may refuse what it finds.

    ``as_in``: as above. ``of_account``: who sees what it leads to, where the object is an account.
    """

    async def resolve(root: strawberry.Parent[Any], info: Info) -> Any:
        principal = info.context.request.principal
        if as_in is not None:
            as_in.policy.check(principal)
        if of_account is not None:
            of_account.check(principal, root.id)
        return await load(root, info)

    resolve.__annotations__["return"] = of
    if as_in is not None:
        OPERATION_EDGES.add(as_in.name)
    return strawberry.field(resolver=resolve, description=description)


def paged_edge(
    operation: Operation[Any],
    load: Callable[[Any, Info, Any], Awaitable[Any]],
    returns: Any,
    description: str,
    *,
    arguments: type[Input] | None = None,
    of_account: OfAccounts | None = None,
) -> Any:
    """A list that hangs on an object: arguments and policy are those of the operation that lists the same.

    ``arguments``: those of the operation but for what the object itself says. ``of_account``: as above, in place of the
    operation's policy, which knows of one's own account alone.
    """
    input_type = arguments or operation.input_type
    assert input_type is not None  # noqa: S101 - for the type checker; every list has its paging
    parameters = _arguments(input_type)

    async def resolve(root: strawberry.Parent[Any], info: Info, **given: Any) -> Any:
        principal = info.context.request.principal
        if of_account is None:
            operation.policy.check(principal)
        else:
            of_account.check(principal, root.id)
        return await load(root, info, validate(input_type, to_values(input_type, given)))

    return _field(operation, resolve, parameters, returns, of=_PARENT, description=description)
