"""A Redis cluster in place of a server: shared limits, revocations, messages, queries, and the failover of a node."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator

import httpx
import pytest
from gql import Client, GraphQLRequest

from tests.support.platforms import Deployment, RunningPlatform, new_user_key, put_on_sale
from tests.support.redis_cluster import PrivateCluster
from tests.support.servers import HOST
from tests.support.websocket_client import gql_transport

pytestmark = pytest.mark.backend("postgres")

Pair = tuple[RunningPlatform, RunningPlatform]

STATS = "subscription($id: ID!) { eventStats(eventId: $id) { total } }"
QUERY = "{ me { username } }"


@pytest.fixture(scope="module")
def clustered(shared_deployment: Deployment, redis_cluster: PrivateCluster) -> Deployment:
    return Deployment(database_url=shared_deployment.database_url, redis_url=redis_cluster.url)


@pytest.fixture(scope="module")
def pair(clustered: Deployment) -> Iterator[Pair]:
    with clustered.serving(rate_limit_user="60") as first, clustered.serving(rate_limit_user="60") as second:
        yield first, second


async def test_the_rate_limit_of_a_key_is_shared_by_servers(pair: Pair, new_name: Callable[[], str]) -> None:
    async with pair[0].client() as client:
        keys = [await new_user_key(client, new_name()) for _ in range(4)]  # in different slots
    for key in keys:
        async with pair[0].client(key) as first, pair[1].client(key) as second:
            answers = await asyncio.gather(*((first, second)[n % 2].get("/api/auth/me") for n in range(100)))
        assert Counter(answer.status_code for answer in answers) == {200: 60, 429: 40}


async def test_a_key_revoked_on_one_server_is_refused_by_the_other(pair: Pair, new_name: Callable[[], str]) -> None:
    async with pair[0].client() as client:
        key = await new_user_key(client, new_name())
    async with pair[0].client(key) as first, pair[1].client(key) as second:
        known = await second.get("/api/auth/me")
        await first.delete(f"/api/keys/{known.json()['data']['auth']['key_id']}")
        refused = await second.get("/api/auth/me")
    assert (known.status_code, refused.json()["code"]) == (200, "API_KEY_REVOKED")


async def test_subscribers_receive_the_changes_of_another_process(pair: Pair, admin_key: str) -> None:
    first, second = pair
    async with first.client(admin_key) as admin:
        sale = await put_on_sale(admin, capacity=0)
        headers = {"Authorization": f"Bearer {admin_key}"}
        async with Client(transport=gql_transport(f"{HOST}:{second.port}", headers, in_handshake=True)) as session:
            results = session.subscribe(GraphQLRequest(STATS, variable_values={"id": sale.event_id}))
            totals = [await anext(results)]
            await admin.post("/api/tickets", json={"event_id": sale.event_id})
            async with asyncio.timeout(2):
                totals.append(await anext(results))
            await results.aclose()
    assert [total["eventStats"]["total"] for total in totals] == [0, 1]


async def test_a_query_persisted_by_one_server_is_known_to_the_other(pair: Pair, admin_key: str) -> None:
    digest = hashlib.sha256(QUERY.encode()).hexdigest()
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": digest}}
    async with pair[0].client(admin_key) as first, pair[1].client(admin_key) as second:
        await first.post("/graphql", json={"query": QUERY, "extensions": extensions})
        answer = await second.post("/graphql", json={"extensions": extensions})
    assert answer.json()["data"]["me"]["username"] == "operator"


async def test_requests_succeed_during_a_failover_and_limits_are_shared_after_it(
    clustered: Deployment, redis_cluster: PrivateCluster, new_name: Callable[[], str]
) -> None:
    with clustered.serving(rate_limit_user="1000") as platform:
        async with platform.client() as client:
            key = await new_user_key(client, new_name())
        async with platform.client(key) as client:
            account_id = (await client.get("/api/users/me")).json()["data"]["id"]
            primary = redis_cluster.primary_of(f"{{{account_id}}}")
            primary.stop()
            async with asyncio.timeout(20):
                while redis_cluster.primary_of(f"{{{account_id}}}") is primary or not _uses_redis(platform):
                    assert await _statuses(client, 20) == {200}
            assert await _statuses(client, 20) == {200}
            primary.start()


async def _statuses(client: httpx.AsyncClient, requests: int) -> set[int]:
    answers = await asyncio.gather(*(client.get("/api/auth/me") for _ in range(requests)))
    return {answer.status_code for answer in answers}


def _uses_redis(platform: RunningPlatform) -> bool:
    """Return whether the last line of the log about rate limits says that they are shared."""
    lines = [line for line in platform.log.splitlines() if "rate limits" in line]
    return "Redis is available again" in lines[-1]
