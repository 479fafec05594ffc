"""Rate limits of HTTP requests: keys, sessions, addresses and headers (decisions 3.1 to 3.4, 3.7)."""

from collections.abc import Awaitable, Callable

import httpx
import pytest
from starlette.applications import Starlette

from amarevents.models.enums import KeyType
from amarevents.settings import Settings
from tests.support.client_addresses import client_from
from tests.support.statements import counted_statements
from tests.support.world import Caller, World, snapshot

Configure = Callable[..., None]
HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Type")
REST_REQUESTS: dict[str, Callable[[Caller], Awaitable[httpx.Response]]] = {
    "success": lambda caller: caller.get("/auth/me"),
    "public": lambda caller: caller.get("/events"),
    "400": lambda caller: caller.post("/keys", {}),
    "403": lambda caller: caller.post("/events", {}),
    "404": lambda caller: caller.put("/keys/999", {}),
    "unknown": lambda caller: caller.get("/nothing-here"),
    "405": lambda caller: caller.delete("/events"),
}
GRAPHQL_REQUESTS: dict[str, Callable[[Caller], Awaitable[httpx.Response]]] = {
    "graphql": lambda caller: caller.graphql_response("{ me { id } }"),
    "graphql 400": lambda caller: caller.graphql_response("{ me"),
    "graphql error": lambda caller: caller.graphql_response("{ ticket(id: 1) { id } }"),
    "graphql 405": lambda caller: caller.http.put("/graphql", headers=caller.headers),
}
REQUESTS = REST_REQUESTS | GRAPHQL_REQUESTS


async def _statuses(request: Callable[[], Awaitable[httpx.Response]], times: int) -> list[int]:
    return [(await request()).status_code for _ in range(times)]


def test_the_default_limits_are_those_of_the_contract() -> None:
    settings = Settings()
    assert (settings.rate_limit_user, settings.rate_limit_organizer, settings.rate_limit_admin) == (60, 120, 300)
    assert (settings.rate_limit_anonymous, settings.rate_limit_session, settings.rate_limit_account) == (600, 600, 3000)
    assert (settings.rate_limit_registrations, settings.rate_limit_donations) == (120, 60)
    assert (settings.rate_limit_failed_logins, settings.failed_logins) == (30, 10)


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
async def test_every_authenticated_response_has_the_headers(
    world: World, configure: Configure, request_: Callable[[Caller], Awaitable[httpx.Response]]
) -> None:
    configure(rate_limit_user=5, rate_limit_session=5)
    for caller in (await world.user_key(), await world.session(await world.user())):
        answer = await request_(caller)
        limit, remaining, reset, kind = [answer.headers[name] for name in HEADERS]
        assert (limit, remaining, kind) == ("5", "4", "user")
        assert reset.isdecimal()
        assert "Retry-After" not in answer.headers


