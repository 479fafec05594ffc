"""The query ``rateLimit``: what is left of the budget that the request is charged to (decisions 3.8)."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.schema.subscriptions.conftest import address
from tests.support.websocket_client import open_socket
from tests.support.world import Caller, World

__all__ = ["address"]

QUERY = "{ rateLimit { type limit remaining resetAt cost } }"
Configure = Callable[..., None]


async def status_of(caller: Caller, query: str = QUERY) -> dict[str, Any]:  # Any: JSON
    data: dict[str, Any] = (await caller.graphql(query))["data"]["rateLimit"]
    return data


def summary(status: dict[str, Any]) -> tuple[str, int | None, int | None, int]:
    return status["type"], status["limit"], status["remaining"], status["cost"]


@pytest.fixture
def limits(configure: Configure) -> None:
    configure(
        rate_limit_user=10, rate_limit_organizer=20, rate_limit_admin=30, rate_limit_session=40, rate_limit_anonymous=50
    )


async def test_keys_see_their_own_limit(world: World, limits: None) -> None:
    callers = [await world.user_key(), await world.organizer_key(), await world.admin_key()]
    assert [summary(await status_of(caller)) for caller in callers] == [
        ("USER", 10, 9, 1),
        ("ORGANIZER", 20, 19, 1),
        ("ADMIN", 30, 29, 1),
    ]


async def test_sessions_see_the_limit_that_they_share(world: World, limits: None) -> None:
    user = await world.organizer()
    sessions = [await world.session(user), await world.token_session(user)]
    assert [summary(await status_of(session)) for session in sessions] == [
        ("ORGANIZER", 40, 39, 1),
        ("ORGANIZER", 40, 38, 1),
    ]


async def test_anonymous_callers_see_that_of_their_address(world: World, limits: None) -> None:
    assert summary(await status_of(world.anonymous)) == ("ANONYMOUS", 50, 49, 1)


async def test_it_agrees_with_the_headers(world: World, limits: None) -> None:
    answer = await (await world.user_key()).graphql_response(QUERY)
    status = answer.json()["data"]["rateLimit"]
    assert answer.headers["X-RateLimit-Remaining"] == str(status["remaining"])
    reset_at = datetime.fromisoformat(status["resetAt"]).timestamp()
    assert answer.headers["X-RateLimit-Reset"] == str(round(reset_at))
    assert reset_at > time.time()


async def test_the_cost_is_that_of_the_whole_request(world: World, limits: None) -> None:
    caller = await world.user_key()
    assert summary(await status_of(caller, QUERY.replace("{ rateLimit", "{ a: me { id } rateLimit", 1)))[2:] == (8, 2)
    batch = [{"query": QUERY}, {"query": "{ me { id } }"}]
    answer = await world.http.post("/graphql", json=batch, headers=caller.headers)
    assert summary(answer.json()[0]["data"]["rateLimit"])[2:] == (6, 2)


async def test_an_unlimited_caller_sees_no_numbers(world: World, configure: Configure) -> None:
    configure(rate_limit_user=0)
    assert summary(await status_of(await world.user_key())) == ("USER", None, None, 1)


async def test_it_is_answered_over_a_websocket(world: World, limits: None, address: str) -> None:
    caller = await world.user_key()
    async with open_socket(address) as socket:
        await socket.initialize({"Authorization": caller.headers["Authorization"]})
        await socket.subscribe(QUERY)
        first = (await socket.receive())["payload"]["data"]["rateLimit"]
    assert summary(first) == ("USER", 10, 9, 1)
