"""How much validation has to compare: fields of one name, each with each, and fragments within one selection.

They must mean the same, which the rule of the standard finds out pair by pair: with the square of their number.
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

from amarevents.schema.execution.limits import DocumentTooLarge, fields_side_by_side, fragments_of

MAX_COMPARISONS = 3_000


def require_few_overlaps(document: DocumentNode) -> None:
    """Raises DocumentTooLarge for fields or fragments that stand beside each other too many times.

    Takes documents that are bounded: each field is looked at once wherever it is spread.
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
        comparisons += sum(_pairs(len(alike)) for alike in fields.values()) + _pairs(spreads)
        if comparisons > MAX_COMPARISONS:
            raise DocumentTooLarge("The same fields or fragments stand beside each other too many times")
        within = ([field.selection_set for field in alike if field.selection_set] for alike in fields.values())
        pending += [selections for selections in within if selections]


def _merged(
    selections: Iterable[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode]
) -> tuple[dict[str, list[FieldNode]], int]:
    """The fields that make one object of the answer, by their names there, and how many fragments they come from."""
    entered = set[str]()
    fields: defaultdict[str, list[FieldNode]] = defaultdict(list)
    for field in fields_side_by_side(selections, fragments, entered=entered):
        fields[(field.alias or field.name).value].append(field)
    return fields, len(entered)


def _pairs(number: int) -> int:
    return number * (number - 1) // 2
