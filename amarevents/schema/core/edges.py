"""Edges: fields that lead from an object to what belongs to it, loaded in batches.

What an edge loads is declared as data, a ``Batch``, from which the stock engine loads it for one object after the other
and a plan for all objects at once. An edge that takes several steps is a function instead.
"""

from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from strawberry.extensions.field_extension import AsyncExtensionResolver, FieldExtension
from strawberry.types.field import StrawberryField

from amarevents import errors
from amarevents.resolvers.accounts.related import AccountAccess
from amarevents.resolvers.core.connections import ConnectionArguments
from amarevents.resolvers.core.descriptions import description_of
from amarevents.resolvers.core.inputs import Input
from amarevents.resolvers.core.operation import validate
from amarevents.schema.core.context import GraphQLContext, Info
from amarevents.schema.core.dataloaders import LoadFunction
from amarevents.schema.core.fields import AnyOperation, Returns, strawberry_field
from amarevents.schema.core.inputs import input_arguments, to_values
from amarevents.schema.core.nodes import RequireAccess
from amarevents.security.context import Context
from amarevents.security.policy import Policy, Principal

Parent: TypeAlias = Any
"""The view of the object that an edge belongs to: each type's own."""
Found: TypeAlias = Any
"""What a load function finds: each has its own keys and values."""
Detail: TypeAlias = Any
"""A StrawberryField, which may take the place of the view's own attribute."""

