"""Edges: fields that lead from an object to what belongs to it, loaded in batches."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from strawberry.extensions.field_extension import AsyncExtensionResolver, FieldExtension
from strawberry.types.field import StrawberryField

from amarevents.resolvers.accounts.related import AccountAccess
from amarevents.resolvers.core.descriptions import description_of
from amarevents.resolvers.core.inputs import Input
from amarevents.resolvers.core.operation import validate
from amarevents.schema.core.context import Info
from amarevents.schema.core.fields import AnyOperation, Returns, strawberry_field
from amarevents.schema.core.inputs import input_arguments, to_values
from amarevents.security.policy import Policy, Principal

Parent: TypeAlias = Any
"""The view of the object that an edge belongs to: each type's own."""

OPERATION_EDGES: set[str] = set()
"""The names of the operations that show what an edge shows, for tests that look for operations without a field."""


def edge(
    load: Callable[[Parent, Info], Awaitable[object]],
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
    access = _Access(policy_of.policy if policy_of else None, visible_to)
    return strawberry_field(_Edge(load, access, attribute), returns, description)


def paged_edge(
    operation: AnyOperation,
    load: Callable[[Parent, Info, Any], Awaitable[object]],  # Any: the operation's own input
    returns: Returns,
    description: str,
    *,
    input_type: type[Input] | None = None,
    visible_to: AccountAccess | None = None,
) -> StrawberryField:
    """Return a list that belongs to an object, with the arguments and the policy of the operation that lists the same.

    ``input_type``: the operation's input without what the object itself determines. ``visible_to``: as for ``edge``;
    it replaces the operation's policy, which only knows the caller's own account.
    """
    OPERATION_EDGES.add(operation.name)
    arguments = input_type or operation.input_type
    assert arguments is not None  # noqa: S101 - for the type checker; every list has its paging
    access = _Access(None if visible_to else operation.policy, visible_to)
    return strawberry_field(_PagedEdge(load, access, arguments), returns | None, description)


def detail(
    load: Callable[[Parent, Info], Awaitable[object]],
    view: type,
    name: str,
    returns: Returns,
    *,
    note: str = "",
    policy_of: AnyOperation | None = None,
    visible_to: AccountAccess | None = None,
) -> Any:  # a StrawberryField, which may take the place of the view's own attribute
    """Return a field that some views of an object leave out: the attribute ``name`` of ``view``, which describes it.

    If the object lacks it, it is that of the view that ``load`` finds. It is null if that view lacks it as well: views
    for owners and for admins have more attributes. ``note`` is added to the description.
    """

    async def load_attribute(parent: Parent, info: Info) -> object:
        return getattr(await load(parent, info), name, None)

    description = f"{description_of(view, name)} {note}".strip()
    return edge(load_attribute, returns, description, policy_of=policy_of, visible_to=visible_to, attribute=name)


async def nothing(_parent: Parent, _info: Info) -> None:
    """Load nothing, for a field that is null unless the object itself has the attribute."""


def attribute_of(field: StrawberryField) -> str | None:
    """Return the attribute that is the value of an edge for every caller, if the object has it."""
    edges = (extension for extension in field.extensions if isinstance(extension, _Edge))
    return next((one.attribute for one in edges if one.access.policy is None), None)


@dataclass(frozen=True, slots=True)
class _Access:
    """Who may see an edge: callers whom the policy allows, or those who may see it of an account."""

    policy: Policy | None
    visible_to: AccountAccess | None

    def check_policy(self, principal: Principal) -> None:
        if self.policy is not None:
            self.policy.check(principal)

    def check(self, principal: Principal, parent: Parent) -> None:
        self.check_policy(principal)
        if self.visible_to is not None:
            self.visible_to.check(principal, parent.id)


@dataclass(frozen=True)
class _Edge(FieldExtension):
    load: Callable[[Parent, Info], Awaitable[object]]
    access: _Access
    attribute: str | None

    async def resolve_async(self, next_: AsyncExtensionResolver, source: Parent, info: Info, **given: object) -> object:
        principal = info.context.request.principal
        if self.attribute is not None and hasattr(source, self.attribute):
            self.access.check_policy(principal)
            return getattr(source, self.attribute)
        self.access.check(principal, source)
        return await self.load(source, info)


@dataclass(frozen=True)
class _PagedEdge(FieldExtension):
    load: Callable[[Parent, Info, Any], Awaitable[object]]
    access: _Access
    input_type: type[Input]

    def apply(self, field: StrawberryField) -> None:
        field.arguments = input_arguments(self.input_type)

    async def resolve_async(self, next_: AsyncExtensionResolver, source: Parent, info: Info, **given: object) -> object:
        self.access.check(info.context.request.principal, source)
        return await self.load(source, info, validate(self.input_type, to_values(self.input_type, given)))
