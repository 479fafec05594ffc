"""The migration of answers: the options that were joined to one text become a list (decisions 6.5)."""

from importlib import import_module

import pytest

from amarevents.models import CustomValue
from amarevents.models.db.migrate import migrate
from amarevents.settings import Settings
from tests.models.conftest import connected
from tests.support.typed_rows import fill_older_database

pytestmark = pytest.mark.anyio

AT = "'2026-01-01 00:00:00+00:00'"
ROWS = f"""
INSERT INTO users (id, username, username_key, email, number, password_hash, type, admin, created_at, updated_at)
VALUES (1, 'rana', 'rana', 'r@example.org', '01711', '-', 'organizer', FALSE, {AT}, {AT});
INSERT INTO organizations (id, user_id, plan_id, name, events_used, search_text, created_at, updated_at)
VALUES (1, 1, (SELECT id FROM plans WHERE name = 'Free'), 'Club', 1, 'club', {AT}, {AT});
INSERT INTO events (id, organization_id, name, sort_date, privacy, socials, wallets, search_text, created_at,
                    updated_at)
VALUES (1, 1, 'Concert', '2027-01-01', 'public', '[]', '{{}}', 'concert', {AT}, {AT});
INSERT INTO custom_fields (id, event_id, name, type, options, required, position)
VALUES (1, 1, 'Meals', 'checkbox', '["Rice", "Rice, dal", "dal", "মাছ"]', FALSE, 0),
       (2, 1, 'Size', 'dropdown', '["S", "M", "S, M"]', FALSE, 1),
       (3, 1, 'Terms', 'checkbox', '[]', FALSE, 2),
       (4, 1, 'Company', 'text', '[]', FALSE, 3);
INSERT INTO tickets (id, code, event_id, user_id, name, email, amount, status, created_at, updated_at)
VALUES (1, 'c1', 1, 1, 'x', 'x@example.org', '0', 'Success', {AT}, {AT}),
       (2, 'c2', 1, 1, 'x', 'x@example.org', '0', 'Success', {AT}, {AT}),
       (3, 'c3', 1, 1, 'x', 'x@example.org', '0', 'Success', {AT}, {AT}),
       (4, 'c4', 1, 1, 'x', 'x@example.org', '0', 'Success', {AT}, {AT});
INSERT INTO custom_values (id, ticket_id, field_id, value)
VALUES (1, 1, 1, 'মাছ, Rice'), (2, 2, 1, 'Rice, dal'), (3, 3, 1, 'Bread, dal'), (4, 4, 1, 'dal'),
       (5, 1, 2, 'S, M'), (6, 1, 3, 'true'), (7, 1, 4, 'Rice, dal');
"""

split_options = import_module("amarevents.models.migrations.0007_event_lists").split_options


async def test_answers_to_checkbox_fields_are_split_into_options(empty: Settings) -> None:
    """Answers with an option that has been renamed since, and those to other fields, stay one text."""
    await fill_older_database(empty, ROWS)
    await migrate(empty)
    async with connected(empty):
        rows = {row.id: (row.value, row.choices) for row in await CustomValue.all()}
    assert rows == {
        1: ("মাছ, Rice", ["মাছ", "Rice"]),
        2: ("Rice, dal", ["Rice, dal"]),
        3: ("Bread, dal", None),
        4: ("dal", ["dal"]),
        5: ("S, M", None),
        6: ("true", None),
        7: ("Rice, dal", None),
    }


@pytest.mark.parametrize(
    ("value", "chosen"),
    [
        ("A", ["A"]),
        ("A, B", ["A", "B"]),
        ("A, B, C", ["A, B, C"]),
        ("A, B, D", ["A", "B", "D"]),
        ("D, A, B, C", ["D", "A, B, C"]),
        ("AB", None),
        ("A,B", None),
        ("A, ", None),
        (", A", None),
        ("E", None),
        ("", None),
    ],
)
def test_longer_options_are_tried_first(value: str, chosen: list[str] | None) -> None:
    assert split_options(value, ["A", "B", "A, B, C", "D"]) == chosen


def test_shorter_option_is_tried_when_the_rest_would_not_fit() -> None:
    assert split_options("A, B, C", ["A", "A, B", "B, C"]) == ["A", "B, C"]
