"""Secrets are returned once, and are not logged or stored (decisions 2.2, 2.3)."""

import logging
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from amarevents.resolvers.accounts import signup
from amarevents.security.auth.sessions import COOKIE_NAME
from tests.support.world import snapshot

PASSWORD = "correct-horse-battery"
ACCOUNT = {"username": "karim", "email": "karim@example.com", "number": "01700000000", "password": PASSWORD}
CREATE = 'mutation { createApiKey(input: {name: "g", keyType: USER}) { id key } }'
ME = "{ me { id auth { method } } }"
LOGIN = 'mutation { login(input: {email: "karim@example.com", password: "wrong-horse-battery"}) { id } }'


@dataclass(kw_only=True)
class Flow:
    """The secrets of a series of requests, and the answers that must not contain them."""

    secrets: list[str]
    later: list[str]


async def _flow(http: httpx.AsyncClient) -> Flow:
    """Register, log in, create keys on both surfaces and with a repeated Idempotency-Key, use them, fail, log out."""
    later: list[str] = []

    async def send(method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await http.request(method, path, json=body, headers=named)

    later.append((await send("POST", "/api/auth/register", ACCOUNT, Idempotency_Key="r1")).text)
    login = await send("POST", "/api/auth/login", {"email": ACCOUNT["email"], "password": PASSWORD})
    token = http.cookies[COOKIE_NAME]
    http.cookies.clear()
    cookie = {"Cookie": f"{COOKIE_NAME}={token}"}
    later.append(login.text)
    with_token = {"email": ACCOUNT["email"], "password": PASSWORD, "token": True}
    bearer_token = (await send("POST", "/api/auth/login", with_token)).json()["data"]["token"]
    later.append((await send("GET", "/api/users/me", Authorization=f"Bearer {bearer_token}")).text)
    later.append((await send("POST", "/graphql", {"query": ME}, Authorization=f"Bearer {bearer_token}")).text)
    later.append((await send("GET", "/api/auth/me", Authorization=f"Bearer {bearer_token}x")).text)
    new_key = {"name": "k", "key_type": "user"}
    raw = (await send("POST", "/api/keys", new_key, Idempotency_Key="k1", **cookie)).json()["data"]["key"]
    later.append((await send("POST", "/api/keys", new_key, Idempotency_Key="k1", **cookie)).text)
    graphql = await send("POST", "/graphql", {"query": CREATE}, **cookie)
    raw2 = graphql.json()["data"]["createApiKey"]["key"]
    bearer = {"Authorization": f"Bearer {raw}"}
    for method, path, body in [
        ("GET", "/api/keys", None),
        ("GET", "/api/auth/me", None),
        ("PUT", "/api/keys/999", {"name": "x"}),
        ("POST", "/api/auth/login", {"email": ACCOUNT["email"], "password": "wrong-horse-battery"}),
        ("POST", "/graphql", {"query": LOGIN}),
        ("POST", "/graphql", {"query": "{ apiKeys { id keyPrefix name } }"}),
    ]:
        later.append((await send(method, path, body, **bearer)).text)
    mistyped = {"Authorization": f"Bearer {raw[:-1]}"}
    later.append((await send("GET", "/api/auth/me", **mistyped)).text)
    later.append((await send("POST", "/api/auth/logout", **cookie)).text)
    return Flow(secrets=[PASSWORD, "wrong-horse-battery", token, bearer_token[5:], raw, raw[:-1], raw2], later=later)


async def test_no_secret_is_logged_even_at_level_debug(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, logger="tortoise"):
        flow = await _flow(http)
    text = "\n".join(f"{record.name} {record.getMessage()} {record.exc_text}" for record in caplog.records)
    assert "INSERT INTO" in text  # statements are logged at this level
    assert [secret for secret in flow.secrets if secret in text] == []


async def test_no_secret_is_stored(http: httpx.AsyncClient) -> None:
    flow = await _flow(http)
    rows = repr(await snapshot())
    assert ACCOUNT["email"] in rows
    assert [secret for secret in flow.secrets if secret in rows] == []


async def test_no_secret_is_returned_again(http: httpx.AsyncClient) -> None:
    flow = await _flow(http)
    assert [secret for secret in flow.secrets if secret in "\n".join(flow.later)] == []


async def test_a_crash_reveals_no_secret_in_log_or_answer(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def crash(*_: object, **__: object) -> None:
        raise RuntimeError("the hasher broke")

    monkeypatch.setattr(signup, "create_account", crash)
    with caplog.at_level(logging.DEBUG):
        answer = await http.post("/api/auth/register", json=ACCOUNT)
    assert answer.status_code == 500
    assert "the hasher broke" in caplog.text
    assert PASSWORD not in caplog.text
    assert "hasher" not in answer.text


async def test_the_representation_of_services_has_no_secret(app: Starlette) -> None:
    assert app.state.services.settings.database_url not in repr(app.state.services)
