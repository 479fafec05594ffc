"""The yardstick: hand-written handlers on Starlette, asyncpg and orjson that answer what the platform answers.

They do the least SQL for the same JSON. They check the key of a caller and who owns an event, but have no other rules:
no limits, no validation, no emails, no places per account. ``python -m benchmarks.bare --port PORT`` serves them.
"""

import argparse
import asyncio
import base64
import datetime
import hashlib
import os
import secrets
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeAlias
from zoneinfo import ZoneInfo

import argon2
import asyncpg
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks import bare_sql as sql

_ZONE = ZoneInfo("Asia/Dhaka")
_JSON = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS
_TOTAL_SECONDS = 5
_POOL_SIZE = 5
_HOLD = datetime.timedelta(days=1)
_SESSION = datetime.timedelta(days=14)
_HASHES = ThreadPoolExecutor(2)
_ARGON2 = argon2.PasswordHasher()

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Json = dict[str, object]


def _answer(body: object, status: int = 200) -> Response:
    return Response(orjson.dumps(body, option=_JSON), status, media_type="application/json")


def _today() -> datetime.date:
    return datetime.datetime.now(_ZONE).date()


def _pool(request: Request) -> Pool:
    pool: Pool = request.app.state.pool
    return pool


class _Totals:
    """Totals of lists, each counted again when it is older than ``_TOTAL_SECONDS``."""

    def __init__(self) -> None:
        self._counted: dict[tuple[str, ...], tuple[float, int]] = {}

    async def get(self, pool: Pool, statement: str, *values: str) -> int:
        key = (statement, *values)
        counted_at, total = self._counted.get(key, (0.0, 0))
        now = time.monotonic()
        if now - counted_at > _TOTAL_SECONDS:
            self._counted[key] = (now, total)  # others use the last total while it is counted
            total = await pool.fetchval(statement, *values)
            self._counted[key] = (now, total)
        return total


_TOTALS = _Totals()


