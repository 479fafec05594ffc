"""Batches: arrays of operations over HTTP, charged as a whole and bounded like one request (decisions 3.5)."""

import hashlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from amarevents.models import ApiKey, Session
from amarevents.schema.core import timeouts
from amarevents.schema.execution import executor
from tests.support.world import Caller, World, hash_password, snapshot

# Little of this depends on the database: PostgreSQL is tested by the deep run.
pytestmark = pytest.mark.deep("postgres")

Configure = Callable[..., None]
ME = {"query": "{ me { username } }"}
PASSWORD = "correct horse"

# Any: JSON.


async def send(caller: Caller, *operations: Any, **headers: str) -> httpx.Response:
    return await caller.http.post("/graphql", json=list(operations), headers={**caller.headers, **headers})


def create_key(name: str) -> dict[str, Any]:
    return {
        "query": "mutation ($name: String!) { createApiKey(input: {name: $name, keyType: USER}) { name } }",
        "variables": {"name": name},
    }


def codes(answer: Any) -> list[str]:
    return [error["extensions"]["code"] for error in answer.get("errors", [])]


async def test_operations_are_executed_in_order_and_answered_in_an_array(world: World) -> None:
    caller = await world.user_key()
    names = [create_key(f"k{number}") for number in range(3)]
    answer = await send(caller, *names, {"query": "{ apiKeys { name } }"})
    assert answer.status_code == 200
    *created, listed = answer.json()
    assert [one["data"]["createApiKey"]["name"] for one in created] == ["k0", "k1", "k2"]
    assert [key["name"] for key in listed["data"]["apiKeys"]][:3] == ["k2", "k1", "k0"]


async def test_a_batch_of_one_is_answered_by_an_array(world: World) -> None:
    [answer] = (await send(await world.user_key(username="rokeya"), ME)).json()
    assert answer["data"] == {"me": {"username": "rokeya"}}


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/graphql-response+json"])
async def test_the_media_type_is_that_of_single_operations(world: World, accept: str) -> None:
    answer = await send(await world.user_key(), ME, Accept=accept)
    expected = accept if accept.startswith("application") else "application/json"
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, f"{expected}; charset=utf-8")


async def test_each_operation_is_charged(world: World, configure: Configure) -> None:
    configure(rate_limit_user=20)
    caller = await world.user_key()
    two = {"query": "{ a: me { id } b: me { id } }"}
    answer = await send(caller, ME, two, {"query": "{ broken"}, {"query": None})
    assert answer.headers["X-RateLimit-Remaining"] == "15"
    assert [codes(one) for one in answer.json()] == [[], [], ["GRAPHQL_INVALID"], ["BAD_REQUEST"]]


async def test_a_batch_that_does_not_fit_is_429_and_nothing_is_executed(world: World, configure: Configure) -> None:
    configure(rate_limit_user=3)
    caller = await world.user_key()
    await caller.get("/auth/me")
    before = await snapshot()
    answer = await send(caller, *[create_key(f"k{number}") for number in range(3)])
    assert (answer.status_code, answer.headers["X-RateLimit-Remaining"]) == (429, "2")
    assert codes(answer.json()) == ["RATE_LIMITED"]
    assert int(answer.headers["Retry-After"]) >= 1
    assert await snapshot() == before
    assert (await send(caller, create_key("k"), ME)).status_code == 200


async def test_anonymous_batches_share_the_limit_of_their_address(world: World, configure: Configure) -> None:
    configure(rate_limit_anonymous=3)
    events = {"query": "{ events { items { id } } }"}
    answers = [await send(world.anonymous, events, events) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]


@pytest.mark.parametrize("batch", [[], [ME] * 11, [[ME]], [ME, 1], [ME, None], [{"query": 1}]])
async def test_malformed_batches_are_400_and_cost_one_unit(
    world: World, configure: Configure, batch: list[Any]
) -> None:
    configure(rate_limit_user=20)
    answer = await send(await world.user_key(), *batch)
    assert (answer.status_code, answer.headers["X-RateLimit-Remaining"]) == (400, "19")
    assert codes(answer.json()) == ["BAD_REQUEST"]


async def test_ten_operations_are_accepted(world: World) -> None:
    answer = await send(await world.user_key(), *[ME] * 10)
    assert len(answer.json()) == 10


async def test_a_batch_cannot_be_streamed(world: World) -> None:
    answer = await send(await world.user_key(), ME, Accept="text/event-stream")
    assert (answer.status_code, codes(answer.json())) == (400, ["BAD_REQUEST"])


async def test_a_subscription_in_a_batch_is_refused_alone(world: World) -> None:
    subscription = {"query": "subscription { eventStats(eventId: 1) { total } }"}
    answer = await send(await world.user_key(), subscription, ME)
    assert [codes(one) for one in answer.json()] == [["BAD_REQUEST"], []]


