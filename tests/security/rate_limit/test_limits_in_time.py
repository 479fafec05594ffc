"""Rate limits over time, under a manual clock: Retry-After and X-RateLimit-Reset (decisions 3.1, 3.2, 3.5)."""

from collections.abc import Callable

import pytest
from starlette.applications import Starlette

from tests.support.client_addresses import use_manual_clock
from tests.support.rate_limits import SECOND, START
from tests.support.world import World

pytestmark = pytest.mark.backend("sqlite")

Configure = Callable[..., None]


async def test_retry_after_is_exact_to_the_second(app: Starlette, world: World, configure: Configure) -> None:
    configure(rate_limit_user=3)
    clock, caller = use_manual_clock(app), await world.user_key()
    for second in (0, 10, 20):
        clock.now = START + second * SECOND
        assert (await caller.get("/events")).status_code == 200
    wait = int((await caller.get("/events")).headers["Retry-After"])
    clock.now += (wait - 1) * SECOND
    assert (await caller.get("/events")).status_code == 429
    clock.now += SECOND
    assert (await caller.get("/events")).status_code == 200


async def test_refused_requests_do_not_count(app: Starlette, world: World, configure: Configure) -> None:
    configure(rate_limit_user=1)
    clock, caller = use_manual_clock(app), await world.user_key()
    await caller.get("/events")
    for second in range(1, 60):
        clock.now = START + second * SECOND
        assert (await caller.get("/events")).status_code == 429
    clock.now = START + 61 * SECOND
    assert (await caller.get("/events")).status_code == 200


async def test_no_60_seconds_exceed_the_limit(app: Starlette, world: World, configure: Configure) -> None:
    configure(rate_limit_user=4)
    clock, caller = use_manual_clock(app), await world.user_key()
    admitted = []
    for second in range(55, 185, 5):
        clock.now = START + second * SECOND
        answers = [await caller.get("/events") for _ in range(2)]
        admitted += [second for answer in answers if answer.status_code == 200]
    assert len(admitted) >= 8
    assert max(sum(first <= one <= first + 60 for one in admitted) for first in admitted) == 4


async def test_at_reset_the_whole_limit_is_available(app: Starlette, world: World, configure: Configure) -> None:
    configure(rate_limit_user=3)
    clock, caller = use_manual_clock(app), await world.user_key()
    for second in (0, 30):
        clock.now = START + second * SECOND
        reset = int((await caller.get("/events")).headers["X-RateLimit-Reset"])
        assert 60 <= reset - clock.now / SECOND <= 61
    clock.now = reset * SECOND
    assert (await caller.get("/events")).headers["X-RateLimit-Remaining"] == "2"


async def test_one_second_before_reset_earlier_requests_count(
    app: Starlette, world: World, configure: Configure
) -> None:
    configure(rate_limit_user=3)
    clock, caller = use_manual_clock(app), await world.user_key()
    reset = int((await caller.get("/events")).headers["X-RateLimit-Reset"])
    clock.now = (reset - 1) * SECOND
    assert (await caller.get("/events")).headers["X-RateLimit-Remaining"] == "1"


async def test_after_retry_after_graphql_admits_all_units(app: Starlette, world: World, configure: Configure) -> None:
    configure(rate_limit_user=3)
    clock, caller = use_manual_clock(app), await world.user_key()
    for second in (0, 10, 20):
        clock.now = START + second * SECOND
        await caller.get("/events")
    query = "{ a: me { id } b: me { id } }"
    refused = await caller.graphql_response(query)
    wait = int(refused.headers["Retry-After"])
    assert refused.json()["errors"][0]["extensions"]["retryAfter"] == wait
    clock.now += (wait - 1) * SECOND
    assert (await caller.graphql_response(query)).status_code == 429
    clock.now += SECOND
    assert (await caller.graphql_response(query)).status_code == 200
