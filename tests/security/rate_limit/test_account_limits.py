"""The limit of all keys of an account together, in addition to that of each key (decisions 3.7)."""

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest
from starlette.applications import Starlette

from amarevents.models import ApiKey
from amarevents.models.enums import KeyType
from tests.support.client_addresses import use_manual_clock
from tests.support.rate_limits import MINUTE, SECOND
from tests.support.statements import counted_statements
from tests.support.world import World, snapshot

Configure = Callable[..., None]


async def test_all_keys_of_an_account_share_its_limit(world: World, configure: Configure) -> None:
    configure(rate_limit_account=3)
    admin = await world.admin()
    callers = [await world.key(admin, key_type) for key_type in (KeyType.USER, KeyType.ORGANIZER, KeyType.ADMIN)]
    assert [(await caller.get("/auth/me")).status_code for caller in callers] == [200, 200, 200]
    answers = [await callers[0].get("/auth/me"), await callers[1].graphql_response("{ me { id } }")]
    assert [answer.status_code for answer in answers] == [429, 429]
    assert all(1 <= int(answer.headers["Retry-After"]) <= 61 for answer in answers)
    assert (await (await world.user_key()).get("/auth/me")).status_code == 200


async def test_the_headers_are_those_of_the_key(world: World, configure: Configure) -> None:
    configure(rate_limit_account=2, rate_limit_user=5)
    caller = await world.user_key()
    answers = [await caller.get("/auth/me") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["4", "3", "3", "3"]
    assert {answer.headers["X-RateLimit-Limit"] for answer in answers} == {"5"}


async def test_a_graphql_request_fits_both_limits_or_counts_for_neither(world: World, configure: Configure) -> None:
    configure(rate_limit_account=3, rate_limit_user=5)
    caller = await world.user_key()
    query = "{ a: me { id } b: me { id } }"
    answers = [await caller.graphql_response(query) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["3", "3"]
    assert (await caller.graphql_response("{ me { id } }")).status_code == 200


async def test_what_the_key_refuses_does_not_count_for_the_account(world: World, configure: Configure) -> None:
    configure(rate_limit_account=3, rate_limit_user=1)
    user = await world.user()
    callers = [await world.key(user) for _ in range(3)]
    answers = [await caller.get("/auth/me") for caller in callers for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429] * 3


async def test_a_refused_request_is_not_executed(world: World, configure: Configure) -> None:
    configure(rate_limit_account=1)
    caller = await world.user_key()
    await caller.get("/auth/me")
    before = await snapshot()
    with counted_statements() as statements:
        assert (await caller.post("/keys", {"name": "new", "key_type": "user"})).status_code == 429
    assert statements == []
    assert await snapshot() == before


async def test_a_key_that_the_process_does_not_know_is_not_executed_either(world: World, configure: Configure) -> None:
    configure(rate_limit_account=1)
    user = await world.user()
    await (await world.key(user)).get("/auth/me")
    unknown, before = await world.key(user), await snapshot()
    with counted_statements() as statements:
        refused = await unknown.post("/keys", {"name": "new", "key_type": "user"})
    assert (refused.status_code, len(statements)) == (429, 1)  # the look-up of the key
    assert await snapshot() == before


async def test_a_key_that_was_revoked_after_its_use_does_not_use_the_limit_up(
    world: World, configure: Configure
) -> None:
    configure(rate_limit_account=4)
    user = await world.user()
    revoked, key = await world.key(user), await world.key(user)
    await revoked.get("/auth/me")
    await ApiKey.filter(id=revoked.key.id if revoked.key else 0).update(is_active=False)
    assert {(await revoked.get("/auth/me")).status_code for _ in range(5)} == {401}
    assert [(await key.get("/auth/me")).status_code for _ in range(3)] == [200, 200, 429]


async def test_revoked_keys_and_sessions_do_not_use_the_limit_up(world: World, configure: Configure) -> None:
    configure(rate_limit_account=1)
    user = await world.user()
    key, revoked, session = await world.key(user), await world.key(user, is_active=False), await world.session(user)
    assert [(await caller.get("/auth/me")).status_code for caller in (revoked, session, session)] == [401, 200, 200]
    assert [(await key.get("/auth/me")).status_code for _ in range(2)] == [200, 429]


async def test_a_limit_of_0_is_disabled(world: World, configure: Configure) -> None:
    configure(rate_limit_account=0)
    caller = await world.user_key()
    assert [(await caller.get("/auth/me")).status_code for _ in range(3)] == [200] * 3


async def test_it_also_limits_keys_without_a_limit_of_their_own(world: World, configure: Configure) -> None:
    configure(rate_limit_account=1, rate_limit_user=0)
    caller = await world.user_key()
    assert [(await caller.get("/auth/me")).status_code for _ in range(2)] == [200, 429]
    assert (await caller.graphql_response("{ a: me { id } b: me { id } }")).status_code == 429


@pytest.mark.backend("sqlite")
async def test_a_request_succeeds_after_retry_after(app: Starlette, world: World, configure: Configure) -> None:
    configure(rate_limit_account=2, rate_limit_user=2)
    clock = use_manual_clock(app)
    callers = [await world.key(await world.user()) for _ in range(1)]
    callers.append(await world.key((await ApiKey.get().select_related("user")).user))
    await callers[0].get("/auth/me")
    clock.now += 10 * SECOND
    await callers[1].get("/auth/me")
    refused = await callers[0].get("/auth/me")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "51")
    clock.now += 50 * SECOND
    assert (await callers[0].get("/auth/me")).status_code == 429
    clock.now += SECOND
    assert (await callers[0].get("/auth/me")).status_code == 200
    clock.now += MINUTE


async def test_simultaneous_requests_of_many_keys_never_exceed_the_limit(world: World, configure: Configure) -> None:
    configure(rate_limit_account=10, rate_limit_user=5)
    user = await world.user()
    callers = [await world.key(user) for _ in range(8)]
    rest = [caller.get("/auth/me") for caller in callers for _ in range(4)]
    graphql = [caller.graphql_response("{ me { id } }") for caller in callers for _ in range(4)]
    answers = await asyncio.gather(*rest, *graphql)
    assert Counter(answer.status_code for answer in answers) == {200: 10, 429: 54}


async def test_without_the_limit_many_keys_are_a_manifold_limit(world: World, configure: Configure) -> None:
    """The negative control of the test above."""
    configure(rate_limit_account=0, rate_limit_user=5)
    user = await world.user()
    callers = [await world.key(user) for _ in range(8)]
    answers = await asyncio.gather(*[caller.get("/auth/me") for caller in callers for _ in range(8)])
    assert Counter(answer.status_code for answer in answers) == {200: 40, 429: 24}
