"""Slow request bodies: the credential is checked again once the body has arrived (decisions 2.3, 2.4)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from amarevents.models import ApiKey, Session, User
from amarevents.models.columns import utc_now
from amarevents.models.enums import KeyType
from amarevents.security import request_body
from tests.support.rest_answers import error_in
from tests.support.world import Caller, World

Action = Callable[[], Awaitable[object]]

BODY = b'{"name": "New", "key_type": "user"}'


@pytest.fixture(autouse=True)
def short_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "PROMPT_SECONDS", 0.01)


async def send_slowly(caller: Caller, method: str, path: str, body: bytes, action: Action) -> httpx.Response:
    """Send the request, and run ``action`` before its last byte."""

    async def parts() -> AsyncIterator[bytes]:
        yield body[:-1]
        await asyncio.sleep(0.05)
        await action()
        yield body[-1:]

    headers = {**caller.headers, "Content-Type": "application/json"}
    return await caller.http.request(method, f"/api{path}", content=parts(), headers=headers)


async def test_a_slow_body_with_a_valid_key_is_accepted(world: World) -> None:
    key = await world.user_key()
    answer = await send_slowly(key, "POST", "/keys", BODY, lambda: asyncio.sleep(0))
    assert answer.status_code == 201


async def test_a_key_revoked_during_the_request_creates_nothing(world: World) -> None:
    key = await world.user_key()
    assert key.key

    async def revoke() -> None:
        await ApiKey.filter(id=key.key.id if key.key else 0).update(revoked_at=utc_now(), is_active=False)

    error_in(await send_slowly(key, "POST", "/keys", BODY, revoke), 401, "API_KEY_REVOKED")
    assert await ApiKey.all().count() == 1


async def test_a_session_ended_during_the_request_creates_nothing(world: World) -> None:
    user = await world.user()
    session = await world.session(user)
    answer = await send_slowly(session, "POST", "/keys", BODY, lambda: Session.filter(user_id=user.id).delete())
    error_in(answer, 401, "UNAUTHENTICATED")
    assert await ApiKey.all().count() == 0


async def test_an_admin_demoted_during_the_request_cannot_promote_itself(world: World) -> None:
    admin = await world.admin()
    await world.admin()
    key = await world.key(admin, KeyType.ADMIN)
    path = f"/admin/users/{admin.id}"
    answer = await send_slowly(
        key, "PUT", path, b'{"admin": true}', lambda: User.filter(id=admin.id).update(admin=False)
    )
    error_in(answer, 403, "ROLE_LOST")
    assert not (await User.get(id=admin.id)).admin


async def test_graphql_requests_are_checked_again(world: World) -> None:
    user = await world.user()
    session = await world.session(user)
    body = b'{"query": "{ apiKeys { id } }"}'

    async def parts() -> AsyncIterator[bytes]:
        yield body[:-1]
        await asyncio.sleep(0.05)
        await Session.filter(user_id=user.id).delete()
        yield body[-1:]

    headers = {**session.headers, "Content-Type": "application/json"}
    answer = await world.http.post("/graphql", content=parts(), headers=headers)
    assert [failure["extensions"]["code"] for failure in answer.json()["errors"]] == ["UNAUTHENTICATED"]
