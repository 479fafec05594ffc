"""Objects with a globally unique ID, and looking them up by it (decisions 9.1a).

A node ID is the name of a type and an ID, encoded so that clients treat it as opaque.
"""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

import strawberry
from strawberry.extensions.field_extension import AsyncExtensionResolver, FieldExtension, SyncExtensionResolver
from strawberry.types.field import StrawberryField

from amarevents import errors
from amarevents.models.columns import MAX_ID
from amarevents.resolvers.core.inputs import RecordId
from amarevents.schema.core.context import GraphQLContext, Info
from amarevents.schema.core.dataloaders import LoadFunction
from amarevents.schema.core.fields import strawberry_field
from amarevents.schema.core.inputs import argument, parse_id
from amarevents.security.policy import Policy, Principal

T = TypeVar("T")

MAX_NODES = 100
# More characters than any node ID has.
_MAX_LENGTH = 100

RequireAccess: TypeAlias = Callable[[Principal, int], None]
"""A check whether a principal may ask for an object by its ID at all, which raises what refuses it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _NodeType:
    """How objects of a type are found: ``load`` leaves out those that the caller may not see."""

    name: str
    require_access: RequireAccess | None
    load: LoadFunction[int, object]


_NODE_TYPES: dict[str, _NodeType] = {}
_TYPES_OF_VIEWS: dict[type, str] = {}


def encode_node_id(type_name: str, record_id: int) -> str:
    """Return the node ID of an object."""
    return base64.urlsafe_b64encode(f"{type_name}:{record_id}".encode()).rstrip(b"=").decode()


def _decode_node_id(node_id: str) -> tuple[_NodeType, int] | None:
    """Return the type and the ID that a node ID holds, None if it is not one of ours."""
    if len(node_id) > _MAX_LENGTH:
        return None
    try:
        text = base64.urlsafe_b64decode(node_id + "=" * (-len(node_id) % 4)).decode()
    except ValueError:
        return None
    name, _, digits = text.partition(":")
    record_id = parse_id(digits)
    if name not in _NODE_TYPES or record_id is None or not 1 <= record_id <= MAX_ID:
        return None
    # Other spellings of the same ID are refused, so that clients can compare node IDs.
    return (_NODE_TYPES[name], record_id) if encode_node_id(name, record_id) == node_id else None


def is_node_id(field: StrawberryField) -> bool:
    """Return whether a field is the node ID of an object."""
    return any(isinstance(extension, _NodeId) for extension in field.extensions)


class _Identified(Protocol):
    @property
    def id(self) -> RecordId: ...


class _NodeId(FieldExtension):
    def resolve(self, next_: SyncExtensionResolver, source: _Identified, info: Info, **given: object) -> str:
        return encode_node_id(info.path.typename or "", source.id)


@strawberry.interface(description="An object with a globally unique ID.")
class Node:
    node_id = strawberry_field(
        _NodeId(), strawberry.ID, "The globally unique ID of the object, an opaque string. Pass it to `node`."
    )

    @classmethod
    def is_type_of(cls, _view: object, _info: object) -> bool:
        """Accept every view, because views are no instances of types."""
        return True

    @classmethod
    def resolve_type(cls, view: object, _info: object, _type: object) -> str:
        """Return the name of the type of a view."""
        return next(_TYPES_OF_VIEWS[one] for one in type(view).__mro__ if one in _TYPES_OF_VIEWS)


def one_of(*policies: Policy) -> RequireAccess:
    """Return a check that one of the policies allows the call; otherwise it raises the refusal of the first."""

    def require(principal: Principal, _record_id: int) -> None:
        refusals = [policy.refusal(principal) for policy in policies]
        if refusals[0] is not None and all(refusals):
            raise refusals[0]

    return require


def node_type(
    load: LoadFunction[int, object], *, require_access: RequireAccess | None = None
) -> Callable[[type[T]], type[T]]:
    """Make the objects of a type available by their node IDs. The last base of the type is its most general view."""

    def register(cls: type[T]) -> type[T]:
        name = cls.__name__
        _NODE_TYPES[name] = _NodeType(name=name, require_access=require_access, load=load)
        _TYPES_OF_VIEWS[cls.__bases__[-1]] = name
        return cls

    return register


async def _find(context: GraphQLContext, node_id: str) -> object:
    decoded = _decode_node_id(node_id)
    if decoded is None:
        return None
    kind, record_id = decoded
    if kind.require_access is not None:
        kind.require_access(context.request.principal, record_id)
    return await context.load(kind.load, record_id)


class _NodeQuery(FieldExtension):
    def apply(self, field: StrawberryField) -> None:
        field.arguments = [argument("node_id", strawberry.ID, "The node ID of the object.")]

    async def resolve_async(self, next_: AsyncExtensionResolver, source: object, info: Info, **given: object) -> object:
        return await info.context.deadline.start(lambda: _find(info.context, str(given["node_id"])))


class _NodesQuery(FieldExtension):
    def apply(self, field: StrawberryField) -> None:
        text = f"The node IDs of the objects, at most {MAX_NODES}."
        field.arguments = [argument("node_ids", list[strawberry.ID], text)]

    async def resolve_async(self, next_: AsyncExtensionResolver, source: object, info: Info, **given: object) -> object:
        node_ids = given["node_ids"]
        assert isinstance(node_ids, list)  # noqa: S101 - for the type checker; validation requires it
        if len(node_ids) > MAX_NODES:
            raise errors.ValidationFailed({"node_ids": f"must have at most {MAX_NODES} items"})

        async def find_all() -> list[object]:
            # An exception in a list is the error of that item.
            return await asyncio.gather(*(_find(info.context, node_id) for node_id in node_ids), return_exceptions=True)

        return await info.context.deadline.start(find_all)


@strawberry.type
class NodeQuery:
    node = strawberry_field(
        _NodeQuery(),
        Node | None,
        "Get an object by its node ID. It is null if the object does not exist or is not visible to the caller.",
    )
    nodes = strawberry_field(
        _NodesQuery(),
        list[Node | None] | None,
        "Get objects by their node IDs, in the same order, as `node` does.",
    )
