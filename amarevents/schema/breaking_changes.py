"""Breaking changes of the schema since its last release, and whether the changelog lists them."""

import re
from dataclasses import dataclass
from pathlib import Path

from graphql import GraphQLSchema, build_schema
from graphql.utilities import find_breaking_changes

RELEASED = Path(__file__).with_name("released.graphql")
HEADING = "### Breaking changes"

# The schema coordinates in descriptions of graphql-core: of a type, a field or an argument.
_COORDINATE = re.compile(r"(?:@?[_A-Za-z]\w*)(?:\.\w+)?(?:\(\w+:\))?")


@dataclass(frozen=True, slots=True)
class BreakingChange:
    """A breaking change with its schema coordinate, such as ``Event.name`` or ``Query.events(page:)``."""

    coordinate: str
    text: str


def breaking_changes(before: GraphQLSchema, after: GraphQLSchema) -> list[BreakingChange]:
    """Return the breaking changes between two schemas."""
    return [_breaking(change.description) for change in find_breaking_changes(before, after)]


def _breaking(description: str) -> BreakingChange:
    return BreakingChange(coordinate=max(_COORDINATE.findall(description), key=_precision), text=description)


def _precision(coordinate: str) -> tuple[bool, bool, bool]:
    """Return a sort key by which the coordinate comes after all other words of a description."""
    return "(" in coordinate, "." in coordinate, coordinate[:1].isupper()


def released_schema() -> GraphQLSchema:
    """Return the schema of the last release."""
    return build_schema(RELEASED.read_text(encoding="utf-8"))


def missing_from_changelog(changes: list[BreakingChange], changelog: str) -> list[BreakingChange]:
    """Return the changes whose coordinates the changelog does not list, in backticks, among its unreleased ones."""
    unreleased = re.split(r"^## ", changelog, flags=re.MULTILINE)[1]
    section = unreleased.partition(HEADING)[2].partition("\n### ")[0]
    return [change for change in changes if f"`{change.coordinate}`" not in section]
