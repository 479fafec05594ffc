"""How large a document may be, and its units of the rate limit (decisions 3.5): one walk, before it is validated."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

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

# Python itself refuses to read numbers of more than 4300 digits, in the middle of validation.
_ENDLESS_NUMBER = re.compile(rf"[0-9]{{{MAX_DIGITS + 1}}}")

# A depth that no nesting within a document makes too deep.
_UNLIMITED = -MAX_TOKENS

# __typename, which clients need, tells no more than the answer.
_INTROSPECTION = frozenset({"__schema", "__type"})

# Any: the values of variables are whatever the caller sent.
Variables = Mapping[str, Any]


class DocumentTooLarge(errors.BadRequest):
    code = "DOCUMENT_TOO_LARGE"


def require_bounded(document: DocumentNode) -> None:
    """Raises DocumentTooLarge for more fields, aliases, directives, values or digits than a sensible document has.

    A fragment counts where it is defined and wherever it is spread. The walk ends at the limit, so fragments that
    spread each other many times over, or in a circle, take no longer than others. What a field of introspection holds
    has no limit of depth: the schema is finite, and tools ask for types of types of types. No aliases either, which
    would repeat it.
    """
    if document.loc is not None and _ENDLESS_NUMBER.search(document.loc.source.body):
        raise DocumentTooLarge(f"A number in a document may have at most {MAX_DIGITS} digits")
    fragments = fragments_of(document)
    pending = [
        (definition.selection_set, _first_depth(definition))
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode)
    ]
    seen = _Seen()
    while pending:
        selections, depth = pending.pop()
        for selection in selections.selections:
            seen.count(selection, depth)
            inner = fragments.get(selection.name.value) if isinstance(selection, FragmentSpreadNode) else selection
            nested = getattr(inner, "selection_set", None)
            if nested is not None:
                pending.append((nested, _depth_within(selection, depth)))


def _first_depth(definition: OperationDefinitionNode | FragmentDefinitionNode) -> int:
    """Fragments of introspection are without a depth as well, wherever they are spread."""
    on = definition.type_condition.name.value if isinstance(definition, FragmentDefinitionNode) else ""
    return _UNLIMITED if on.startswith("__") else 1


def _depth_within(selection: SelectionNode, depth: int) -> int:
    """Fragments add no depth of their own, and introspection has none."""
    if not isinstance(selection, FieldNode):
        return depth
    return _UNLIMITED if selection.name.value.startswith("__") else depth + 1


_AT_MOST = {
    "fields": (MAX_FIELDS, "A document may hold at most {} fields, fragments resolved"),
    "aliases": (MAX_ALIASES, "A document may hold at most {} aliases, fragments resolved"),
    "directives": (MAX_DIRECTIVES, "A document may hold at most {} directives, fragments resolved"),
    "values": (MAX_VALUES, "A document may hold at most {} values: send them as variables"),
    "introspections": (MAX_INTROSPECTIONS, "A document may ask for the schema or a type at most {} times"),
}


@dataclass(slots=True)
class _Seen:
    """What a walk has counted so far."""

    fields: int = 0
    aliases: int = 0
    directives: int = 0
    values: int = 0
    introspections: int = 0

    def count(self, selection: SelectionNode, depth: int) -> None:
        """Raises DocumentTooLarge at the first excess."""
        self.fields += 1
        self.directives += len(selection.directives or ())
        self.values += _values(selection)
        if isinstance(selection, FieldNode):
            self.introspections += selection.name.value in _INTROSPECTION
            if selection.alias:
                self.aliases += 1
                _require_sensible_alias(selection, selection.alias.value, depth)
        for counted, (most, message) in _AT_MOST.items():
            if getattr(self, counted) > most:
                raise DocumentTooLarge(message.format(most))
        if depth > MAX_DEPTH:
            raise DocumentTooLarge(f"Fields may be nested at most {MAX_DEPTH} deep")


def _require_sensible_alias(field: FieldNode, alias: str, depth: int) -> None:
    if len(alias) > MAX_ALIAS_LENGTH:
        raise DocumentTooLarge(f"An alias may have at most {MAX_ALIAS_LENGTH} characters")
    if depth < 0 or field.name.value == "__schema":
        raise DocumentTooLarge("Introspection is answered without aliases")


def _values(selection: SelectionNode) -> int:
    """The arguments of a selection and of its directives, with all that lists and objects in them hold."""
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
    message = "This deployment does not tell its schema: __schema and __type cannot be queried"


def require_no_introspection(document: DocumentNode) -> None:
    """Raises IntrospectionOff where any part of the document asks for the schema, used or not."""
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
    """The document's fragments by name."""
    return {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }


def units_of(document: DocumentNode, operation: OperationDefinitionNode, variables: Variables) -> int:
    """The root fields that the operation executes, fragments and aliases resolved; at least 1.

    Raises DocumentTooLarge for more than ``MAX_ROOT_FIELDS``.
    """
    given = {**_defaults(operation), **variables}
    root_fields = fields_side_by_side(
        [operation.selection_set],
        fragments_of(document),
        entered=set(),
        is_included=lambda selection: _is_included(selection.directives or (), given),
    )
    keys = {(field.alias or field.name).value for field in root_fields}
    if len(keys) > MAX_ROOT_FIELDS:
        raise DocumentTooLarge(f"An operation may have at most {MAX_ROOT_FIELDS} root fields")
    return max(len(keys), 1)


def _defaults(operation: OperationDefinitionNode) -> dict[str, bool]:
    return {
        definition.variable.name.value: definition.default_value.value
        for definition in operation.variable_definitions or ()
        if isinstance(definition.default_value, BooleanValueNode)
    }


def fields_side_by_side(
    selections: Iterable[SelectionSetNode],
    fragments: Mapping[str, FragmentDefinitionNode],
    *,
    entered: set[str],
    is_included: Callable[[SelectionNode], bool] = lambda _selection: True,
) -> Iterator[FieldNode]:
    """The fields that make one object of the answer, fragments resolved.

    Each fragment is entered once (``entered`` then has its name): where it is spread again, it adds no other field. A
    loop, because fragments nest in each other as deeply as a document is long.
    """
    pending = list(selections)
    while pending:
        for selection in filter(is_included, pending.pop().selections):
            if isinstance(selection, FieldNode):
                yield selection
            elif isinstance(selection, InlineFragmentNode):
                pending.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in entered:
                entered.add(selection.name.value)
                if (fragment := fragments.get(selection.name.value)) is not None:
                    pending.append(fragment.selection_set)


def _is_included(directives: tuple[DirectiveNode, ...], variables: Variables) -> bool:
    """Whether @skip and @include leave a selection in; one that cannot be judged counts."""
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
