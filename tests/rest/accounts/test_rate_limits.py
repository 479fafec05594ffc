"""The current usage of the rate limits, listed for admins (decisions 8.5)."""

import dataclasses
import datetime
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from starlette.applications import Starlette

from amarevents.infra.redis import redis_client
from amarevents.models import User
from amarevents.models.enums import KeyType
from amarevents.security.rate_limit import RedisRateLimiter, ResilientRateLimiter
from tests.rest.conftest import Stage
from tests.support.client_addresses import use_manual_clock
from tests.support.rate_limits import MINUTE, SECOND, START
from tests.support.redis_server import private_redis
from tests.support.rest_answers import data_of, refused
from tests.support.servers import PrivateServer
from tests.support.world import Caller, World

FIELDS = {
    "key_id", "key_name", "key_prefix", "key_type", "user_id", "limit", "used", "remaining", "reset_at"
}  # fmt: skip
Configure = Callable[..., None]
Usage = dict[str, Any]  # Any: JSON


async def use(caller: Caller, times: int) -> None:
    for _ in range(times):
        await caller.get("/auth/me")


async def usage_of(caller: Caller, viewer: Caller) -> Usage | None:
    """Return the usage of the key of ``caller`` as ``viewer`` sees it, None if it is not listed."""
    assert caller.key is not None
    rows = data_of(await viewer.get("/admin/rate-limits"))
    return next((row for row in rows if row["key_id"] == caller.key.id), None)


async def test_only_admins_see_the_usage(world: World, stage: Stage) -> None:
    assert stage.admin.user is not None
    await refused(world.anonymous.get("/admin/rate-limits"), 401, "UNAUTHENTICATED")
    for caller in (stage.buyer, stage.organizer, await world.session(stage.buyer_account)):
        await refused(caller.get("/admin/rate-limits"), 403, "WRONG_KEY_TYPE")
    without = await world.key(stage.admin.user, KeyType.ADMIN, permissions=["users:read"])
    await refused(without.get("/admin/rate-limits"), 403, "MISSING_SCOPE")


async def test_used_key_is_listed_with_its_remaining_requests(stage: Stage, configure: Configure) -> None:
    configure(rate_limit_user=60)
    assert stage.buyer.key is not None
    await use(stage.buyer, 5)
    shown = await usage_of(stage.buyer, stage.admin)
    assert shown is not None
    assert shown.keys() == FIELDS
    reset_at = datetime.datetime.fromisoformat(shown.pop("reset_at")).timestamp()
    assert time.time() + 50 < reset_at <= time.time() + 62
    assert shown == {
        "key_id": stage.buyer.key.id, "key_name": "test key", "key_prefix": stage.buyer.key.key_prefix,
        "key_type": "user", "user_id": stage.buyer_account.id, "limit": 60, "used": 5, "remaining": 55,
    }  # fmt: skip


async def test_usage_matches_the_rate_limit_headers(stage: Stage, configure: Configure) -> None:
    configure(rate_limit_organizer=120)
    await use(stage.organizer, 2)
    headers = (await stage.organizer.get("/events")).headers
    shown = await usage_of(stage.organizer, stage.admin)
    assert shown is not None
    assert (str(shown["limit"]), str(shown["remaining"])) == (
        headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"]
    )  # fmt: skip


async def test_only_used_keys_are_listed_newest_first(stage: Stage) -> None:
    for caller in (stage.rival, stage.organizer):
        await use(caller, 1)
    rows = data_of(await stage.admin.get("/admin/rate-limits"))
    used = [stage.admin, stage.rival, stage.organizer]
    assert [row["key_id"] for row in rows] == [caller.key.id for caller in used if caller.key]
    assert [row["used"] for row in rows] == [1, 1, 1]


