"""Pieces of SQL: combining them, and the values that both databases get for them."""

import datetime
from decimal import Decimal

import pytest

from amarevents.models.db.sql import FALSE, TRUE, Sql, contains, fetch, is_in, sql
from amarevents.models.enums import Category
from tests.support.statements import counted_statements
from tests.support.world import World

A, B, C = sql("a = ?", 1), sql("b = ?", 2), sql("c = ?", 3)


def test_values_follow_the_order_of_their_placeholders() -> None:
    assert Sql("a = ? AND b = ? AND c = ?", (1, 2, 3)) == A & B & C
    assert Sql("((a = ? OR b = ?) OR c = ?)", (1, 2, 3)) == A | B | C


def test_alternatives_are_kept_together() -> None:
    assert ((A | B) & C).text == "(a = ? OR b = ?) AND c = ?"
    assert (A & (B | C)).text == "a = ? AND (b = ? OR c = ?)"
    assert (A | (B & C)).text == "(a = ? OR b = ? AND c = ?)"


def test_true_adds_nothing_to_a_condition() -> None:
    assert TRUE & A == A & TRUE == A
    assert (TRUE & TRUE) is TRUE


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (TRUE, True),
        (FALSE, False),
        (TRUE & FALSE, False),
        (FALSE | TRUE, True),
        (is_in("1", [3, 1]), True),
        (is_in("1", []), False),
        (is_in("1", [2]), False),
        (is_in("'Concert'", [Category.CONCERT]), True),
        (contains("'100 % fun_'", "% f"), True),
        (contains("'100 % fun_'", "0_%"), False),
        (contains("'100 % fun_'", "n_"), True),
        (contains("'100 % fun_'", "u_"), False),
        (contains(r"'a\b'", "\\"), True),
        (contains("'ab'", "\\"), False),
        (contains("'ab'", "'; DROP TABLE events; --"), False),
    ],
)
async def test_condition_means_the_same_on_both_databases(database: None, condition: Sql, expected: bool) -> None:
    [[number]] = await fetch(Sql(f"SELECT COUNT(*) FROM (SELECT 1) AS one WHERE {condition.text}", condition.values))
    assert number == expected


async def test_lists_of_every_length_have_one_text(database: None) -> None:
    with counted_statements() as statements:
        for length in (0, 2, 3, 50):
            condition = is_in("id", range(1, length + 1))
            await fetch(Sql(f"SELECT id FROM events WHERE {condition.text}", condition.values))
    assert len(statements) == 4
    assert len(set(statements)) == 1


def test_single_value_is_compared_as_it_is() -> None:
    assert is_in("id", [7]) == sql("id = ?", 7)


async def test_values_are_compared_as_the_models_store_them(world: World) -> None:
    day = datetime.date(2030, 5, 1)
    event = await world.event(await world.organizer(), date=day, category=Category.CONCERT)
    kind = await world.ticket_type(event, price="499.50")
    for condition in (
        sql("events.sort_date = ? AND events.category = ?", day, Category.CONCERT),
        sql("events.created_at = ?", event.created_at),
        sql("events.created_at <= ?", event.created_at.astimezone(datetime.timezone(datetime.timedelta(hours=6)))),
    ):
        [row] = await fetch(Sql(f"SELECT events.id FROM events WHERE {condition.text}", condition.values))
        assert row[0] == event.id
    price = sql("SELECT id FROM ticket_types WHERE price = ?", Decimal("499.50"))
    assert [row[0] for row in await fetch(price)] == [kind.id]