OPERATION_EDGES: set[str] = set()
"""The names of the operations that show what an edge shows, for tests that look for operations without a field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """How an edge finds its value: a load function finds it by an attribute of the object.

    The value is what was found, its attribute ``field``, or what ``pick`` makes of it. It is null if the key is null,
    and if nothing was found, unless ``missing`` makes an error for that.
    """

    load: LoadFunction[Found, Found]
    key: str = "id"
    missing: Callable[[], errors.AmarEventsError] | None = None
    field: str | None = None
    pick: Callable[[Found], object] | None = None
    view: type | None = None
    """What ``load`` finds; nothing is loaded for an object that is such a view itself."""
    require_access: RequireAccess | None = None
    """A check whether the caller may ask for the object with the key at all."""

    def value_of(self, found: Found) -> object:
        """Return the value of the edge, given what was found."""
        if found is None:
            if self.missing is not None:
                raise self.missing()
            return None
        if self.field is not None:
            return getattr(found, self.field, None)
        return found if self.pick is None else self.pick(found)

    async def find(self, parent: Parent, context: GraphQLContext) -> object:
        """Return the value of the edge of one object."""
        if self.view is not None and isinstance(parent, self.view):
            return self.value_of(parent)
        return await self.find_by(getattr(parent, self.key), context)

    async def find_by(self, key: Hashable | None, context: GraphQLContext) -> object:
        """Return the value of the edge for a key."""
        if key is None:
            return None
        if self.require_access is not None:
            assert isinstance(key, int)  # noqa: S101 - for the type checker; it is the ID of an object
            self.require_access(context.request.principal, key)
        return self.value_of(await context.load(self.load, key))


Steps: TypeAlias = Callable[[Parent, GraphQLContext], Awaitable[object]]
"""A function that finds the value of an edge of one object in several steps, with the loaders of the context."""


def not_found(noun: str) -> Callable[[], errors.NotFound]:
    """Return a function that makes the error of an edge to something that the caller may not see."""
    return lambda: errors.NotFound(noun)


def edge(
    load: Batch | Steps,
    returns: Returns,
    description: str,
    *,
    policy_of: AnyOperation | None = None,
    visible_to: AccountAccess | None = None,
    attribute: str | None = None,
) -> StrawberryField:
    """Return a field that leads from an object to what ``load`` finds for it.

    ``policy_of``: an operation that shows the same; callers that may not call it are refused here as well.
    ``visible_to``: who may see the edge, if the object is an account. ``attribute``: of objects that have it, it is the
    value, and nothing is loaded: the code that made that view has checked that the caller may see it.
    """
    if policy_of is not None:
        OPERATION_EDGES.add(policy_of.name)
    access = Access(policy_of.policy if policy_of else None, visible_to)
    return strawberry_field(EdgeField(load, access, attribute), returns, description)


def paged_edge(
    operation: AnyOperation,
    load: Batch,
    returns: Returns,
    description: str,
    *,
    input_type: type[Input] | None = None,
    visible_to: AccountAccess | None = None,
) -> StrawberryField:
    """Return a list that belongs to an object, with the arguments and the policy of the operation that lists the same.

    The keys of ``load`` are pairs of its ``key`` and the input. ``input_type``: the operation's input without what the
    object itself determines. ``visible_to``: as for ``edge``; it replaces the operation's policy, which only knows the
    caller's own account.
    """
    OPERATION_EDGES.add(operation.name)
    arguments = input_type or operation.input_type
    assert arguments is not None  # noqa: S101 - for the type checker; every list has its paging
    access = Access(None if visible_to else operation.policy, visible_to)
    return strawberry_field(PagedEdgeField(load, access, arguments), returns | None, description)


def detail(
    load: Batch | None,
    view: type,
    name: str,
    returns: Returns,
    *,
    note: str = "",
    policy_of: AnyOperation | None = None,
    visible_to: AccountAccess | None = None,
) -> Detail:
    """Return a field that some views of an object leave out: the attribute ``name`` of ``view``, which describes it.

    If the object lacks it, it is that of the view that ``load`` finds. It is null if that view lacks it too, because
    views for owners and for admins have more attributes, and without ``load``. ``note`` is added to the description.
    """
    description = f"{description_of(view, name)} {note}".strip()
    found = nothing if load is None else load
    return edge(found, returns, description, policy_of=policy_of, visible_to=visible_to, attribute=name)


async def nothing(_parent: Parent, _context: GraphQLContext) -> None:
    """Load nothing, for a field that is null unless the object itself has the attribute."""


def attribute_of(field: StrawberryField) -> str | None:
    """Return the attribute that is the value of an edge for every caller, if the object has it."""
    edges = (extension for extension in field.extensions if isinstance(extension, EdgeField))
    return next((one.attribute for one in edges if one.access.policy is None), None)


@dataclass(frozen=True, slots=True)
class Access:
    """Who may see an edge: callers whom the policy allows, or those who may see it of an account."""

    policy: Policy | None
    visible_to: AccountAccess | None

    def check_policy(self, principal: Principal) -> None:
        """Raise the refusal of the policy, if there is one."""
        if self.policy is not None:
            self.policy.check(principal)

    def check(self, principal: Principal, *parents: Parent) -> None:
        """Raise the refusal for any of the objects."""
        self.check_policy(principal)
        if self.visible_to is not None:
            for parent in parents:
                self.visible_to.check(principal, parent.id)


@dataclass(frozen=True)
class EdgeField(FieldExtension):
    """Resolves an edge without arguments."""

    load: Batch | Steps
    access: Access
    attribute: str | None

    async def resolve_async(self, next_: AsyncExtensionResolver, source: Parent, info: Info, **given: object) -> object:
        context = info.context
        if self.attribute is not None and hasattr(source, self.attribute):
            self.access.check_policy(context.request.principal)
            return getattr(source, self.attribute)
        self.access.check(context.request.principal, source)
        load = self.load.find if isinstance(self.load, Batch) else self.load
        return await load(source, context)


@dataclass(frozen=True)
class PagedEdgeField(FieldExtension):
    """Resolves an edge with the arguments of a list."""

    load: Batch
    access: Access
    input_type: type[Input]

    def apply(self, field: StrawberryField) -> None:
        field.arguments = input_arguments(self.input_type)

    def input_of(self, given: Mapping[str, object]) -> Input:
        """Return the validated input. Raises ValidationFailed."""
        return validate(self.input_type, to_values(self.input_type, given))

    @staticmethod
    def check_cursors(data: Input, ctx: Context) -> None:
        """Raise ValidationFailed if a cursor in the input is of another list."""
        if isinstance(data, ConnectionArguments):
            data.check_cursors(ctx)

    async def resolve_async(self, next_: AsyncExtensionResolver, source: Parent, info: Info, **given: object) -> object:
        context = info.context
        self.access.check(context.request.principal, source)
        data = self.input_of(given)
        self.check_cursors(data, context.request)
        return await self.load.find_by((getattr(source, self.load.key), data), context)
