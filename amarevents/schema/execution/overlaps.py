"""A limit for the validation rule OverlappingFieldsCanBeMerged.

The rule compares every pair of fields with the same response name, and every pair of fragments in a selection, so that
its time grows with the square of their number.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from amarevents.schema.execution.limits import DocumentTooLarge, fields_of_object, fragments_of

MAX_COMPARISONS = 3_000


def require_few_overlaps(document: DocumentNode) -> None:
    """Raise DocumentTooLarge if validation would have to compare too many pairs of fields or fragments.

    The document must have passed ``require_bounded``, because fields of a fragment are counted wherever it is spread.
    """
    fragments = fragments_of(document)
    pending = [
        [definition.selection_set]
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode)
    ]
    comparisons = 0
    while pending:
        fields, spreads = _merged(pending.pop(), fragments)
        comparisons += sum(_pairs(len(same_name)) for same_name in fields.values()) + _pairs(spreads)
        if comparisons > MAX_COMPARISONS:
            raise DocumentTooLarge("Too many fields with the same name, or too many fragments, in one selection")
        within = ([field.selection_set for field in same_name if field.selection_set] for same_name in fields.values())
        pending += [selections for selections in within if selections]


def _merged(
    selections: Iterable[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode]
) -> tuple[dict[str, list[FieldNode]], int]:
    """Return the fields of one object in the response by response name, and the number of fragments with them."""
    visited = set[str]()
    fields: defaultdict[str, list[FieldNode]] = defaultdict(list)
    for field in fields_of_object(selections, fragments, visited=visited):
        fields[(field.alias or field.name).value].append(field)
    return fields, len(visited)


def _pairs(number: int) -> int:
    return number * (number - 1) // 2