async def test_root_fields_of_graphql_count_and_refused_requests_do_not(stage: Stage, configure: Configure) -> None:
    configure(rate_limit_user=4)
    await stage.buyer.graphql("{ a: __typename b: __typename me { id } }")
    await use(stage.buyer, 3)
    shown = await usage_of(stage.buyer, stage.admin)
    assert shown is not None
    assert (shown["used"], shown["remaining"]) == (4, 0)


async def test_sessions_and_addresses_are_not_listed(world: World, stage: Stage) -> None:
    await use(await world.session(stage.buyer_account), 3)
    await use(world.anonymous, 3)
    assert [row["used"] for row in data_of(await stage.admin.get("/admin/rate-limits"))] == [1]


async def test_keys_of_a_deleted_account_are_not_listed(world: World, stage: Stage) -> None:
    deleted = await world.user_key()
    await use(deleted, 2)
    assert await usage_of(deleted, stage.admin) is not None
    await User.filter(id=deleted.user.id if deleted.user else 0).delete()
    await use(deleted, 2)
    assert await usage_of(deleted, stage.admin) is None


async def test_revoked_keys_are_listed_while_they_are_used(stage: Stage) -> None:
    assert stage.buyer.key is not None
    data_of(await stage.admin.delete(f"/admin/revoke-key/{stage.buyer.key.id}"))
    await use(stage.buyer, 3)
    shown = await usage_of(stage.buyer, stage.admin)
    assert shown is not None
    assert shown["used"] == 3


async def test_usage_is_not_counted_where_a_limit_is_disabled(stage: Stage, configure: Configure) -> None:
    await use(stage.buyer, 2)
    configure(rate_limit_user=0)
    await use(stage.organizer, 1)
    assert await usage_of(stage.buyer, stage.admin) is None
    assert await usage_of(stage.organizer, stage.admin) is not None
    configure(rate_limit_user=0, rate_limit_organizer=0, rate_limit_admin=0)
    assert data_of(await stage.admin.get("/admin/rate-limits")) == []


async def test_lowered_limit_keeps_the_counted_usage(stage: Stage, configure: Configure) -> None:
    await use(stage.buyer, 5)
    configure(rate_limit_user=3)
    shown = await usage_of(stage.buyer, stage.admin)
    assert shown is not None
    assert (shown["limit"], shown["used"], shown["remaining"]) == (3, 5, 0)


@pytest.mark.backend("sqlite")
async def test_only_requests_of_the_last_minute_count(app: Starlette, stage: Stage) -> None:
    clock = use_manual_clock(app)
    await use(stage.buyer, 2)
    clock.now = START + 30 * SECOND
    await use(stage.buyer, 1)
    for now, used in ((START + MINUTE, 3), (START + MINUTE + 1, 1), (START + MINUTE + 30 * SECOND + 1, None)):
        clock.now = now
        shown = await usage_of(stage.buyer, stage.admin)
        assert (shown and shown["used"]) == used


# While Redis is unavailable -------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[PrivateServer]:
    with private_redis() as server:
        yield server


@pytest.fixture
async def fallback_limiter(app: Starlette, server: PrivateServer) -> AsyncIterator[ResilientRateLimiter]:
    """Replace the limiter by one of four workers whose Redis the test can stop."""
    limiter = ResilientRateLimiter(RedisRateLimiter(redis_client(server.url)), workers=4)
    app.state.services = dataclasses.replace(app.state.services, limiter=limiter)
    yield limiter
    await limiter.aclose()


@pytest.mark.backend("postgres")
@pytest.mark.usefixtures("fallback_limiter")
async def test_each_process_shows_its_own_counts_while_redis_is_unavailable(
    server: PrivateServer, stage: Stage, configure: Configure
) -> None:
    configure(rate_limit_user=60)
    await use(stage.buyer, 7)
    server.stop()
    await use(stage.buyer, 2)
    shown = await usage_of(stage.buyer, stage.admin)
    assert shown is not None
    assert (shown["limit"], shown["used"], shown["remaining"]) == (60, 2, 13)
