"""Automatic persisted queries, as Apollo's clients send them: a hash alone, with its document, alone from then on."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from aiocache import SimpleMemoryCache
from starlette.applications import Starlette

from amarevents.infra.cache import shared_cache
from amarevents.schema.transport import persisted
from amarevents.schema.transport.operations import GraphQLRequest
from amarevents.schema.transport.persisted import BUCKETS, MAX_BYTES, PER_BUCKET, store_persisted_query
from amarevents.security.services import Services
from tests.support.graphql_answers import error_code
from tests.support.world import World, snapshot

# Any below: JSON.

QUERY = "{ __typename }"
GRAPHQL_JSON = "application/graphql-response+json"


@pytest.fixture(autouse=True)
async def empty_cache(app: Starlette) -> None:
    """Nothing is remembered of other tests."""
    services: Services = app.state.services
    await services.cache.clear()


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def named(text: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": hash_of(text)}}


async def post(world: World, accept: str = "*/*", **parameters: Any) -> httpx.Response:
    return await world.http.post("/graphql", json=parameters, headers={"Accept": accept})


async def get(world: World, **parameters: Any) -> httpx.Response:
    shown = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
    return await world.http.get("/graphql", params=shown)


@pytest.mark.parametrize("ask", [post, get])
async def test_a_document_is_sent_once_and_named_from_then_on(world: World, ask: Callable[..., Any]) -> None:
    assert error_code(await ask(world, extensions=named(QUERY))) == "PERSISTED_QUERY_NOT_FOUND"
    for parameters in ({"query": QUERY}, {}, {}):
        answer = await ask(world, extensions=named(QUERY), **parameters)
        assert answer.json()["data"] == {"__typename": "Query"}


async def test_what_was_sent_by_one_method_is_found_by_the_other(world: World) -> None:
    await post(world, query=QUERY, extensions=named(QUERY))
    assert (await get(world, extensions=named(QUERY))).status_code == 200


async def test_variables_go_with_the_hash(world: World) -> None:
    query = "query($n: String!) { __type(name: $n) { name } }"
    await post(world, query=query, variables={"n": "Event"}, extensions=named(query))
    answer = await get(world, variables={"n": "Ticket"}, extensions=named(query))
    assert answer.json()["data"] == {"__type": {"name": "Ticket"}}


@pytest.mark.parametrize(
    ("accept", "status"),
    [("*/*", 400), (GRAPHQL_JSON, 400), ("application/json", 200), ("multipart/mixed, application/json", 200)],
)
async def test_clients_recognize_what_was_not_found(world: World, accept: str, status: int) -> None:
    """By the message and by the code; those that read no answer of status 400 ask for plain JSON by name."""
    answer = await post(world, accept, extensions=named(QUERY))
    assert answer.status_code == status
    assert answer.json() == {
        "errors": [
            {"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND", "status": 400}}
        ]
    }


async def test_a_document_that_its_hash_does_not_fit_is_refused_and_not_kept(world: World) -> None:
    answer = await post(world, query="{ me { id } }", extensions=named(QUERY))
    assert (answer.status_code, error_code(answer)) == (400, "PERSISTED_QUERY_MISMATCH")
    assert error_code(await post(world, extensions=named(QUERY))) == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize(
    "query", ["{", "{ nothing }", "{ me { %s } }" % ("id " * 501), "query A { __typename } query B { __typename }"]
)
async def test_what_cannot_be_executed_is_not_kept(world: World, query: str) -> None:
    assert (await post(world, query=query, extensions=named(query))).status_code == 400
    assert error_code(await post(world, extensions=named(query))) == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize(
    "extension",
    [
        *("x", 1, [], {}, {"version": 1}, {"version": 2, "sha256Hash": "0" * 64}, {"sha256Hash": "0" * 64}),
        *({"version": 1, "sha256Hash": wrong} for wrong in (None, 5, "", "0" * 63, "0" * 65, "G" * 64, "A" * 64)),
    ],
    ids=str,
)
async def test_what_is_no_hash_is_refused(world: World, extension: object) -> None:
    answer = await post(world, query=QUERY, extensions={"persistedQuery": extension})
    assert (answer.status_code, error_code(answer)) == (400, "BAD_REQUEST")


async def test_a_mutation_is_named_like_a_query_but_not_by_get(world: World) -> None:
    caller = await world.session(await world.user())
    mutation = "mutation { logout { loggedOut } }"
    headers = caller.headers
    await world.http.post("/graphql", json={"query": mutation, "extensions": named(mutation)})
    before = await snapshot()
    parameters = {"extensions": json.dumps(named(mutation))}
    answer = await world.http.get("/graphql", params=parameters, headers=headers)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert await snapshot() == before
    done = await world.http.post("/graphql", json={"extensions": named(mutation)}, headers=headers)
    assert done.json()["data"] == {"logout": {"loggedOut": True}}


async def test_a_named_document_costs_what_it_asks_for(world: World, configure: Callable[..., None]) -> None:
    configure(rate_limit_user=10)
    caller = await world.user_key()
    query = "{ a: me { id } b: me { id } c: me { id } }"
    await world.http.post("/graphql", json={"query": query, "extensions": named(query)}, headers=caller.headers)
    answer = await world.http.post("/graphql", json={"extensions": named(query)}, headers=caller.headers)
    assert answer.headers["X-RateLimit-Remaining"] == "4"
    lost = await world.http.post("/graphql", json={"extensions": named("x")}, headers=caller.headers)
    assert lost.headers["X-RateLimit-Remaining"] == "3"


def asked(query: str) -> GraphQLRequest:
    return GraphQLRequest(query=query, variables=None, operation_name=None, persisted_hash=hash_of(query))


async def test_however_many_are_sent_a_bounded_number_is_kept() -> None:
    cache = SimpleMemoryCache()
    for number in range(3 * BUCKETS * PER_BUCKET):
        await store_persisted_query(asked(f"{{ n{number}: __typename }}"), cache)
    kept = [await cache.get(key) for key in list(cache._cache)]
    assert len(kept) <= BUCKETS
    assert BUCKETS * PER_BUCKET * 0.9 < sum(map(len, kept)) <= BUCKETS * PER_BUCKET


async def test_in_a_full_bucket_the_newest_stay() -> None:
    cache = SimpleMemoryCache()
    several = [
        text for text in (f"{{ n{n}: __typename }}" for n in range(5_000)) if int(hash_of(text), 16) % BUCKETS == 7
    ]
    for text in several[: PER_BUCKET + 2]:
        await store_persisted_query(asked(text), cache)
    assert list((await cache.get("documents:7")).values()) == several[2 : PER_BUCKET + 2]


async def test_a_document_too_large_to_be_kept_is_executed(world: World) -> None:
    query = "{ __typename }" + "#" * MAX_BYTES
    assert (await post(world, query=query, extensions=named(query))).status_code == 200
    assert error_code(await post(world, extensions=named(query))) == "PERSISTED_QUERY_NOT_FOUND"


async def test_what_is_kept_is_forgotten_in_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    monkeypatch.setattr(persisted, "SECONDS", 1)
    await post(world, query=QUERY, extensions=named(QUERY))
    assert (await post(world, extensions=named(QUERY))).status_code == 200
    await asyncio.sleep(1.2)
    assert error_code(await post(world, extensions=named(QUERY))) == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.backend("postgres")
async def test_every_process_finds_what_one_was_sent(world: World, app: Starlette) -> None:
    await post(world, query=QUERY, extensions=named(QUERY))
    services: Services = app.state.services
    other = shared_cache(services.settings)
    app.state.services = replace(services, cache=other)
    assert (await post(world, extensions=named(QUERY))).status_code == 200
    await other.close()


@pytest.mark.backend("sqlite")
async def test_while_redis_is_away_nothing_is_found_and_everything_works(world: World, app: Starlette) -> None:
    services: Services = app.state.services
    away = shared_cache(services.settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}))
    app.state.services = replace(services, cache=away)
    for _ in range(2):
        answer = await post(world, query=QUERY, extensions=named(QUERY))
        assert answer.json()["data"] == {"__typename": "Query"}
        assert error_code(await post(world, extensions=named(QUERY))) == "PERSISTED_QUERY_NOT_FOUND"
    await away.close()
