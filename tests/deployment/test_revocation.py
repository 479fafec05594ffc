"""Lost access on two servers that remember who a key belongs to, while Redis has failures (decisions 2.4)."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass

import httpx
import pytest
from redis import Redis

from tests.support.platforms import Deployment, RunningPlatform, new_key, register
from tests.support.redis_failures import unresponsive
from tests.support.redis_server import private_redis
from tests.support.servers import PrivateServer

pytestmark = pytest.mark.backend("postgres")


@dataclass(frozen=True)
class Pair:
    """Two servers with a Redis server of their own, and the key of an admin."""

    first: RunningPlatform
    second: RunningPlatform
    redis: PrivateServer
    admin_key: str


@pytest.fixture(scope="module")
def pair(shared_deployment: Deployment, admin_key: str) -> Iterator[Pair]:
    with private_redis() as redis, ExitStack() as serving:
        deployment = Deployment(database_url=shared_deployment.database_url, redis_url=redis.url)
        first, second = [serving.enter_context(deployment.serving(principal_seconds="600")) for _ in range(2)]
        yield Pair(first, second, redis, admin_key)


def emptied(redis: PrivateServer) -> AbstractContextManager[None]:
    """Delete everything that the server has stored."""
    with Redis.from_url(redis.url) as client:
        client.flushall()
    return nullcontext()


def restarted(redis: PrivateServer) -> AbstractContextManager[None]:
    redis.stop()
    redis.start()
    return nullcontext()


@contextmanager
def stopped(redis: PrivateServer) -> Iterator[None]:
    redis.stop()
    try:
        yield
    finally:
        redis.start()


def undisturbed(_redis: PrivateServer) -> AbstractContextManager[None]:
    return nullcontext()


async def _known_organizer(pair: Pair, name: str) -> tuple[int, str]:
    """Register an organizer; return its account and an organizer key whose principal both servers remember."""
    async with pair.first.client() as client, pair.first.client(pair.admin_key) as admin:
        await register(client, name)
        [account] = (await admin.get("/api/admin/users", params={"search": name})).json()["data"]
        await admin.put(f"/api/admin/users/{account['id']}", json={"type": "organizer"})
        key = await new_key(client, name, "organizer")
    for platform in (pair.first, pair.second):
        answers = [await _me(platform, key) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 200]
    return account["id"], key


async def _me(platform: RunningPlatform, key: str) -> httpx.Response:
    async with platform.client(key) as client:
        return await client.get("/api/auth/me")


@pytest.mark.parametrize("disturbance", [undisturbed, emptied, restarted, stopped, unresponsive])
async def test_a_revoked_key_is_refused_by_the_other_server(
    pair: Pair, new_name: Callable[[], str], disturbance: Callable[[PrivateServer], AbstractContextManager[None]]
) -> None:
    _, key = await _known_organizer(pair, new_name())
    key_id = (await _me(pair.first, key)).json()["data"]["auth"]["key_id"]
    with disturbance(pair.redis):
        async with pair.first.client(key) as client:
            assert (await client.delete(f"/api/keys/{key_id}")).status_code == 200
        during = await _me(pair.second, key)
    after = await _me(pair.second, key)
    assert [(answer.status_code, answer.json()["code"]) for answer in (during, after)] == [(401, "API_KEY_REVOKED")] * 2


async def test_a_key_of_a_demoted_organizer_is_refused_by_the_other_server(
    pair: Pair, new_name: Callable[[], str]
) -> None:
    account_id, key = await _known_organizer(pair, new_name())
    async with pair.first.client(pair.admin_key) as admin:
        await admin.put(f"/api/admin/users/{account_id}", json={"type": "user"})
    refused = await _me(pair.second, key)
    assert (refused.status_code, refused.json()["code"]) == (403, "ROLE_LOST")
