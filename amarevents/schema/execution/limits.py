"""Limits for the size of documents, and the units that an operation uses of the rate limit (decisions 3.5)."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

from amarevents import errors

MAX_TOKENS = 4_000
MAX_FIELDS = 500
MAX_ROOT_FIELDS = 20
MAX_DEPTH = 10
MAX_ALIASES = 30
MAX_DIRECTIVES = 20
MAX_VALUES = 500
MAX_INTROSPECTIONS = 5
MAX_DIGITS = 1_000
MAX_ALIAS_LENGTH = 64

# Python raises ValueError for numbers of more than 4300 digits, in the middle of validation.
_LONG_NUMBER = re.compile(rf"[0-9]{{{MAX_DIGITS + 1}}}")

# A depth that stays below the limit however deeply a document is nested.
_UNLIMITED = -MAX_TOKENS

# Not __typename: clients need it, and it reveals no more than the response does.
_INTROSPECTION = frozenset({"__schema", "__type"})

Variables: TypeAlias = Mapping[str, Any]
"""The variables of an operation. Any: JSON of the caller."""


class DocumentTooLarge(errors.BadRequest):
    code = "DOCUMENT_TOO_LARGE"


def require_bounded(document: DocumentNode, counts: "Counts | None" = None) -> None:
    """Raise DocumentTooLarge if a document exceeds one of the limits, together with what ``counts`` holds already.

    A fragment counts where it is defined and wherever it is spread. The walk stops at the limit, so fragments that
    spread each other many times, or in a cycle, take no longer than others. Introspection has no limit of depth,
    because the schema is finite and tools ask for types of types of types; but it may not use aliases, which could
    repeat it.
    """
    if document.loc is not None and _LONG_NUMBER.search(document.loc.source.body):
        raise DocumentTooLarge(f"A number in a document can have at most {MAX_DIGITS} digits")
    fragments = fragments_of(document)
    pending = [
        (definition.selection_set, _first_depth(definition))
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode)
    ]
    counts = Counts() if counts is None else counts
    while pending:
        selections, depth = pending.pop()
        for selection in selections.selections:
            counts.count(selection, depth)
            inner = fragments.get(selection.name.value) if isinstance(selection, FragmentSpreadNode) else selection
            nested = getattr(inner, "selection_set", None)
            if nested is not None:
                pending.append((nested, _depth_within(selection, depth)))


def _first_depth(definition: OperationDefinitionNode | FragmentDefinitionNode) -> int:
    """Return the depth at which a definition starts; fragments of introspection have no limit of depth."""
    on = definition.type_condition.name.value if isinstance(definition, FragmentDefinitionNode) else ""
    return _UNLIMITED if on.startswith("__") else 1


def _depth_within(selection: SelectionNode, depth: int) -> int:
    """Return the depth of what a selection contains. Fragments add none, and introspection has no limit."""
    if not isinstance(selection, FieldNode):
        return depth
    return _UNLIMITED if selection.name.value.startswith("__") else depth + 1


_MAXIMA = {
    "fields": (MAX_FIELDS, "A document can have at most {} fields, including those of spread fragments"),
    "aliases": (MAX_ALIASES, "A document can have at most {} aliases, including those of spread fragments"),
    "directives": (MAX_DIRECTIVES, "A document can have at most {} directives, including those of spread fragments"),
    "values": (MAX_VALUES, "A document can have at most {} values: send them as variables"),
    "introspections": (MAX_INTROSPECTIONS, "A document can query __schema and __type at most {} times"),
}


@dataclass(slots=True)
class Counts:
    """The counts of a walk through one document, or through the documents of a batch."""

    fields: int = 0
    aliases: int = 0
    directives: int = 0
    values: int = 0
    introspections: int = 0

    def count(self, selection: SelectionNode, depth: int) -> None:
        """Count a selection. Raises DocumentTooLarge as soon as a limit is exceeded."""
        self.fields += 1
        self.directives += len(selection.directives or ())
        self.values += _count_values(selection)
        if isinstance(selection, FieldNode):
            self.introspections += selection.name.value in _INTROSPECTION
            if selection.alias:
                self.aliases += 1
                _require_allowed_alias(selection, selection.alias.value, depth)
        for counted, (maximum, message) in _MAXIMA.items():
            if getattr(self, counted) > maximum:
                raise DocumentTooLarge(message.format(maximum))
        if depth > MAX_DEPTH:
            raise DocumentTooLarge(f"Fields can be nested at most {MAX_DEPTH} levels deep")


def _require_allowed_alias(field: FieldNode, alias: str, depth: int) -> None:
    if len(alias) > MAX_ALIAS_LENGTH:
        raise DocumentTooLarge(f"An alias can have at most {MAX_ALIAS_LENGTH} characters")
    if depth < 0 or field.name.value == "__schema":
        raise DocumentTooLarge("Introspection cannot use aliases")


def _count_values(selection: SelectionNode) -> int:
    """Return the number of values in the arguments of a selection and of its directives, at all levels."""
    arguments = list(getattr(selection, "arguments", None) or ())
    for directive in selection.directives or ():
        arguments += directive.arguments or ()
    pending, number = [argument.value for argument in arguments], len(arguments)
    while pending:
        value = pending.pop()
        inner: list[ValueNode] = []
        if isinstance(value, ListValueNode):
            inner = list(value.values)
        elif isinstance(value, ObjectValueNode):
            inner = [field.value for field in value.fields]
        number += len(inner)
        pending += inner
    return number


class IntrospectionOff(errors.BadRequest):
    code = "INTROSPECTION_OFF"
    message = "Introspection is disabled: __schema and __type cannot be queried"


def require_no_introspection(document: DocumentNode) -> None:
    """Raise IntrospectionOff if any part of a document queries the schema, even an unused fragment."""
    pending = [
        definition.selection_set
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode)
    ]
    while pending:
        for selection in pending.pop().selections:
            if isinstance(selection, FieldNode) and selection.name.value in _INTROSPECTION:
                raise IntrospectionOff
            nested = getattr(selection, "selection_set", None)
            if nested is not None:
                pending.append(nested)


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """Return the fragments of a document by name."""
    return {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }


def count_units(document: DocumentNode, operation: OperationDefinitionNode, variables: Variables) -> int:
    """Return the number of root fields that an operation executes, at least 1.

    Raises DocumentTooLarge if there are more than ``MAX_ROOT_FIELDS``.
    """
    given = {**_defaults(operation), **variables}
    root_fields = fields_of_object(
        [operation.selection_set],
        fragments_of(document),
        visited=set(),
        is_included=lambda selection: _is_included(selection.directives or (), given),
    )
    keys = {(field.alias or field.name).value for field in root_fields}
    if len(keys) > MAX_ROOT_FIELDS:
        raise DocumentTooLarge(f"An operation can have at most {MAX_ROOT_FIELDS} root fields")
    return max(len(keys), 1)


def _defaults(operation: OperationDefinitionNode) -> dict[str, bool]:
    return {
        definition.variable.name.value: definition.default_value.value
        for definition in operation.variable_definitions or ()
        if isinstance(definition.default_value, BooleanValueNode)
    }


def fields_of_object(
    selections: Iterable[SelectionSetNode],
    fragments: Mapping[str, FragmentDefinitionNode],
    *,
    visited: set[str],
    is_included: Callable[[SelectionNode], bool] = lambda _selection: True,
) -> Iterator[FieldNode]:
    """Return the fields of one object in the response, including those of fragments.

    Each fragment is visited once and added to ``visited``; spreading it again adds no field. A loop instead of
    recursion, because fragments can nest as deeply as the document is long.
    """
    pending = list(selections)
    while pending:
        for selection in filter(is_included, pending.pop().selections):
            if isinstance(selection, FieldNode):
                yield selection
            elif isinstance(selection, InlineFragmentNode):
                pending.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in visited:
                visited.add(selection.name.value)
                if (fragment := fragments.get(selection.name.value)) is not None:
                    pending.append(fragment.selection_set)


def _is_included(directives: tuple[DirectiveNode, ...], variables: Variables) -> bool:
    """Return whether @skip and @include keep a selection. Invalid conditions do; validation reports them."""
    for directive in directives:
        condition = next(
            (argument.value for argument in directive.arguments or () if argument.name.value == "if"), None
        )
        if isinstance(condition, BooleanValueNode):
            met: object = condition.value
        elif isinstance(condition, VariableNode):
            met = variables.get(condition.name.value)
        else:
            continue
        if (directive.name.value == "skip" and met is True) or (directive.name.value == "include" and met is False):
            return False
    return True
