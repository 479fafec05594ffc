"""Breaking changes of the schema, which the changelog has to name."""

from pathlib import Path

import pytest
from graphql import build_schema

from amarevents.schema.breaking_changes import HEADING, breaking_changes, missing_from_changelog, released_schema
from amarevents.schema.schema import schema

CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"
BEFORE = """
type Query { event(id: ID!): Event events(page: Int): [Event!] }
type Event { name: String! category: Category }
enum Category { CONCERT SPORTS }
input NewEvent { name: String! }
type Mutation { createEvent(input: NewEvent): Event }
"""


def test_changelog_names_the_breaking_changes_since_the_last_release() -> None:
    """The section is "### Breaking changes" under "Unreleased" in CHANGELOG.md."""
    missing = missing_from_changelog(
        breaking_changes(released_schema(), schema.graphql_schema), CHANGELOG.read_text(encoding="utf-8")
    )
    assert not missing, "\n".join(f"- `{change.coordinate}`: {change.text}" for change in missing)


@pytest.mark.parametrize(
    ("was", "becomes", "coordinate"),
    [
        ("name: String! category", "category", "Event.name"),
        ("name: String! category", "name: String category", "Event.name"),
        ("name: String! category", "name: Int! category", "Event.name"),
        ("event(id: ID!)", "event(id: ID!, day: Int!)", "Query.event(day:)"),
        ("events(page: Int)", "events", "Query.events(page:)"),
        ("events(page: Int)", "events(page: String)", "Query.events(page:)"),
        ("input NewEvent { name: String!", "input NewEvent { name: String! place: String!", "NewEvent.place"),
        ("CONCERT SPORTS", "CONCERT", "Category.SPORTS"),
        ("type Mutation { createEvent(input: NewEvent): Event }", "", "Mutation"),
    ],
)
def test_breaking_change_has_to_be_in_the_changelog(was: str, becomes: str, coordinate: str) -> None:
    assert was in BEFORE
    changes = breaking_changes(build_schema(BEFORE), build_schema(BEFORE.replace(was, becomes)))
    assert coordinate in {change.coordinate for change in changes}
    without = "# Changelog\n\n## Unreleased\n\nMany things.\n\n## 0.1.0\n"
    assert missing_from_changelog(changes, without) == changes
    named = "\n".join(f"- `{change.coordinate}` is gone" for change in changes)
    assert not missing_from_changelog(changes, f"# Changelog\n\n## Unreleased\n\n{HEADING}\n\n{named}\n\n## 0.1.0\n")


def test_section_of_an_earlier_release_does_not_count() -> None:
    changes = breaking_changes(build_schema(BEFORE), build_schema(BEFORE.replace("events(page: Int)", "events")))
    changelog = f"# Changelog\n\n## Unreleased\n\nNothing.\n\n## 0.1.0\n\n{HEADING}\n\n- `Query.events(page:)`\n"
    assert missing_from_changelog(changes, changelog) == changes


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("category: Category", "category: Category place: String"),
        ("events(page: Int)", "events(page: Int, limit: Int = 20)"),
        ("category: Category }", "category: Category! }"),
    ],
)
def test_addition_is_not_a_breaking_change(was: str, becomes: str) -> None:
    assert was in BEFORE
    assert not breaking_changes(build_schema(BEFORE), build_schema(BEFORE.replace(was, becomes)))
