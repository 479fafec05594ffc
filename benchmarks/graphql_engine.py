"""Benchmark of GraphQL without a database: stock Strawberry against this implementation, over the whole path.

Run it with ``python -m benchmarks.graphql_engine``. Both are ASGI applications that answer the same requests from the
same objects in memory, alternating within one run; the processor time of a request is from the call of the application
to the last byte of its response.
"""

import asyncio
import datetime
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import orjson
import pytest
import strawberry
from starlette.types import ASGIApp, Message
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader

from amarevents.app import create_app
from amarevents.models.db.migrate import migrate
from amarevents.models.enums import Category, Privacy
from amarevents.resolvers.core.inputs import RecordId
from amarevents.resolvers.core.pagination import Page, Paging, page_of
from amarevents.resolvers.events.queries import ListEvents, list_events
from amarevents.resolvers.events.ticket_types import TicketTypeView
from amarevents.resolvers.events.views import EventView
from amarevents.security.context import Context
from amarevents.settings import Settings
from tests.support.graph import replace_batch

SCALARS = "id name category organizationName date location privacy createdAt"
DOCUMENTS = {
    "{ __typename }": "{ __typename }",
    "20 events, 8 scalars": f"{{ events(limit: 20) {{ items {{ {SCALARS} }} }} }}",
    "20 events, 40 ticket types, 13 fields": (
        f"{{ events(limit: 20) {{ items {{ {SCALARS} ticketTypes {{ id name price capacity available }} }} }} }}"
    ),
}
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


def _ticket_type(number: int, event_id: int) -> TicketTypeView:
    return TicketTypeView(
        id=RecordId(number),
        event_id=RecordId(event_id),
        name="Seat",
        price=Decimal("499.50"),
        capacity=100,
        description=None,
        sold=10,
        available=90,
        is_available=True,
        created_at=NOW,
    )


PAGE = page_of([_event(number) for number in range(1, 21)], 20, Paging())
TYPES = {number: [_ticket_type(2 * number, number), _ticket_type(2 * number + 1, number)] for number in range(1, 21)}

StockCategory = strawberry.enum(Category, name="StockCategory")
StockPrivacy = strawberry.enum(Privacy, name="StockPrivacy")


@strawberry.type
class StockTicketType:
    id: strawberry.ID
    name: str
    price: Decimal
    capacity: int
    available: int | None


async def _load_types(event_ids: list[int]) -> list[list[TicketTypeView]]:
    return [TYPES[event_id] for event_id in event_ids]


@strawberry.type
class StockEvent:
    id: strawberry.ID
    name: str
    category: StockCategory | None  # type: ignore[valid-type] # Strawberry's decorator returns the enumeration
    organization_name: str
    date: datetime.date | None
    location: str | None
    privacy: StockPrivacy  # type: ignore[valid-type] # as above
    created_at: datetime.datetime

    @strawberry.field
    async def ticket_types(self, info: strawberry.Info) -> list[StockTicketType]:
        loader: DataLoader[int, list[TicketTypeView]] = info.context["types"]
        return await loader.load(self.id)  # type: ignore[arg-type,return-value] # views have the same attributes


@strawberry.type
class StockPage:
    items: list[StockEvent]


@strawberry.type
class StockQuery:
    @strawberry.field
    async def events(self, limit: int) -> StockPage:
        return PAGE  # type: ignore[return-value] # the views have the same attributes


class Stock(GraphQL[dict[str, DataLoader[int, list[TicketTypeView]]], None]):
    """Strawberry's own application, with a data loader for each request."""

    async def get_context(self, request: object, response: object) -> dict[str, DataLoader[int, list[TicketTypeView]]]:
        return {"types": DataLoader(load_fn=_load_types)}


async def _list_events(_ctx: Context, data: ListEvents) -> Page[EventView]:  # noqa: ARG001 - as operations are called
    return PAGE


async def _load_ticket_types(_ctx: Context, keys: Sequence[int]) -> Mapping[int, list[TicketTypeView]]:
    return {key: TYPES[key] for key in keys}


async def _answer(app: ASGIApp, document: str) -> bytes:
    """Send a request to an application, and return the body of its response."""
    body = orjson.dumps({"query": document})
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = {"host": "localhost", "content-type": "application/json", "content-length": str(len(body))}
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    await app(scope, receive, send)
    assert sent[0]["status"] == 200, sent
    return b"".join(message.get("body", b"") for message in sent[1:])


async def _milliseconds(app: ASGIApp, document: str) -> float:
    began = time.process_time()
    for _ in range(CALLS):
        await _answer(app, document)
    return (time.process_time() - began) / CALLS * 1000


async def _compare(ours: ASGIApp, stock: ASGIApp) -> None:
    for title, document in DOCUMENTS.items():
        answers = [orjson.loads(await _answer(app, document)) for app in (stock, ours)]
        assert all(len(answer["data"]) == 1 and "errors" not in answer for answer in answers), answers
        pairs = [(await _milliseconds(stock, document), await _milliseconds(ours, document)) for _ in range(ROUNDS)]
        stock_ms, ours_ms = (statistics.median(times) for times in zip(*pairs, strict=True))
        ratio = statistics.median(ours / stock for stock, ours in pairs)
        print(f"{title}: stock {stock_ms:.2f} ms, ours {ours_ms:.2f} ms, ratio {ratio:.2f}")


async def main() -> None:
    """Measure both applications; the data of ours is replaced, and its cache of public answers is off."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        settings = Settings(
            database_url=f"sqlite:///{Path(folder) / 'events.db'}", public_cache_seconds=0, rate_limit_anonymous=0
        )
        await migrate(settings)
        object.__setattr__(list_events, "run", _list_events)  # the instance is frozen
        replace_batch(patch, "Event", "ticketTypes", _load_ticket_types)
        app = create_app(settings)
        async with app.router.lifespan_context(app):
            await _compare(app, Stock(strawberry.Schema(query=StockQuery)))


if __name__ == "__main__":
    asyncio.run(main())
