"""Logins and logouts within one GraphQL request, and their rate limit."""

from collections.abc import Callable

from amarevents.models import ApiKey, Session
from tests.support.world import World

ROKEYA = {"username": "rokeya", "email": "rokeya@example.com", "password": "secret123", "number": "01700000000"}


async def test_logout_ends_a_session_started_in_the_same_request(world: World) -> None:
    await world.anonymous.post("/auth/register", ROKEYA)
    response = await world.anonymous.graphql_response(
        'mutation { login(input: {email: "rokeya@example.com", password: "secret123"}) { id } logout { loggedOut } }'
    )
    assert response.json()["data"]["logout"] == {"loggedOut": True}
    assert not await Session.exists()
    assert "Max-Age=0" in response.headers["Set-Cookie"]


async def test_request_is_unauthenticated_after_its_logout(world: World) -> None:
    caller = await world.session(await world.user())
    response = await caller.graphql(
        'mutation { logout { loggedOut } createApiKey(input: {name: "n", keyType: USER}) { id } }'
    )
    assert response["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert not await ApiKey.exists()


async def test_two_logins_in_one_request_leave_one_session(world: World) -> None:
    await world.anonymous.post("/auth/register", ROKEYA)
    login = 'login(input: {email: "rokeya@example.com", password: "secret123"}) { id }'
    await world.anonymous.graphql(f"mutation {{ a: {login} b: {login} }}")
    assert await Session.all().count() == 1


async def test_login_beyond_the_rate_limit_is_429_in_graphql(world: World, configure: Callable[..., None]) -> None:
    configure(rate_limit_failed_logins=1)
    login = 'mutation { login(input: {email: "a@example.com", password: "secret123"}) { id } }'
    assert (await world.anonymous.graphql_response(login)).status_code == 200
    response = await world.anonymous.graphql_response(login)
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) >= 1
