"""No overselling by simultaneous registrations, in one process and in several (decisions 6.2)."""

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


async def _register_over_rest(session: aiohttp.ClientSession, key: str, event_id: int) -> str:
    async with session.post("/api/tickets", json={"event_id": event_id}, headers=_bearer(key)) as response:
        answer = await response.json()
        return "registered" if response.status == 201 else f"{response.status} {answer['code']}"


async def _register_over_graphql(session: aiohttp.ClientSession, key: str, event_id: int) -> str:
    body = {"query": REGISTER, "variables": {"id": str(event_id)}}
    async with session.post("/graphql", json=body, headers=_bearer(key)) as response:
        failures = (await response.json()).get("errors")
        refusal = failures[0]["extensions"] if failures else None
        return f"{refusal['status']} {refusal['code']}" if refusal else "registered"


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def register_simultaneously(
    platform: RunningPlatform, admin_key: str, new_name: Callable[[], str], *, capacity: int, attempts: int
) -> tuple[Counter[str], tuple[int, int]]:
    """Send simultaneous registrations, half over GraphQL; return their outcomes, and the places sold and held."""
    async with platform.client() as client, platform.client(admin_key) as admin:
        sale = await put_on_sale(admin, capacity=capacity)
        keys = [await new_user_key(client, new_name()) for _ in range(BUYERS)]
        # Not httpx, whose pool is slow if hundreds of requests wait for a connection.
        async with aiohttp.ClientSession(platform.url, connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session:
            senders = (_register_over_rest, _register_over_graphql)
            requests = [
                senders[number % 2](session, keys[number % BUYERS], sale.event_id) for number in range(attempts)
            ]
            outcomes = Counter(await asyncio.gather(*requests))
        return outcomes, await places_held(admin, sale)


@pytest.mark.backend("postgres")
async def test_a_thousand_registrations_in_four_processes_get_exactly_a_hundred_places(
    shared_deployment: Deployment, admin_key: str, new_name: Callable[[], str]
) -> None:
    with shared_deployment.serving(workers=4) as platform:
        outcomes, held = await register_simultaneously(platform, admin_key, new_name, capacity=100, attempts=1_000)
    assert outcomes == {"registered": 100, "400 SOLD_OUT": 900}
    assert held == (100, 100)


@pytest.mark.backend("sqlite")
async def test_three_hundred_registrations_get_exactly_forty_places(
    shared_deployment: Deployment, admin_key: str, new_name: Callable[[], str]
) -> None:
    with shared_deployment.serving() as platform:
        outcomes, held = await register_simultaneously(platform, admin_key, new_name, capacity=40, attempts=300)
    assert outcomes == {"registered": 40, "400 SOLD_OUT": 260}
    assert held == (40, 40)


@pytest.mark.backend("postgres")
async def test_without_the_check_simultaneous_registrations_oversell(
    shared_deployment: Deployment, admin_key: str, new_name: Callable[[], str]
) -> None:
    unguarded = [sys.executable, "-m", "uvicorn", "tests.support.overselling:create", "--factory"]
    with shared_deployment.running(unguarded, workers=1) as platform:
        outcomes, (_, held) = await register_simultaneously(platform, admin_key, new_name, capacity=20, attempts=120)
    assert outcomes["registered"] == held
    assert held > 20
