"""Lists over tables with 100,000 rows: few statements, and pages that are read by an index."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest
from tortoise import connections
from tortoise.transactions import in_transaction

from amarevents.models import ApiKey, Event, Ticket, User
from amarevents.models.db.connection import CONNECTION
from amarevents.models.enums import EventSort, KeyType
from tests.support.rest_answers import data_of
from tests.support.statements import Statement, counted_statements
from tests.support.world import Caller, World, in_days

pytestmark = pytest.mark.backend("postgres")

ROWS = 100_000
# At most: the key, the event, the total, the page, and the event counts of organizations.
STATEMENTS = 5

USERS = f"""
    INSERT INTO users
        (username, username_key, email, email_key, number, password_hash, type, admin, search_text, created_at,
        updated_at)
    SELECT 'crowd' || n, 'crowd' || n, 'crowd' || n || '@example.com', 'crowd' || n || '@example.com', '017' || n, '!',
        CASE n % 20 WHEN 0 THEN 'organizer' ELSE 'user' END, false,
        'crowd' || n || E'\\ncrowd' || n || E'@example.com\\n017' || n, now(), now()
    FROM generate_series(1, {ROWS}) AS n
"""
ORGANIZATIONS = """
    INSERT INTO organizations (user_id, plan_id, name, search_text, events_used, created_at, updated_at)
    SELECT users.id, (SELECT min(id) FROM plans), username, username, 0, now(), now()
    FROM users WHERE type = 'organizer'
"""
EVENTS = f"""
    INSERT INTO events
        (organization_id, name, category, date, sort_date, privacy, socials, wallets, search_text, created_at,
        updated_at)
    SELECT (SELECT min(id) FROM organizations) + n % 5000, 'Event ' || n,
        (ARRAY['Concert', 'Sports', 'Workshop', 'Games'])[n % 4 + 1],
        CURRENT_DATE - 250 + n % 500, CURRENT_DATE - 250 + n % 500,
        CASE n % 10 WHEN 0 THEN 'private' ELSE 'public' END, '[]', '{{}}', 'event ' || n || E'\\nঢাকা hall', now(), now()
    FROM generate_series(1, {ROWS}) AS n
"""
TICKETS = f"""
    INSERT INTO tickets (code, event_id, user_id, name, email, email_key, amount, status, created_at, updated_at)
    SELECT 'AE' || n, (SELECT min(id) FROM events), (SELECT min(id) FROM users) + n - 1,
        'x', 'x' || n || '@example.com', 'x' || n || '@example.com', 10,
        (ARRAY['Success', 'Pending', 'Failed', 'Success'])[n % 4 + 1], now(), now()
    FROM generate_series(1, {ROWS}) AS n
"""
KEYS = f"""
    INSERT INTO api_keys (user_id, name, digest, key_prefix, key_type, permissions, is_active, created_at)
    SELECT id, 'key', 'digest' || id, 'ae_u_xxxxxxx', 'user', '[]', id % 10 > 0, now() FROM users LIMIT {ROWS}
"""
DONATIONS = f"""
    INSERT INTO donations (organization_id, email, number, amount, transaction_id, type, status, created_at, updated_at)
    SELECT (SELECT min(id) FROM organizations) + n % 5000, 'x@example.com', '017', 5, 'T' || n, 'bkash',
        CASE n % 3 WHEN 0 THEN 'pending' ELSE 'verified' END, now(), now()
    FROM generate_series(1, {ROWS}) AS n
