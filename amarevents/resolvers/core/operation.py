"""Operations: the functions that both surfaces call, with their policy, input and errors.

A call checks the policy, validates the input and runs the function, in this order: a caller without permission gets
401 or 403 even if the body is invalid.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError
from tortoise.models import Model
from typing_extensions import Doc

from amarevents import errors
from amarevents.infra.pubsub import Broker, TicketChange
from amarevents.infra.versions import scopes_of, scopes_of_event
from amarevents.models import TicketType
from amarevents.models.columns import MAX_ID
from amarevents.resolvers.core.descriptions import public_text
from amarevents.resolvers.core.idempotency import run_once
from amarevents.resolvers.core.inputs import Input
from amarevents.security.context import Context
from amarevents.security.policy import Policy
from amarevents.security.rate_limit.quotas import AddressLimit
from amarevents.tasks import finish

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
InputT = TypeVar("InputT", bound=Input)

Values = Mapping[str, object] | Input | None
Data = Values | Callable[[], Awaitable[Values]]

# Our messages for the error types of pydantic; the placeholders are those of its own messages.
_PROBLEMS = {
    "missing": "is required",
    "extra_forbidden": "unknown field",
    "string_type": "must be a string",
    "int_type": "must be an integer",
    "int_from_float": "must be an integer",
    "bool_type": "must be true or false",
    "list_type": "must be an array",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "enum": "must be one of {expected}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "date_parsing": "must be a date, YYYY-MM-DD",
    "date_from_datetime_parsing": "must be a date, YYYY-MM-DD",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}

_KEY_MARKER = "[key]"
"""Added by pydantic after the key of an object if the error concerns the key rather than its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """That an operation has the same answer for all anonymous callers, which may be kept and sent to all of them."""

    models: tuple[type[Model], ...]
    """The models that the answer is made of: it is kept until their rows change."""
    event_argument: str | None = None
    """The argument with the ID of an event, if the answer has the ticket types of that event alone."""

    def scopes(self, id: int | None, data: object) -> frozenset[str]:
        """Return the scopes whose changes may change the answer to a call with these arguments."""
        if self.event_argument is None:
            return scopes_of(self.models)
        event_id = id if self.event_argument == "id" else getattr(data, self.event_argument)
        others = tuple(model for model in self.models if model is not TicketType)
        return scopes_of(others) | scopes_of_event(TicketType, event_id or 0)


OPERATIONS: dict[str, "Operation[object]"] = {}
"""All operations by name."""


@dataclass(frozen=True, kw_only=True)
class Operation(Generic[T_co]):
    """An operation of the API."""

    name: str
    description: str
    policy: Policy
    run: Callable[..., Awaitable[T_co]]
    view: Any  # Any: an annotation
    """The type that the operation returns."""
    input_type: type[Input] | None
    takes_id: bool
    id_description: str
    creates: bool
    """Whether it accepts an Idempotency-Key (decisions 6.11)."""
    address_limit: AddressLimit | None
    changes: tuple[type[Model], ...]
    """The models whose rows it creates, changes or deletes, of those that lists count or anonymous callers see."""
    shared: Shared | None
    """Set if its answer is the same for all anonymous callers."""
    raises: tuple[type[errors.AmarEventsError], ...]
    """The errors of this operation, in addition to those that any request may raise."""
    turn_key: Callable[[object], object] | None
    """Returns, for the input of a call, the key of the queue in which it waits for its turn; None if a process works on
    any number of calls at once."""

    async def __call__(
        self,
        ctx: Context,
        *,
        id: int | None = None,
        data: Data = None,
        idempotency_key: str | None = None,
    ) -> T_co:
        """Call the operation. Raise any error in ``amarevents.errors``.

        ``data`` may be a function that reads the input; it is called only if the policy allows the call.
        """
        if self.address_limit is not None:
            await ctx.charge_address(self.address_limit)
        self.policy.check(ctx.principal)
        if self.turn_key is not None:
            ctx.services.turns.require_room()  # before the work of reading and validating the input
        values = await data() if callable(data) else data
        self.policy.check(ctx.principal)  # a slow body causes the principal to be identified again
        arguments = self._arguments(id, values)
        try:
            answer = await self._run_in_turn(ctx, arguments, idempotency_key)
        except errors.AmarEventsError:
            ctx.pending_changes.clear()
            raise  # the transaction was rolled back
        except BaseException:
            # The transaction may have been committed nevertheless.
            await after_commit(ctx, changes=self.changes)
            raise
        await after_commit(ctx, changes=self.changes)
        return answer

    async def _run_in_turn(self, ctx: Context, arguments: dict[str, object], idempotency_key: str | None) -> T_co:
        if self.turn_key is None:
            return await self._run(ctx, arguments, idempotency_key)
        async with ctx.services.turns.turn(self.turn_key(arguments["data"]), ctx.disconnected):
            return await self._run(ctx, arguments, idempotency_key)

    async def _run(self, ctx: Context, arguments: dict[str, object], idempotency_key: str | None) -> T_co:
        if not self.creates or idempotency_key is None:
            return await self.run(ctx, **arguments)
        return await run_once(
            ctx,
            idempotency_key,
            request=(self.name, _request_json(arguments)),
            answer=_adapter(self.view),
            work=lambda: self.run(ctx, **arguments),
        )

    def _arguments(self, target: int | None, data: Values) -> dict[str, object]:
        arguments: dict[str, object] = {}
        if self.takes_id:
            if target is None or not 1 <= target <= MAX_ID:
                raise errors.NotFound
            arguments["id"] = target
        if self.input_type is not None:
            arguments["data"] = validate(self.input_type, {} if data is None else data)
        elif data:
            validate(Input, data)
        return arguments


