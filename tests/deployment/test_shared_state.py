"""State shared by two servers with one PostgreSQL and one Redis: nothing that matters is kept in a process."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import asyncpg
import httpx
import pytest

from tests.support.platforms import Deployment, RunningPlatform, new_key, new_user_key, register
from tests.support.redis_server import private_redis

pytestmark = pytest.mark.backend("postgres")

Pair = tuple[RunningPlatform, RunningPlatform]


@pytest.fixture(scope="module")
def pair(shared_deployment: Deployment) -> Iterator[Pair]:
    with _pair(shared_deployment) as servers:
        yield servers


@contextmanager
def _pair(deployment: Deployment) -> Iterator[Pair]:
    """Start two servers with the contract's rate limit for user keys."""
    with deployment.serving(rate_limit_user="60") as first, deployment.serving(rate_limit_user="60") as second:
        yield first, second


async def _me(platform: RunningPlatform, key: str) -> httpx.Response:
    async with platform.client(key) as client:
        return await client.get("/api/auth/me")


async def test_a_key_revoked_on_one_server_is_refused_by_the_other(pair: Pair, new_name: Callable[[], str]) -> None:
    first, second = pair
    async with first.client() as client:
        key = await new_user_key(client, new_name())
    known = await _me(second, key)
    async with first.client(key) as client:
        revoked = await client.delete(f"/api/keys/{known.json()['data']['auth']['key_id']}")
    refused = [await _me(platform, key) for platform in (second, first)]
    assert (known.status_code, revoked.status_code) == (200, 200)
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(401, "API_KEY_REVOKED")] * 2


async def test_a_key_suspended_on_one_server_is_refused_by_the_other(pair: Pair, new_name: Callable[[], str]) -> None:
    first, second = pair
    async with first.client() as client:
        key = await new_user_key(client, new_name())
    key_id = (await _me(second, key)).json()["data"]["auth"]["key_id"]
    async with first.client(key) as client:
        await client.put(f"/api/keys/{key_id}", json={"is_active": False})
    assert (await _me(second, key)).json()["code"] == "API_KEY_SUSPENDED"


async def test_keys_of_a_demoted_organizer_are_refused_by_every_server(
    pair: Pair, shared_deployment: Deployment, new_name: Callable[[], str]
) -> None:
    name = new_name()
    async with pair[0].client() as client:
        await register(client, name)
        await _set_type(shared_deployment, name, "organizer")
        key = await new_key(client, name, "organizer")
    before = [(await _me(platform, key)).status_code for platform in pair]
    await _set_type(shared_deployment, name, "user")
    after = [(await _me(platform, key)) for platform in pair]
    assert before == [200, 200]
    assert [(answer.status_code, answer.json()["code"]) for answer in after] == [(403, "ROLE_LOST")] * 2


async def _set_type(shared_deployment: Deployment, username: str, account_type: str) -> None:
    """Change the type of an account, as an admin's request to another server would."""
    connection = await asyncpg.connect(shared_deployment.database_url)
    await connection.execute("UPDATE users SET type = $1 WHERE username = $2", account_type, username)
    await connection.close()


async def test_the_rate_limit_of_a_key_is_shared_by_servers(pair: Pair, new_name: Callable[[], str]) -> None:
    answers = await _send_in_turn(pair, new_name(), requests=200)
    assert Counter(answer.status_code for answer in answers) == {200: 60, 429: 140}
    remaining = [int(answer.headers["X-RateLimit-Remaining"]) for answer in answers if answer.status_code == 200]
    assert sorted(remaining) == list(range(60))


async def test_without_redis_each_server_counts_separately(
    shared_deployment: Deployment, new_name: Callable[[], str]
) -> None:
    alone = Deployment(database_url=shared_deployment.database_url, redis_url=None)
    with _pair(alone) as pair:
        answers = await _send_in_turn(pair, new_name(), requests=200)
    assert Counter(answer.status_code for answer in answers) == {200: 120, 429: 80}


async def _send_in_turn(pair: Pair, name: str, *, requests: int) -> list[httpx.Response]:
    """Send simultaneous requests with a new key to both servers in turn, and return the answers."""
    async with pair[0].client() as client:
        key = await new_user_key(client, name)
    async with pair[0].client(key) as first, pair[1].client(key) as second:
        pending = [(first, second)[number % 2].get("/api/auth/me") for number in range(requests)]
        return await asyncio.gather(*pending)


async def test_an_unavailable_redis_is_logged_once_and_used_again(
    shared_deployment: Deployment, new_name: Callable[[], str]
) -> None:
    with private_redis() as redis:
        own = Deployment(database_url=shared_deployment.database_url, redis_url=redis.url)
        with own.serving(rate_limit_user="60") as platform:
            async with platform.client() as client:
                key = await new_user_key(client, new_name())
            async with platform.client(key) as client:
                await _burst(client, 10)
                redis.stop()
                await _burst(client, 30)
                redis.start()
                await _wait_for(platform, "Redis is available again")
                assert await _burst(client, 10) == list(range(59, 49, -1))  # Redis counts from zero
            assert platform.log.count("WARNING") == 2
            assert platform.log.count("Redis is unavailable") == 1


async def _burst(client: httpx.AsyncClient, requests: int) -> list[int]:
    """Send requests that must succeed, and return what remained of the limit after each."""
    answers = [await client.get("/api/auth/me") for _ in range(requests)]
    assert {answer.status_code for answer in answers} == {200}
    return [int(answer.headers["X-RateLimit-Remaining"]) for answer in answers]


async def _wait_for(platform: RunningPlatform, line: str) -> None:
    """Send requests, so that the process tries to reach Redis, until the log has the line."""
    async with asyncio.timeout(15), platform.client() as client:
        while line not in platform.log:
            assert (await client.get("/api/events")).status_code == 200
            await asyncio.sleep(0.1)