async def test_a_failing_operation_does_not_stop_the_others(world: World) -> None:
    answer = await send(await world.user_key(), {"query": "{ ticket(id: 1) { id } }"}, {"query": "{ nothing }"}, ME)
    assert [codes(one) for one in answer.json()] == [["NOT_FOUND"], ["GRAPHQL_INVALID"], []]


# The limits of one request --------------------------------------------------------------------------------------

MANY_ROOTS = {"query": "{ " + " ".join(f"a{number}: me {{ id }}" for number in range(11)) + " }"}
MANY_ALIASES = {"query": "{ me { " + " ".join(f"a{number}: id" for number in range(16)) + " } }"}
MANY_VALUES = {"query": "{ me { id(x: [" + "0 " * 299 + "]) } }"}
EXPENSIVE = {"query": "{ events(limit: 100) { items { description notice organization { name } } } }"}
MANY_TOKENS = {"query": "query (" + " ".join(f"$v{number}: Int" for number in range(600)) + ") { me { id } }"}


@pytest.mark.parametrize(
    "operation",
    [MANY_ROOTS, MANY_ALIASES, MANY_VALUES, MANY_TOKENS, EXPENSIVE],
    ids=["root fields", "aliases", "values", "tokens", "cost"],
)
async def test_a_batch_does_not_multiply_the_limits_of_a_document(world: World, operation: dict[str, Any]) -> None:
    caller = await world.organizer_key()
    alone, together = await send(caller, operation), await send(caller, create_key("k"), operation, operation)
    assert "DOCUMENT_TOO_LARGE" not in codes(alone.json()[0])
    assert (together.status_code, codes(together.json())) == (400, ["DOCUMENT_TOO_LARGE"])
    assert not await ApiKey.filter(name="k").exists()


async def test_a_batch_that_is_too_large_is_charged(world: World, configure: Configure) -> None:
    configure(rate_limit_user=20)
    caller = await world.user_key()
    assert (await send(caller, MANY_ALIASES, MANY_ALIASES)).headers["X-RateLimit-Remaining"] == "18"


async def test_operations_share_the_maximum_size_of_a_response(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    event = await world.event(await world.organizer())
    for _ in range(6):
        await world.ticket_type(event)
    monkeypatch.setattr(executor, "MAX_OBJECTS", 20)
    query = {"query": "query ($id: ID!) { ticketTypes(eventId: $id) { id } }", "variables": {"id": event.id}}
    first, *others = (await send(world.anonymous, *[query] * 4)).json()
    assert codes(first) == []
    assert "ANSWER_TOO_LARGE" in codes(others[-1])


async def test_operations_share_one_time_limit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []
    original = timeouts.Deadline.__init__

    def recorded(self: timeouts.Deadline, seconds: float | None = None, *, mutates: bool = False) -> None:
        given.extend([] if seconds is None else [seconds])
        original(self, seconds, mutates=mutates)

    monkeypatch.setattr(timeouts.Deadline, "__init__", recorded)
    await send(await world.user_key(), ME, ME, ME)
    assert given == sorted(given, reverse=True)
    assert len(set(given)) == 3


# Callers --------------------------------------------------------------------------------------------------------


async def test_a_login_signs_the_following_operations_in(world: World) -> None:
    await world.user(username="rokeya", email="rokeya@example.com", password_hash=hash_password(PASSWORD))
    login = {"query": f'mutation {{ login(input: {{email: "rokeya@example.com", password: "{PASSWORD}"}}) {{ id }} }}'}
    logout = {"query": "mutation { logout { loggedOut } }"}
    answer = await send(world.anonymous, ME, login, ME, logout, ME)
    assert [codes(one) for one in answer.json()] == [["UNAUTHENTICATED"], [], [], [], ["UNAUTHENTICATED"]]
    assert not await Session.exists()


async def test_a_key_that_revokes_itself_cannot_go_on(world: World) -> None:
    caller = await world.user_key()
    key = await ApiKey.get()
    revoke = {"query": "mutation ($id: ID!) { revokeApiKey(id: $id) { id } }", "variables": {"id": key.id}}
    answer = await send(caller, revoke, ME, ME)
    assert [codes(one) for one in answer.json()] == [[], ["API_KEY_REVOKED"], ["API_KEY_REVOKED"]]


async def test_a_batch_of_a_session_must_not_come_from_a_foreign_site(world: World) -> None:
    answer = await send(await world.session(await world.user()), ME, Origin="https://evil.example")
    assert (answer.status_code, codes(answer.json())) == (403, ["CROSS_SITE_REQUEST"])


async def test_persisted_documents_are_found_and_stored_one_by_one(world: World) -> None:
    caller = await world.user_key()
    digest = hashlib.sha256(ME["query"].encode()).hexdigest()
    by_hash = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest}}}
    answer = await send(caller, by_hash, {**by_hash, **ME}, ME)
    assert [codes(one) for one in answer.json()] == [["PERSISTED_QUERY_NOT_FOUND"], [], []]
    assert [codes(one) for one in (await send(caller, by_hash)).json()] == [[]]
