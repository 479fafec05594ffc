"""The limit on fields that validation has to compare in pairs."""

from collections.abc import Callable

import pytest
from graphql import parse

from amarevents.schema.execution.limits import DocumentTooLarge
from amarevents.schema.execution.overlaps import require_few_overlaps

# 77 fields make 2,926 pairs; 55 fields that are compared twice make 2,970.
ONCE, TWICE = 77, 55

SIBLINGS: dict[str, tuple[int, Callable[[int], str]]] = {
    "fields": (ONCE, lambda number: "{ me { %s } }" % ("id " * number)),
    "aliases": (ONCE, lambda number: "{ me { %s } }" % ("a: id " * number)),
    "inline fragments": (ONCE, lambda number: "{ me { %s } }" % ("... { id } " * number)),
    "fields of an object": (ONCE, lambda number: "{ me { auth { %s } } }" % ("method " * number)),
    "fields of an unused fragment": (
        ONCE,
        lambda number: "{ me { id } } fragment F on User { %s }" % ("id " * number),
    ),
    "fragments": (
        ONCE,
        lambda number: (
            "{ me { %s } } %s"
            % (
                " ".join(f"...F{one}" for one in range(number)),
                " ".join(f"fragment F{one} on User {{ f{one}: id }}" for one in range(number)),
            )
        ),
    ),
    "objects and their fields": (TWICE, lambda number: "{ %s }" % ("me { id } " * number)),
    "objects by their arguments": (
        TWICE,
        lambda number: "{ %s }" % " ".join(f"event(id: {one}) {{ id }}" for one in range(number)),
    ),
    "fields of a fragment": (TWICE, lambda number: "{ me { ...F } } fragment F on User { %s }" % ("id " * number)),
}


@pytest.mark.parametrize(("most", "document"), SIBLINGS.values(), ids=SIBLINGS)
def test_more_fields_than_can_be_compared_are_rejected(most: int, document: Callable[[int], str]) -> None:
    require_few_overlaps(parse(document(most)))
    with pytest.raises(DocumentTooLarge, match="Too many fields"):
        require_few_overlaps(parse(document(most + 1)))


def test_fields_are_compared_with_those_of_all_merged_objects() -> None:
    """Ten objects with ten fields each are a hundred fields to compare."""
    document = "{ %s }" % ("me { %s } " % ("id " * 10) * 10)
    with pytest.raises(DocumentTooLarge):
        require_few_overlaps(parse(document))
    require_few_overlaps(parse("{ %s }" % " ".join(f"m{one}: me {{ {'id ' * 10} }}" for one in range(10))))


def test_repeated_fragment_is_compared_once() -> None:
    spreads = "...F " * ONCE
    require_few_overlaps(parse("{ me { %s } } fragment F on User { id username }" % spreads))
