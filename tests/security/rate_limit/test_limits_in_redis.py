"""Cost of rate limits in Redis: one round trip for each request (decisions 3.6)."""

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from redis.asyncio import Redis
from starlette.applications import Starlette

from amarevents.infra.redis import RedisClient, redis_client
from tests.support.world import World

pytestmark = pytest.mark.backend("postgres")

_CALLED_BY_THE_SCRIPT = {"time", "lindex", "rpush", "lpop", "rpop", "pexpire", "llen", "get", "set"}
_SENT_BY_NO_REQUEST = {"info", "ping"}  # by the test, and by idle connections every 30 seconds


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[RedisClient]:
    client = redis_client(redis_url)
    yield client
    await client.aclose()


async def _calls(redis: Redis) -> dict[str, int]:
    statistics = await redis.info("commandstats")
    return {name.removeprefix("cmdstat_"): entry["calls"] for name, entry in statistics.items()}


async def _commands_of(redis: Redis, request: Callable[[], Awaitable[httpx.Response]]) -> dict[str, int]:
    """Return the commands of the second of two requests; the first connects and loads the script."""
    assert (await request()).status_code == 200
    before = await _calls(redis)
    assert (await request()).status_code == 200
    after = await _calls(redis)
    commands = {name: calls - before.get(name, 0) for name, calls in after.items()}
    return {name: n for name, n in commands.items() if n and name not in _CALLED_BY_THE_SCRIPT | _SENT_BY_NO_REQUEST}


@pytest.mark.parametrize("who", ["key", "session", "anonymous"])
@pytest.mark.parametrize("surface", ["rest", "graphql"])
async def test_an_allowed_request_costs_one_round_trip(
    app: Starlette, world: World, redis: Redis, who: str, surface: str
) -> None:
    user = await world.user()
    caller = {"key": await world.key(user), "session": await world.session(user), "anonymous": world.anonymous}[who]
    query = "{ a: events { items { id } } b: organizations { items { id } } }"
    request = (lambda: caller.get("/events")) if surface == "rest" else (lambda: caller.graphql_response(query))
    assert await _commands_of(redis, request) == {"evalsha": 1}


async def test_buckets_expire_and_contain_neither_keys_nor_emails(world: World, redis: Redis) -> None:
    caller = await world.user_key()
    await caller.get("/events")
    await world.anonymous.post("/auth/login", {"email": "karim@example.com", "password": "wrong"})
    buckets = [name.decode() async for name in redis.scan_iter()]
    assert len(buckets) == 5  # key, its account, address, failed logins by address and by email
    names = " ".join(buckets)
    assert caller.headers["Authorization"].removeprefix("Bearer ") not in names
    assert "karim" not in names
    assert all([await redis.ttl(name) > 0 for name in buckets])