async def after_commit(ctx: Context, *, changes: tuple[type[Model], ...]) -> None:
    """Record what may have changed, and publish the changes to the subscribers of their events.

    It runs to completion even if the caller is cancelled: nothing else would publish the changes.
    """
    pending, ctx.pending_changes = ctx.pending_changes, {}  # later operations of the document have their own
    ctx.services.versions.record(changes, pending)
    if pending:
        await finish(_publish(ctx.services.broker, pending))


async def _publish(broker: Broker, changes: Mapping[int, Sequence[TicketChange]]) -> None:
    for event_id, ticket_changes in changes.items():
        await broker.publish(event_id, ticket_changes)


@cache
def _adapter(view: Any) -> TypeAdapter[Any]:  # Any: an annotation, and the type that it describes
    return TypeAdapter(view)


def _request_json(arguments: Mapping[str, object]) -> dict[str, object]:
    """Return what identifies a request: a field with its default, or null, is the same as a missing field."""
    data = arguments.get("data")
    sent = data.model_dump(mode="json", exclude_defaults=True) if isinstance(data, Input) else None
    return {"id": arguments.get("id"), "data": _without_nulls(sent)}


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_nulls(part) for name, part in value.items() if part is not None}
    return [_without_nulls(part) for part in value] if isinstance(value, list) else value


def validate(input_type: type[InputT], data: Mapping[str, object] | Input) -> InputT:
    """Return the validated input.

    Raises ValidationFailed, whose ``fields`` have the path of each invalid field, such as ``ticket_types.0.price``.
    """
    if isinstance(data, input_type):
        return data
    try:
        return input_type.model_validate(data)
    except ValidationError as error:
        raise errors.ValidationFailed(_fields(error)) from error


def _fields(error: ValidationError) -> dict[str, str]:
    fields: dict[str, str] = {}
    for problem in error.errors(include_url=False, include_input=False):
        path = ".".join(str(part) for part in problem["loc"] if part != _KEY_MARKER) or "body"
        fields.setdefault(path, _describe(problem["type"], problem["msg"], problem.get("ctx", {})))
    return fields


def _describe(kind: str, message: str, context: Mapping[str, object]) -> str:
    """Return the message for a pydantic error."""
    return _PROBLEMS.get(kind, "{message}").format(message=message.removeprefix("Value error, "), **context)


def operation(
    policy: Policy,
    *,
    creates: bool = False,
    changes: tuple[type[Model], ...] = (),
    raises: tuple[type[errors.AmarEventsError], ...] = (),
    address_limit: AddressLimit | None = None,
    shared: Shared | None = None,
    turn_key: Callable[[object], object] | None = None,
) -> Callable[[Callable[..., Awaitable[T]]], Operation[T]]:
    """Register a function as an operation; see the fields of ``Operation``.

    The function takes ``ctx`` and, if it needs them, ``id`` (the ID of a row) and ``data`` (its Input). ``policy`` has
    no default, so that no operation is public by omission.
    """

    def decorate(function: Callable[..., Awaitable[T]]) -> Operation[T]:
        hints = get_type_hints(function, include_extras=True)
        registered = Operation(
            name=function.__name__,
            description=public_text(function.__doc__),
            policy=policy,
            run=function,
            view=hints["return"],
            input_type=hints.get("data"),
            takes_id="id" in hints,
            id_description=_doc_of(hints.get("id")),
            creates=creates,
            address_limit=address_limit,
            changes=changes,
            shared=shared,
            raises=raises,
            turn_key=turn_key,
        )
        if registered.name in OPERATIONS:
            raise ValueError(f"operation {registered.name} is already registered")
        OPERATIONS[registered.name] = registered
        return registered

    return decorate


def _doc_of(annotation: object) -> str:
    """Return the text of ``Annotated[…, Doc("…")]``, empty for any other annotation."""
    documented = (part.documentation for part in getattr(annotation, "__metadata__", ()) if isinstance(part, Doc))
    return next(documented, "")
