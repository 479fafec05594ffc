"""What of the schema its users have relied on, and no longer find as it was: breaking changes, by their coordinates."""

import re
from dataclasses import dataclass
from pathlib import Path

from graphql import GraphQLSchema, build_schema
from graphql.utilities import find_breaking_changes

RELEASED = Path(__file__).with_name("released.graphql")
HEADING = "### Breaking changes"

# How graphql-core names what a change is about: a type, its field, or the argument of one.
_COORDINATE = re.compile(r"(?:@?[_A-Za-z]\w*)(?:\.\w+)?(?:\(\w+:\))?")


@dataclass(frozen=True, slots=True)
class BreakingChange:
    """``coordinate``: of what is broken, such as ``Event.name`` or ``Query.events(page:)``; ``text`` tells how."""

    coordinate: str
    text: str


def breaking_changes(before: GraphQLSchema, after: GraphQLSchema) -> list[BreakingChange]:
    """What worked before and does not after."""
    return [_breaking(change.description) for change in find_breaking_changes(before, after)]


def _breaking(description: str) -> BreakingChange:
    return BreakingChange(coordinate=max(_COORDINATE.findall(description), key=_precision), text=description)


def _precision(coordinate: str) -> tuple[bool, bool, bool]:
    """Of the words in a description, the coordinate is the one that looks most like one."""
    return "(" in coordinate, "." in coordinate, coordinate[:1].isupper()


def released_schema() -> GraphQLSchema:
    """The schema as it was last released."""
    return build_schema(RELEASED.read_text(encoding="utf-8"))


def untold(changes: list[BreakingChange], changelog: str) -> list[BreakingChange]:
    """Those that the changelog does not name, in backticks, among the breaking changes of what is unreleased."""
    unreleased = re.split(r"^## ", changelog, flags=re.MULTILINE)[1]
    section = unreleased.partition(HEADING)[2].partition("\n### ")[0]
    return [change for change in changes if f"`{change.coordinate}`" not in section]
