"""The memory of a process, which does not grow with the number of different documents, keys and addresses."""

import dataclasses
import gc
import json
import sys
from collections.abc import Iterator
from functools import lru_cache

import pytest
from starlette.applications import Starlette
from starlette.types import Message

from amarevents.infra import answer_cache, count_cache
from amarevents.infra.answer_cache import AnswerCache
from amarevents.infra.count_cache import CountCache
from amarevents.models.enums import KeyType
from amarevents.resolvers.core import sources
from amarevents.rest import decoding
from amarevents.schema.execution import documents
from amarevents.security.auth.api_keys import generate_key
from amarevents.security.rate_limit import quotas
from amarevents.security.services import Services
from amarevents.settings import Settings
from tests.support.sizes import sized
from tests.support.world import World

BOUND = 50
"""The maximum of each cache here, so that all of them are full after a few hundred requests."""

FEW = 150
ROUND = sized(FEW, deep=11_000)
"""The number of documents, filters and keys in a round of requests; there are three rounds."""

MOST_BLOCKS, LEAST_BLOCKS = 2, 20
"""The blocks of memory for each of them: less in a flat memory, more if documents were kept."""


_REMEMBERED = [(decoding, "_read_query"), *((quotas, name) for name in ("client_network", "_parsed", "_is_trusted"))]
"""Functions that remember some of their results."""


def _requests(start: int) -> Iterator[tuple[str, dict[str, str], bytes]]:
    """Yield requests with a different document, filter, key and address each: path, headers and body."""
    for number in range(start, start + ROUND):
        address = {"x-forwarded-for": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"}
        document = f"{{ e{number}: events {{ items {{ a{number}: name category }} pagination {{ total }} }} }}"
        body = json.dumps({"query": document}).encode()
        yield "/graphql", {"content-type": "application/json", **address}, body
        yield f"/api/events?limit=2&search=x{number}", address, b""
        yield "/api/events", {"authorization": f"Bearer {generate_key(KeyType.USER).raw}", **address}, b""


async def _send(app: Starlette, path: str, headers: dict[str, str], body: bytes) -> int:
    """Send a request straight to the application, and return the status of the response."""
    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST" if body else "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 80),
    }
    statuses: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def record(message: Message) -> None:
        statuses.extend([message["status"]] if "status" in message else [])

    await app(scope, receive, record)
    return statuses[0]


async def _blocks_after(app: Starlette, start: int) -> int:
    """Send a round of requests, and return the number of blocks of memory that are in use afterwards."""
    for path, headers, body in _requests(start):
        status = await _send(app, path, headers, body)
        assert status == (401 if "authorization" in headers else 200)
    gc.collect()
    return sys.getallocatedblocks()


@pytest.fixture
def small_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_cache, "MAX_ANSWERS", BOUND)
    monkeypatch.setattr(count_cache, "MAX_TOTALS", BOUND)
    monkeypatch.setattr(documents, "_MAX_CACHED", BOUND)
    monkeypatch.setattr(sources, "_MAX_READERS", BOUND)
    for module, name in _REMEMBERED:
        monkeypatch.setattr(module, name, lru_cache(BOUND)(getattr(module, name).__wrapped__))


@pytest.fixture
def caching_app(app: Starlette, small_caches: None) -> Starlette:
    """Return the application with its caches switched on."""
    services: Services = app.state.services
    trusted = Settings(trusted_proxies="127.0.0.1").trusted_proxies
    app.state.services = dataclasses.replace(
        services,
        settings=services.settings.model_copy(update={"rate_limit_anonymous": 0, "trusted_proxies": trusted}),
        answers=AnswerCache(services.versions, seconds=600),
        count_cache=CountCache(services.versions, seconds=600),
    )
    return app


@pytest.mark.backend("sqlite")
async def test_memory_is_flat_over_different_requests(world: World, caching_app: Starlette) -> None:
    await world.event(await world.organizer())
    await _blocks_after(caching_app, 0)
    before = await _blocks_after(caching_app, ROUND)
    assert await _blocks_after(caching_app, 2 * ROUND) - before < MOST_BLOCKS * ROUND


async def test_memory_would_grow_with_the_documents(
    world: World, caching_app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control of the test above."""
    monkeypatch.setattr(documents, "_MAX_CACHED", 10**9)
    await world.event(await world.organizer())
    monkeypatch.setattr(sys.modules[__name__], "ROUND", FEW)
    await _blocks_after(caching_app, 0)
    before = await _blocks_after(caching_app, ROUND)
    assert await _blocks_after(caching_app, 2 * ROUND) - before > LEAST_BLOCKS * ROUND
