"""Answers that several processes keep in memory: what one of them changes, the others show within moments."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator

import httpx
import pytest

from tests.support.platforms import Deployment, OnSale, RunningPlatform, put_on_sale
from tests.support.redis_server import private_redis
from tests.support.servers import PrivateServer

pytestmark = pytest.mark.backend("postgres")

Pair = tuple[RunningPlatform, RunningPlatform]

KEPT_SECONDS = "60"
"""So long that only a message can end an answer before."""


@pytest.fixture
def redis() -> Iterator[PrivateServer]:
    """Start a Redis server that the test may stop."""
    with private_redis() as server:
        yield server


@pytest.fixture
def pair(shared_deployment: Deployment, redis: PrivateServer) -> Iterator[Pair]:
    """Start two servers that keep answers for a minute."""
    own = Deployment(database_url=shared_deployment.database_url, redis_url=redis.url)
    with (
        own.serving(public_cache_seconds=KEPT_SECONDS) as first,
        own.serving(public_cache_seconds=KEPT_SECONDS) as second,
    ):
        yield first, second


async def seconds_until(shown: Callable[[], Awaitable[bool]], limit: float) -> float:
    """Return how long it takes until something is shown; fail after ``limit`` seconds."""
    started_at = time.monotonic()
    async with asyncio.timeout(limit):
        while not await shown():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)
    return time.monotonic() - started_at


async def read(client: httpx.AsyncClient, sale: OnSale) -> list[httpx.Response]:
    query = f'{{ event(id: "{sale.event_id}") {{ ticketTypes {{ available }} }} }}'
    paths = [f"/api/events/{sale.event_id}", f"/api/ticket-types?event_id={sale.event_id}"]
    return [*[await client.get(path) for path in paths], await client.post("/graphql", json={"query": query})]


async def test_a_registration_here_changes_the_availability_there(pair: Pair, admin_key: str) -> None:
    async with pair[0].client(admin_key) as admin, pair[1].client() as visitor:
        sale = await put_on_sale(admin, capacity=5)
        before = [response.text for response in await read(visitor, sale)]
        assert [response.text for response in await read(visitor, sale)] == before
        assert (await admin.post("/api/tickets", json={"event_id": sale.event_id})).status_code == 201

        async def is_shown() -> bool:
            return all(new.text != old for new, old in zip(await read(visitor, sale), before, strict=True))

        await seconds_until(is_shown, 5)


async def test_an_event_that_becomes_private_here_disappears_there(pair: Pair, admin_key: str) -> None:
    async with pair[0].client(admin_key) as admin, pair[1].client() as visitor:
        sale = await put_on_sale(admin, capacity=5)
        assert (await visitor.get(f"/api/events/{sale.event_id}")).status_code == 200
        assert (await admin.put(f"/api/events/{sale.event_id}", json={"privacy": "private"})).status_code == 200

        async def is_hidden() -> bool:
            return (await visitor.get(f"/api/events/{sale.event_id}")).status_code == 404

        await seconds_until(is_hidden, 5)


async def test_without_redis_an_answer_is_kept_for_a_second_only(
    pair: Pair, admin_key: str, redis: PrivateServer
) -> None:
    async with pair[0].client(admin_key) as admin, pair[1].client() as visitor:
        sale = await put_on_sale(admin, capacity=5)
        redis.stop()
        await asyncio.sleep(1)  # until the servers have noticed
        assert (await visitor.get(f"/api/events/{sale.event_id}")).status_code == 200
        assert (await admin.put(f"/api/events/{sale.event_id}", json={"privacy": "private"})).status_code == 200
        assert (await admin.get(f"/api/events/{sale.event_id}")).status_code == 200

        async def is_hidden() -> bool:
            return (await visitor.get(f"/api/events/{sale.event_id}")).status_code == 404

        assert await seconds_until(is_hidden, 10) < 3
