"""No place is sold twice, however many ask at once and whichever process they reach (decisions 6.2)."""

import asyncio
import sys
from collections import Counter
from collections.abc import Callable

import aiohttp
import pytest

from tests.support.platforms import Deployment, RunningPlatform, new_user_key, places_held, put_on_sale

BUYERS = 5
CONNECTIONS = 200
REGISTER = "mutation($id: ID!) { registerForEvent(input: {eventId: $id}) { id } }"


async def _over_rest(session: aiohttp.ClientSession, key: str, event_id: int) -> str:
    async with session.post("/api/tickets", json={"event_id": event_id}, headers=_bearer(key)) as response:
        answer = await response.json()
        return "registered" if response.status == 201 else f"{response.status} {answer['code']}"


async def _over_graphql(session: aiohttp.ClientSession, key: str, event_id: int) -> str:
    body = {"query": REGISTER, "variables": {"id": str(event_id)}}
    async with session.post("/graphql", json=body, headers=_bearer(key)) as response:
        failures = (await response.json()).get("errors")
        refusal = failures[0]["extensions"] if failures else None
        return f"{refusal['status']} {refusal['code']}" if refusal else "registered"


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def _rush(
    platform: RunningPlatform, admin_key: str, new_name: Callable[[], str], *, capacity: int, attempts: int
) -> tuple[Counter[str], tuple[int, int]]:
    """What ``attempts`` at once were told, half of them over GraphQL, and what is sold and held afterwards."""
    async with platform.client() as client, platform.client(admin_key) as admin:
        sale = await put_on_sale(admin, capacity=capacity)
        keys = [await new_user_key(client, new_name()) for _ in range(BUYERS)]
        # Not httpx: with hundreds waiting for a connection, most of the time goes by in its pool.
        async with aiohttp.ClientSession(platform.url, connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session:
            ways = (_over_rest, _over_graphql)
            asked = [ways[number % 2](session, keys[number % BUYERS], sale.event_id) for number in range(attempts)]
            told = Counter(await asyncio.gather(*asked))
        return told, await places_held(admin, sale)


@pytest.mark.backend("postgres")
async def test_a_thousand_at_once_over_four_processes_get_exactly_a_hundred_places(
    operated: Deployment, admin_key: str, new_name: Callable[[], str]
) -> None:
    with operated.serving(workers=4) as platform:
        told, held = await _rush(platform, admin_key, new_name, capacity=100, attempts=1_000)
    assert told == {"registered": 100, "400 SOLD_OUT": 900}
    assert held == (100, 100)


@pytest.mark.backend("sqlite")
async def test_three_hundred_at_once_get_exactly_forty_places(
    operated: Deployment, admin_key: str, new_name: Callable[[], str]
) -> None:
    with operated.serving() as platform:
        told, held = await _rush(platform, admin_key, new_name, capacity=40, attempts=300)
    assert told == {"registered": 40, "400 SOLD_OUT": 260}
    assert held == (40, 40)


@pytest.mark.backend("postgres")
async def test_without_the_guard_the_same_rush_sells_more_than_there_are(
    operated: Deployment, admin_key: str, new_name: Callable[[], str]
) -> None:
    unguarded = [sys.executable, "-m", "uvicorn", "tests.support.overselling:create", "--factory"]
    with operated.running(unguarded, workers=1) as platform:
        told, (_, held) = await _rush(platform, admin_key, new_name, capacity=20, attempts=120)
    assert told["registered"] == held
    assert held > 20
