"""The one door to every operation: check the policy, then validate, then run (once per Idempotency-Key).

The order matters: who may not call gets 401 or 403, whatever the body.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError
from tortoise.models import Model
from typing_extensions import Doc

from amarevents import errors
from amarevents.models.columns import MAX_ID
from amarevents.resolvers.core.descriptions import public_text
from amarevents.resolvers.core.idempotency import once
from amarevents.resolvers.core.inputs import Input
from amarevents.security.context import Context
from amarevents.security.policy import Policy
from amarevents.security.rate_limit.quotas import AddressLimit
from amarevents.tasks import finish

T = TypeVar("T")

Values = Mapping[str, object] | Input | None
Data = Values | Callable[[], Awaitable[Values]]

# Words for what pydantic finds; the placeholders are those of its own messages.
_PROBLEMS = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "string_type": "must be a text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "enum": "must be one of {expected}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} characters",
    "too_long": "must have at most {max_length} entries",
    "date_parsing": "must be a date, YYYY-MM-DD",
    "date_from_datetime_parsing": "must be a date, YYYY-MM-DD",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}

_OF_A_KEY = "[key]"
"""How pydantic marks that an object's key is meant, not its value; the key itself stands before it."""

OPERATIONS: dict[str, "Operation[Any]"] = {}
"""Every operation by its name; tests compare the surfaces with it. Any: each has its own view."""


@dataclass(frozen=True, kw_only=True)
class Operation(Generic[T]):
    """One thing that a caller can do. ``creates``: it honours an Idempotency-Key (decisions 6.11).

    ``changes`` are the models whose rows it adds, removes or changes; ``raises`` are the errors that are its own,
    besides those that any request may end with; ``id_description`` says what ``id`` is the ID of.
    """

    name: str
    description: str
    policy: Policy
    run: Callable[..., Awaitable[T]]
    view: Any  # the annotation of what it returns
    input_type: type[Input] | None
    takes_id: bool
    id_description: str
    creates: bool
    address_limit: AddressLimit | None
    changes: tuple[type[Model], ...]
    raises: tuple[type[errors.AmarEventsError], ...]

    async def __call__(
        self,
        ctx: Context,
        *,
        id: int | None = None,
        data: Data = None,
        idempotency_key: str | None = None,
    ) -> T:
        """``data`` may be a function that reads it, called only for those whom the policy lets in.

        Raises any of ``errors``; what is wrong with the request itself only to callers that the policy lets in.
        """
        if self.address_limit is not None:
            await ctx.charge_address(self.address_limit)
        self.policy.check(ctx.principal)
        values = await data() if callable(data) else data
        self.policy.check(ctx.principal)  # a slow body has had the principal identified again
        arguments = self._arguments(id, values)
        try:
            answer = await self._run(ctx, arguments, idempotency_key)
        except errors.AmarEventsError:
            ctx.pending_changes.clear()
            raise  # refused: nothing has been written
        except BaseException:
            # A transaction may have been committed all the same.
            await finish(self._spread(ctx))
            raise
        await finish(self._spread(ctx))
        return answer

    async def _spread(self, ctx: Context) -> None:
        """Let everybody know what has been written: who remembers totals, and who follows events.

        A cancellation that comes meanwhile waits for it: nobody else would tell.
        """
        await ctx.services.count_cache.invalidate(self.changes)
        announced, ctx.pending_changes = ctx.pending_changes, {}  # the next operation of the same document has its own
        for event_id, changes in announced.items():
            await ctx.services.broker.publish(event_id, changes)

    async def _run(self, ctx: Context, arguments: dict[str, Any], idempotency_key: str | None) -> T:
        if not self.creates or idempotency_key is None:
            return await self.run(ctx, **arguments)
        return await once(
            ctx,
            idempotency_key,
            request=(self.name, _as_sent(arguments)),
            answer=_adapter(self.view),
            work=lambda: self.run(ctx, **arguments),
        )

    def _arguments(self, target: int | None, data: Values) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        if self.takes_id:
            if target is None or not 1 <= target <= MAX_ID:
                raise errors.NotFound
            arguments["id"] = target
        values = validate(self.input_type or Input, {} if data is None else data)
        if self.input_type is not None:
            arguments["data"] = values
        return arguments


@cache
def _adapter(view: Any) -> TypeAdapter[Any]:  # Any: an annotation
    return TypeAdapter(view)


def _as_sent(arguments: Mapping[str, Any]) -> dict[str, Any]:
    data = arguments.get("data")
    sent = data.model_dump(mode="json", exclude_unset=True) if isinstance(data, Input) else None
    return {"id": arguments.get("id"), "data": sent}


def validate(input_type: type[Input], data: Mapping[str, object] | Input) -> Input:
    """Raises ValidationFailed, whose ``fields`` name each field by its path, such as ``ticket_types.0.price``."""
    if isinstance(data, input_type):
        return data
    try:
        return input_type.model_validate(data)
    except ValidationError as error:
        raise errors.ValidationFailed(_fields(error)) from error


def _fields(error: ValidationError) -> dict[str, str]:
    fields: dict[str, str] = {}
    for problem in error.errors(include_url=False, include_input=False):
        path = ".".join(str(part) for part in problem["loc"] if part != _OF_A_KEY) or "body"
        fields.setdefault(path, _describe(problem["type"], problem["msg"], problem.get("ctx", {})))
    return fields


def _describe(kind: str, message: str, context: Mapping[str, Any]) -> str:
    """What is wrong with a field, in the words of the API rather than of the library that found it."""
    return _PROBLEMS.get(kind, "{message}").format(message=message.removeprefix("Value error, "), **context)


def operation(
    policy: Policy,
    *,
    creates: bool = False,
    changes: tuple[type[Model], ...] = (),
    raises: tuple[type[errors.AmarEventsError], ...] = (),
    address_limit: AddressLimit | None = None,
) -> Callable[[Callable[..., Awaitable[T]]], Operation[T]]:
    """Make a function an operation. ``policy`` has no default, so that nothing is public by omission.

    ``changes`` names the models of which it writes rows that lists count. The function takes ``ctx`` and, where it has
    them, ``id`` (the row it is about) and ``data`` (its Input).
    """

    def decorate(function: Callable[..., Awaitable[T]]) -> Operation[T]:
        hints = get_type_hints(function, include_extras=True)
        made = Operation(
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
            raises=raises,
        )
        if made.name in OPERATIONS:
            raise ValueError(f"there are two operations {made.name}")
        OPERATIONS[made.name] = made
        return made

    return decorate


def _doc_of(annotation: object) -> str:
    """Return the text of ``Annotated[…, Doc("…")]``, empty for any other annotation."""
    documented = (part.documentation for part in getattr(annotation, "__metadata__", ()) if isinstance(part, Doc))
    return next(documented, "")
