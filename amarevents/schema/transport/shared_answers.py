"""Queries whose answer is the same for all anonymous callers, and what their answers are kept under."""

from functools import cache

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationType,
    SelectionSetNode,
)
from starlette.requests import Request
from strawberry.schema.schema_converter import GraphQLCoreConverter

from amarevents.infra.versions import scopes_of
from amarevents.resolvers.core.operation import OPERATIONS
from amarevents.schema.core.fields import QueryField
from amarevents.schema.execution.documents import parse_document
from amarevents.schema.execution.limits import DocumentTooLarge, fragments_of
from amarevents.schema.schema import schema
from amarevents.schema.transport.operations import GraphQLRequest
from amarevents.schema.transport.responses import AcceptedType
from amarevents.security.headers import find_header

_TYPENAME = "__typename"


def shared_key(http_request: Request, accepted: AcceptedType, sent: bytes) -> bytes:
    """Return what identifies the answer to an anonymous request: all of it that the answer depends on."""
    content_type = find_header(http_request.scope["headers"], b"content-type")
    return b"\n".join((http_request.method.encode(), accepted.media_type.encode(), content_type, sent))


@cache
def shared_scopes() -> frozenset[str]:
    """Return the scopes of all that anonymous callers see: edges lead from any of it to any other."""
    return frozenset().union(*(scopes_of(one.shared.models) for one in OPERATIONS.values() if one.shared is not None))


def is_shared(request: GraphQLRequest) -> bool:
    """Return whether a request is a query all of whose root fields have the same answer for all anonymous callers."""
    try:
        document = parse_document(request.query or "")
    except (GraphQLError, DocumentTooLarge):
        return False
    operation = document.operation(request.operation_name)
    if operation is None or operation.kind is not OperationType.QUERY:
        return False
    selected = _root_fields(operation.node.selection_set, fragments_of(document.node))
    return selected - {_TYPENAME} <= _shared_fields()


def _root_fields(selections: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode]) -> set[str]:
    """Return the names of the root fields, including those of fragments, whichever directives they have."""
    names: set[str] = set()
    pending, spread = [selections], set[str]()
    while pending:
        for selection in pending.pop().selections:
            if isinstance(selection, FieldNode):
                names.add(selection.name.value)
            elif isinstance(selection, InlineFragmentNode):
                pending.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value in fragments.keys() - spread:
                spread.add(selection.name.value)
                pending.append(fragments[selection.name.value].selection_set)
    return names


@cache
def _shared_fields() -> frozenset[str]:
    query_type = schema.graphql_schema.query_type
    assert query_type is not None  # noqa: S101 - for the type checker
    return frozenset(
        name
        for name, definition in query_type.fields.items()
        for extension in definition.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].extensions
        if isinstance(extension, QueryField) and extension.operation.shared is not None
    )