@pytest.mark.parametrize("path", ["/api/auth/me", "/graphql"])
async def test_requests_of_a_key_that_lost_its_role_are_counted(world: World, configure: Configure, path: str) -> None:
    configure(rate_limit_organizer=2)
    caller = await world.key(await world.user(), KeyType.ORGANIZER)
    answers = [await world.http.get(path, headers=caller.headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [403, 403, 429]
    assert {answer.headers["X-RateLimit-Type"] for answer in answers} == {"organizer"}


@pytest.mark.parametrize("path", ["/api/auth/logout", "/graphql"])
async def test_cross_site_requests_are_counted(world: World, configure: Configure, path: str) -> None:
    configure(rate_limit_session=2)
    headers = {**(await world.session(await world.user())).headers, "Origin": "https://evil.example"}
    answers = [await world.http.post(path, headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [403, 403, 429]
    assert {answer.headers["X-RateLimit-Limit"] for answer in answers} == {"2"}


@pytest.mark.parametrize(("key_type", "limit"), [("user", 1), ("organizer", 2), ("admin", 3)])
async def test_each_key_type_has_its_own_limit(world: World, configure: Configure, key_type: str, limit: int) -> None:
    configure(rate_limit_user=1, rate_limit_organizer=2, rate_limit_admin=3)
    admin = await world.admin()
    caller = await world.key(admin, KeyType(key_type))
    assert await _statuses(lambda: caller.get("/auth/me"), limit + 1) == [200] * limit + [429]
    assert (await caller.get("/events")).headers["X-RateLimit-Type"] == key_type


async def test_the_limit_is_per_key(world: World, configure: Configure) -> None:
    configure(rate_limit_user=1)
    user = await world.user()
    callers = [await world.key(user), await world.key(user)]
    answers = [await caller.get("/auth/me") for _ in range(2) for caller in callers]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]


@pytest.mark.parametrize("role", ["user", "organizer", "admin"])
async def test_sessions_share_the_limit_of_their_account(world: World, configure: Configure, role: str) -> None:
    configure(rate_limit_session=2)
    user = await {"user": world.user, "organizer": world.organizer, "admin": world.admin}[role]()
    sessions = [await world.session(user) for _ in range(3)]
    answers = [await session.get("/auth/me") for session in sessions]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert {answer.headers["X-RateLimit-Type"] for answer in answers} == {role}
    assert {answer.headers["X-RateLimit-Limit"] for answer in answers} == {"2"}
    assert answers[0].json()["data"]["auth"]["rate_limit"] == 2
    assert (await (await world.key(user)).get("/auth/me")).status_code == 200


async def test_a_refused_request_is_429_and_not_executed(world: World, configure: Configure) -> None:
    configure(rate_limit_user=1)
    caller = await world.user_key()
    await caller.get("/events")
    before = await snapshot()
    with counted_statements() as statements:
        answer = await caller.post("/keys", {"name": "new", "key_type": "user"})
    assert statements == []
    body = answer.json()
    assert (answer.status_code, body["success"], body["code"]) == (429, False, "RATE_LIMITED")
    assert [answer.headers[name] for name in HEADERS if name != "X-RateLimit-Reset"] == ["1", "0", "user"]
    assert 1 <= int(answer.headers["Retry-After"]) <= 61
    assert await snapshot() == before


async def test_a_limit_of_0_is_disabled_for_sessions(world: World, configure: Configure) -> None:
    configure(rate_limit_session=0)
    session = await world.session(await world.user())
    answers = [await session.get("/auth/me") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].json()["data"]["auth"]["rate_limit"] is None


@pytest.mark.parametrize("limited", ["user", "organizer", "admin"])
async def test_a_limit_of_0_is_disabled(world: World, configure: Configure, limited: str) -> None:
    configure(**{f"rate_limit_{limited}": 0})
    caller = await world.key(await world.admin(), KeyType(limited))
    answers = [await caller.get("/auth/me") for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].json()["data"]["auth"]["rate_limit"] is None


# Addresses ------------------------------------------------------------------------------------------------------


async def _from(app: Starlette, address: str, times: int = 1, **headers: str) -> list[int]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with client_from(app, address) as client:
        return [(await client.get("/api/events", headers=named)).status_code for _ in range(times)]


async def test_anonymous_requests_are_limited_per_address(app: Starlette, configure: Configure) -> None:
    configure(rate_limit_anonymous=2)
    assert await _from(app, "203.0.113.1", 3) == [200, 200, 429]
    assert await _from(app, "203.0.113.2", 3) == [200, 200, 429]


@pytest.mark.parametrize("path", ["/api/auth/me", "/api/nothing-here", "/graphql"])
async def test_all_anonymous_requests_count(http: httpx.AsyncClient, configure: Configure, path: str) -> None:
    configure(rate_limit_anonymous=2)
    statuses = await _statuses(lambda: http.get(path), 3)
    assert 429 not in statuses[:2]
    assert statuses[2] == 429


async def test_the_anonymous_limit_can_be_disabled(app: Starlette, configure: Configure) -> None:
    configure(rate_limit_anonymous=0)
    assert await _from(app, "203.0.113.1", 5) == [200] * 5


async def test_requests_with_keys_and_sessions_do_not_count_for_the_address(world: World, configure: Configure) -> None:
    configure(rate_limit_anonymous=1)
    for caller in (await world.user_key(), await world.session(await world.user())):
        assert [(await caller.get("/auth/me")).status_code for _ in range(3)] == [200] * 3
    assert await _statuses(lambda: world.anonymous.get("/events"), 2) == [200, 429]


@pytest.mark.parametrize("header", [{"Authorization": "Bearer ae_u_guess"}, {"Cookie": "amarevents_session=guess"}])
@pytest.mark.parametrize("path", ["/api/auth/me", "/graphql"])
async def test_guessed_credentials_count_for_the_address(
    http: httpx.AsyncClient, configure: Configure, path: str, header: dict[str, str]
) -> None:
    configure(rate_limit_anonymous=2)
    statuses = await _statuses(lambda: http.get(path, headers=header), 3)
    assert 429 not in statuses[:2]
    assert statuses[2] == 429
    assert (await http.get("/api/events")).status_code == 429


async def test_revoked_keys_count_for_the_address(world: World, configure: Configure) -> None:
    configure(rate_limit_anonymous=2)
    callers = [await world.key(await world.user(), is_active=False) for _ in range(3)]
    assert [(await caller.get("/auth/me")).status_code for caller in callers] == [401, 401, 429]


async def test_an_ipv6_client_is_its_64_bit_network(app: Starlette, configure: Configure) -> None:
    configure(rate_limit_anonymous=2)
    assert await _from(app, "2001:db8:1:2::1", 2) == [200, 200]
    assert await _from(app, "2001:db8:1:2:ffff:ffff:ffff:ffff") == [429]
    assert await _from(app, "2001:db8:1:3::1") == [200]


async def test_a_mapped_ipv4_address_is_the_same_client(app: Starlette, configure: Configure) -> None:
    configure(rate_limit_anonymous=1)
    assert await _from(app, "203.0.113.1") == [200]
    assert await _from(app, "::ffff:203.0.113.1") == [429]
    assert await _from(app, "::ffff:203.0.113.2") == [200]
