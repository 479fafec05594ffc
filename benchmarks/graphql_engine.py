"""Benchmark of GraphQL execution without a database: stock Strawberry against our executor.

Run it with ``python benchmarks/graphql_engine.py``. Both answer ``{events(limit: 20){items{8 scalars}}}`` from memory,
alternating within one run. Stock Strawberry parses and validates each document; "execution only" leaves that out for
both.
"""

import asyncio
import datetime
import statistics
import time
from collections.abc import Awaitable, Callable

import strawberry
from graphql import execute, parse, validate
from strawberry.extensions import ParserCache, ValidationCache

from amarevents.models.enums import Category, Privacy
from amarevents.resolvers.core.inputs import RecordId
from amarevents.resolvers.core.pagination import Paging, page_of
from amarevents.resolvers.events.views import EventView
from amarevents.schema.core.pagination import Page
from amarevents.schema.core.scalars import CONFIG
from amarevents.schema.execution.executor import PlannedExecutor
from amarevents.schema.types.events import Event

DOCUMENT = "{events(limit: 20){items{id name category organizationName date location privacy createdAt}}}"
ROUNDS, CALLS = 15, 40
NOW = datetime.datetime.now(datetime.UTC)


def _event(number: int) -> EventView:
    return EventView(
        id=RecordId(number),
        name=f"Event {number}",
        category=Category.CONCERT,
        organization_id=RecordId(1),
        organization_name="Organization",
        date=NOW.date(),
        deadline=None,
        location="Dhaka",
        description=None,
        banner=None,
        logo=None,
        privacy=Privacy.PUBLIC,
        created_at=NOW,
        updated_at=NOW,
    )


PAGE = page_of([_event(number) for number in range(1, 21)], 20, Paging())


@strawberry.type
class Query:
    @strawberry.field
    async def events(self, limit: int) -> Page[Event]:
        return PAGE  # type: ignore[return-value] # the view is the base class of the type


STOCK = strawberry.Schema(query=Query, config=CONFIG)
OURS = strawberry.Schema(
    query=Query,
    config=CONFIG,
    execution_context_class=PlannedExecutor,
    extensions=[lambda: ParserCache(maxsize=8), lambda: ValidationCache(maxsize=8)],
)
PARSED = parse(DOCUMENT)


async def _stock() -> object:
    return await STOCK.execute(DOCUMENT)


async def _ours() -> object:
    return await OURS.execute(DOCUMENT)


async def _stock_execution_only() -> object:
    return await execute(STOCK._schema, PARSED)  # type: ignore[misc] # awaitable, because a resolver is


async def _ours_execution_only() -> object:
    executed = execute(OURS._schema, PARSED, executor_class=PlannedExecutor)
    return await executed  # type: ignore[misc] # awaitable, because a resolver is


async def _milliseconds(call: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    for _ in range(CALLS):
        await call()
    return (time.perf_counter() - began) / CALLS * 1000


async def main() -> None:
    assert not validate(STOCK._schema, PARSED)
    for title, stock, ours in (
        ("whole operation", _stock, _ours),
        ("execution only", _stock_execution_only, _ours_execution_only),
    ):
        pairs = [(await _milliseconds(stock), await _milliseconds(ours)) for _ in range(ROUNDS)]
        stock_ms, ours_ms = (statistics.median(times) for times in zip(*pairs, strict=True))
        ratio = statistics.median(ours / stock for stock, ours in pairs)
        print(f"{title}: stock {stock_ms:.2f} ms, ours {ours_ms:.2f} ms, ratio {ratio:.2f}")


if __name__ == "__main__":
    asyncio.run(main())