"""
FILLED = {
    "users": USERS,
    "organizations": ORGANIZATIONS,
    "events": EVENTS,
    "tickets": TICKETS,
    "api_keys": KEYS,
    "donations": DONATIONS,
}


@pytest.fixture
async def large(world: World) -> AsyncIterator[World]:
    """Fill the tables, and truncate them afterwards, because deleting row by row would take a minute."""
    connection = connections.get(CONNECTION)
    for table, statement in FILLED.items():
        async with in_transaction() as transaction:
            await transaction.execute_query("SET LOCAL statement_timeout = '120s'")
            # Otherwise, VACUUM would not find the rows visible to all, which reading an index alone requires.
            await transaction.execute_query("SET LOCAL synchronous_commit = on")
            await transaction.execute_query(statement)
        # Before the next table: checks of foreign keys would otherwise be planned for an empty table.
        await connection.execute_query(f"VACUUM ANALYZE {table}")
    yield world
    await connection.execute_query(f"TRUNCATE {', '.join(FILLED)} CASCADE")


async def _callers(world: World) -> dict[str, Caller]:
    event = await Event.all().order_by("id").select_related("organization").first()
    attendee = await User.all().order_by("-id").first()
    assert event
    assert attendee
    owner = await User.get(id=event.organization.user_id)
    return {
        "anonymous": world.anonymous,
        "owner": await world.key(owner, KeyType.ORGANIZER),
        "attendee": await world.key(attendee),
        "admin": await world.admin_key(),
    }


def _lists_of_events(organization: int) -> list[tuple[str, str]]:
    return [
        ("anonymous", "/events"),
        ("anonymous", "/events?page=2500&limit=20"),
        ("anonymous", "/events?category=Concert"),
        ("anonymous", f"/events?organization_id={organization}"),
        ("anonymous", "/events?search=event 4711"),
        ("anonymous", "/events?upcoming=true"),
        ("anonymous", "/events?upcoming=false&category=Sports"),
        ("anonymous", f"/events?from={in_days(100)}&to={in_days(101)}"),
        *(("anonymous", f"/events?sort={sort}") for sort in EventSort),
        *(("anonymous", f"/events?sort={sort}&category=Concert") for sort in EventSort),
        *(("anonymous", f"/events?sort={sort}&organization_id={organization}") for sort in EventSort),
        ("attendee", "/events"),
        ("owner", "/events"),
        ("admin", "/admin/events"),
        ("admin", "/admin/events?page=4000"),
        ("admin", "/admin/events?sort=newest"),
        ("admin", "/admin/events?upcoming=0"),
        ("admin", "/admin/events?privacy=private&search=event 471"),
    ]


async def _requests() -> list[tuple[str, str]]:
    """Return every paginated list with its filters, each with the name of a caller."""
    ticket = await Ticket.all().order_by("id").first()
    key = await ApiKey.all().order_by("id").first()
    assert ticket
    assert key
    event, organization = ticket.event_id, (await Event.get(id=ticket.event_id)).organization_id
    return [
        *_lists_of_events(organization),
        ("anonymous", "/organizations"),
        ("anonymous", "/organizations?search=crowd4720"),
        ("owner", f"/events/{event}/tickets"),
        ("owner", f"/events/{event}/tickets?status=Pending&page=500"),
        ("owner", f"/tickets?event_id={event}"),
        ("attendee", "/tickets"),
        ("attendee", "/users/me/tickets?status=Success"),
        ("owner", "/donations"),
        ("owner", "/donations?status=verified"),
        ("admin", "/donations"),
        ("admin", "/admin/users"),
        ("admin", "/admin/users?search=crowd4711"),
        ("admin", "/admin/users?type=organizer"),
        ("admin", "/admin/users?admin=1"),
        ("admin", "/admin/donations?status=pending"),
        ("admin", "/admin/api-keys"),
        ("admin", f"/admin/api-keys?user_id={key.user_id}"),
        ("admin", "/admin/api-keys?active=0"),
        ("admin", "/admin/api-keys?key_type=organizer"),
    ]


async def _sequential_scans(statement: Statement) -> list[str]:
    """Return the large tables that a statement reads completely, without an index."""
    plan = await connections.get(CONNECTION).execute_query_dict(f"EXPLAIN (FORMAT JSON) {statement}", statement.values)
    tree = plan[0]["QUERY PLAN"]
    root = json.loads(tree) if isinstance(tree, str) else tree
    return [
        node["Relation Name"]
        for node in _nodes(root[0]["Plan"])
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in FILLED
    ]


async def _sequential_scans_of_all_samples(statement: Statement) -> list[str]:
    """Return the tables that are scanned with each of three samples, because the planner samples rows at random."""
    for _ in range(2):
        if not await _sequential_scans(statement):
            break
        await connections.get(CONNECTION).execute_query("ANALYZE")
    return await _sequential_scans(statement)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)


async def test_every_list_takes_few_statements_and_reads_pages_by_an_index(large: World) -> None:
    """Totals are left out: no index makes counting most of a table cheap, so they are cached (``test_count_cache``)."""
    callers = await _callers(large)
    scans, costs = {}, {}
    for caller_name, path in await _requests():
        with counted_statements() as statements:
            data_of(await callers[caller_name].get(path.partition("?")[0], **dict(parse_qsl(path.partition("?")[2]))))
        costs[caller_name, path] = len(statements)
        pages = [one for one in statements if not one.startswith("SELECT COUNT(*)")]
        if found := [
            (tables, str(one)[-200:]) for one in pages if (tables := await _sequential_scans_of_all_samples(one))
        ]:
            scans[caller_name, path] = found
    assert scans == {}
    assert len(costs) == len(await _requests())
    assert {path: cost for path, cost in costs.items() if cost > STATEMENTS} == {}


async def test_statement_without_an_index_is_detected(world: World) -> None:
    unindexed = Statement("SELECT id FROM tickets WHERE note = $1 LIMIT 20")
    unindexed.values = ["x"]
    assert await _sequential_scans(unindexed) == ["tickets"]