async def list_events(request: Request) -> Response:
    query, pool = request.query_params, _pool(request)
    page, limit = int(query.get("page", 1)), int(query.get("limit", 20))
    if search := query.get("search"):
        pattern = f"%{search}%"
        total = await _TOTALS.get(pool, sql.COUNT_FOUND, pattern)
        rows = await pool.fetch(sql.FOUND_TO_COME, _today(), limit, pattern)
        if len(rows) < limit:
            rows += await pool.fetch(sql.FOUND_PAST, _today(), limit - len(rows), pattern)
    elif category := query.get("category"):
        total = await _TOTALS.get(pool, sql.COUNT_OF_CATEGORY, category)
        rows = await pool.fetch(sql.OF_CATEGORY, _today(), limit, category)
    else:
        total = await _TOTALS.get(pool, sql.COUNT)
        rows = await (
            pool.fetch(sql.FIRST_PAGE, _today(), limit)
            if page == 1
            else pool.fetch(sql.LIST, _today(), (page - 1) * limit, limit)
        )
    pagination = {"total": total, "page": page, "limit": limit, "pages": -(-total // limit)}
    return _answer({"success": True, "data": [dict(row) for row in rows], "pagination": pagination})


async def get_event(request: Request) -> Response:
    event_id = int(request.path_params["id"])
    async with _pool(request).acquire() as connection:
        event = await connection.fetchrow(sql.DETAIL, event_id)
        if event is None:
            return _answer({"success": False, "error": "Event not found"}, 404)
        types = await connection.fetch(sql.TYPES, event_id)
        fields = await connection.fetch(sql.FIELDS, event_id)
    last_day = event["deadline"] or event["date"]
    detail = {
        **event,
        "socials": orjson.Fragment(event["socials"]),
        "wallets": orjson.Fragment(event["wallets"]),
        "registration_open": last_day is None or _today() <= last_day,
        "ticket_types": [dict(row) for row in types],
        "custom_fields": [{**row, "options": orjson.Fragment(row["options"])} for row in fields],
    }
    return _answer({"success": True, "data": detail})


async def list_ticket_types(request: Request) -> Response:
    rows = await _pool(request).fetch(sql.TYPES_OF_VISIBLE, int(request.query_params["event_id"]))
    pagination = {"total": len(rows), "page": 1, "limit": 100, "pages": -(-len(rows) // 100)}
    return _answer({"success": True, "data": [dict(row) for row in rows], "pagination": pagination})


async def graphql_list(request: Request) -> Response:
    await request.json()
    rows = await _pool(request).fetch(sql.SCALARS, _today(), 20)
    return _answer({"data": {"events": {"items": [dict(row) for row in rows]}}})


async def graphql_nested(request: Request) -> Response:
    await request.json()
    async with _pool(request).acquire() as connection:
        events = [dict(row) for row in await connection.fetch(sql.SCALARS, _today(), 20)]
        rows = await connection.fetch(sql.TYPES_OF_MANY, [int(event["id"]) for event in events])
    types: defaultdict[int, list[Json]] = defaultdict(list)
    for row in rows:
        kind = dict(row)
        types[kind.pop("event_id")].append(kind)
    for event in events:
        event["ticketTypes"] = types[int(event["id"])]
    return _answer({"data": {"events": {"items": events}}})


def _digest(request: Request) -> str:
    """Return what identifies the API key of the caller."""
    return hashlib.sha256(request.headers["authorization"].removeprefix("Bearer ").encode()).hexdigest()


async def verify_ticket(request: Request) -> Response:
    found = await _pool(request).fetchrow(sql.VERIFY, _digest(request), request.path_params["code"])
    if found is None:
        return _answer({"success": False, "error": "Ticket not found"}, 404)
    valid = found["status"] == "Success"
    return _answer(
        {"success": True, "data": {**found, "valid": valid, "reason": None if valid else "TICKET_NOT_VALID"}}
    )


async def get_event_stats(request: Request) -> Response:
    rows = await _pool(request).fetch(sql.STATS, _digest(request), int(request.path_params["id"]))
    kinds: dict[int, Json] = {
        row["id"]: {"ticket_type_id": row["id"], **{name: row[name] for name in ("name", "price", "capacity")}}
        for row in rows
    }
    by_type = [{**_counts([row for row in rows if row["id"] == type_id]), **kind} for type_id, kind in kinds.items()]
    return _answer({"success": True, "data": {**_counts(rows), "by_ticket_type": by_type}})


def _counts(rows: list[asyncpg.Record]) -> Json:
    tickets: defaultdict[str, int] = defaultdict(int)
    revenue = 0.0
    for row in rows:
        if row["status"] is not None:
            tickets[row["status"]] += row["tickets"]
            revenue += row["amount"] if row["status"] == "Success" else 0
    return {
        "total": sum(tickets.values()),
        "approved": tickets["Success"],
        "pending": tickets["Pending"],
        "failed": tickets["Failed"],
        "refunded": tickets["Refunded"],
        "revenue": revenue,
    }


async def register_for_event(request: Request) -> Response:
    wanted = await request.json()
    now = datetime.datetime.now(datetime.UTC)
    code = "AE" + base64.b32encode(secrets.token_bytes(16)).decode()[:25]
    ticket = await _pool(request).fetchrow(
        sql.REGISTER, _digest(request), wanted["event_id"], wanted["ticket_type_id"], code, _today(), now, now + _HOLD
    )
    if ticket is None:
        return _answer({"success": False, "error": "Sold out"}, 400)
    return _answer({"success": True, "data": {**ticket, "custom_fields": []}}, 201)


async def login(request: Request) -> Response:
    given = await request.json()
    account = await _pool(request).fetchrow(sql.ACCOUNT, given["email"].lower())
    password_hash = account["password_hash"] if account else ""
    verified = asyncio.get_running_loop().run_in_executor(_HASHES, _matches, password_hash, given["password"])
    if account is None or not await verified:
        return _answer({"success": False, "error": "Wrong email or password"}, 401)
    token, now = secrets.token_urlsafe(32), datetime.datetime.now(datetime.UTC)
    digest = hashlib.sha256(token.encode()).hexdigest()
    await _pool(request).execute(sql.START_SESSION, account["id"], digest, now + _SESSION, now)
    shown = {name: value for name, value in account.items() if name != "password_hash"}
    return _answer({"success": True, "data": {**shown, "token": f"ae_s_{token}"}})


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _ARGON2.verify(password_hash, password)
    except argon2.exceptions.Argon2Error:
        return False


def _constant(path: str, handler: Callable[[Request], Awaitable[Response]]) -> Route:
    """Return a route that answers with the bytes that a handler answered first."""
    kept: list[bytes] = []

    async def answer(request: Request) -> Response:
        if not kept:
            response = await handler(request)
            kept.append(bytes(response.body))
        elif request.method == "POST":
            await request.body()
        return Response(kept[0], media_type="application/json")

    return Route(path, answer, methods=["GET", "POST"])


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    pool: Pool
    async with asyncpg.create_pool(os.environ["AMAREVENTS_DATABASE_URL"], min_size=1, max_size=_POOL_SIZE) as pool:
        app.state.pool = pool
        yield


app = Starlette(
    routes=[
        Route("/api/events", list_events),
        Route("/api/events/{id:int}", get_event),
        Route("/api/events/{id:int}/stats", get_event_stats),
        Route("/api/ticket-types", list_ticket_types),
        Route("/api/tickets", register_for_event, methods=["POST"]),
        Route("/api/tickets/{code}/verify", verify_ticket, methods=["POST"]),
        Route("/api/auth/login", login, methods=["POST"]),
        Route("/graphql/list", graphql_list, methods=["POST"]),
        Route("/graphql/nested", graphql_nested, methods=["POST"]),
        _constant("/constant/list", list_events),
        _constant("/constant/graphql/list", graphql_list),
        _constant("/constant/graphql/nested", graphql_nested),
    ],
    lifespan=_lifespan,
)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int)
    arguments.add_argument("--workers", type=int, default=1)
    options = arguments.parse_args()
    uvicorn.run("benchmarks.bare:app", port=options.port, workers=options.workers, access_log=False)


if __name__ == "__main__":
    main()
