"""Automatic persisted queries in Apollo's protocol: a hash alone, then with its document, then alone again."""

import asyncio
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
    """Clear the cache, so that no test finds the documents of another."""
    services: Services = app.state.services
    await services.cache.clear()


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def hash_extension(text: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": hash_of(text)}}


async def post(world: World, accept: str = "*/*", **parameters: Any) -> httpx.Response:
    return await world.http.post("/graphql", json=parameters, headers={"Accept": accept})


async def get(world: World, **parameters: Any) -> httpx.Response:
    encoded = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
    return await world.http.get("/graphql", params=encoded)


@pytest.mark.parametrize("send", [post, get])
async def test_document_is_sent_once_and_found_by_its_hash_afterwards(world: World, send: Callable[..., Any]) -> None:
    assert error_code(await send(world, extensions=hash_extension(QUERY))) == "PERSISTED_QUERY_NOT_FOUND"
    for parameters in ({"query": QUERY}, {}, {}):
        answer = await send(world, extensions=hash_extension(QUERY), **parameters)
        assert answer.json()["data"] == {"__typename": "Query"}


async def test_document_sent_by_post_is_found_by_get(world: World) -> None:
    await post(world, query=QUERY, extensions=hash_extension(QUERY))
    assert (await get(world, extensions=hash_extension(QUERY))).status_code == 200


async def test_variables_are_sent_with_the_hash(world: World) -> None:
    query = "query($n: String!) { __type(name: $n) { name } }"
    await post(world, query=query, variables={"n": "Event"}, extensions=hash_extension(query))
    answer = await get(world, variables={"n": "Ticket"}, extensions=hash_extension(query))
    assert answer.json()["data"] == {"__type": {"name": "Ticket"}}


@pytest.mark.parametrize(
    ("accept", "status"),
    [("*/*", 400), (GRAPHQL_JSON, 400), ("application/json", 200), ("multipart/mixed, application/json", 200)],
)
async def test_missing_document_has_the_error_that_clients_recognize(world: World, accept: str, status: int) -> None:
    """Some recognize it by the message, some by the code; those that do not read a 400 accept application/json."""
    answer = await post(world, accept, extensions=hash_extension(QUERY))
    assert answer.status_code == status
    assert answer.json() == {
        "errors": [
            {"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND", "status": 400}}
        ]
    }


async def test_document_with_the_wrong_hash_is_rejected_and_not_stored(world: World) -> None:
    answer = await post(world, query="{ me { id } }", extensions=hash_extension(QUERY))
    assert (answer.status_code, error_code(answer)) == (400, "PERSISTED_QUERY_MISMATCH")
    assert error_code(await post(world, extensions=hash_extension(QUERY))) == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize(
    "query", ["{", "{ nothing }", "{ me { %s } }" % ("id " * 501), "query A { __typename } query B { __typename }"]
)
async def test_invalid_document_is_not_stored(world: World, query: str) -> None:
    assert (await post(world, query=query, extensions=hash_extension(query))).status_code == 400
    assert error_code(await post(world, extensions=hash_extension(query))) == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize(
    "extension",
    [
        *("x", 1, [], {}, {"version": 1}, {"version": 2, "sha256Hash": "0" * 64}, {"sha256Hash": "0" * 64}),
        *({"version": 1, "sha256Hash": wrong} for wrong in (None, 5, "", "0" * 63, "0" * 65, "G" * 64, "A" * 64)),
    ],
    ids=str,
)
async def test_invalid_hash_is_rejected(world: World, extension: object) -> None:
    answer = await post(world, query=QUERY, extensions={"persistedQuery": extension})
    assert (answer.status_code, error_code(answer)) == (400, "BAD_REQUEST")


async def test_mutation_is_found_by_its_hash_but_not_by_get(world: World) -> None:
    caller = await world.session(await world.user())
    mutation = "mutation { logout { loggedOut } }"
    headers = caller.headers
    await world.http.post("/graphql", json={"query": mutation, "extensions": hash_extension(mutation)})
    before = await snapshot()
    parameters = {"extensions": json.dumps(hash_extension(mutation))}
    answer = await world.http.get("/graphql", params=parameters, headers=headers)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert await snapshot() == before
    done = await world.http.post("/graphql", json={"extensions": hash_extension(mutation)}, headers=headers)
    assert done.json()["data"] == {"logout": {"loggedOut": True}}


async def test_persisted_document_is_charged_its_cost(world: World, configure: Callable[..., None]) -> None:
    configure(rate_limit_user=10)
    caller = await world.user_key()
    query = "{ a: me { id } b: me { id } c: me { id } }"
    await world.http.post(
        "/graphql", json={"query": query, "extensions": hash_extension(query)}, headers=caller.headers
    )
    answer = await world.http.post("/graphql", json={"extensions": hash_extension(query)}, headers=caller.headers)
    assert answer.headers["X-RateLimit-Remaining"] == "4"
    unknown = await world.http.post("/graphql", json={"extensions": hash_extension("x")}, headers=caller.headers)
    assert unknown.headers["X-RateLimit-Remaining"] == "3"


def persisted_request(query: str) -> GraphQLRequest:
    return GraphQLRequest(query=query, variables=None, operation_name=None, persisted_hash=hash_of(query))


async def test_number_of_stored_documents_is_bounded() -> None:
    cache = SimpleMemoryCache()
    for number in range(3 * BUCKETS * PER_BUCKET):
        await store_persisted_query(persisted_request(f"{{ n{number}: __typename }}"), cache)
    kept = [await cache.get(key) for key in list(cache._cache)]
    assert len(kept) <= BUCKETS
    assert BUCKETS * PER_BUCKET * 0.9 < sum(map(len, kept)) <= BUCKETS * PER_BUCKET


async def test_full_bucket_keeps_the_newest_documents() -> None:
    cache = SimpleMemoryCache()
    texts = [
        text for text in (f"{{ n{n}: __typename }}" for n in range(5_000)) if int(hash_of(text), 16) % BUCKETS == 7
    ]
    for text in texts[: PER_BUCKET + 2]:
        await store_persisted_query(persisted_request(text), cache)
    assert list((await cache.get("documents:7")).values()) == texts[2 : PER_BUCKET + 2]


async def test_document_too_large_to_store_is_executed(world: World) -> None:
    query = "{ __typename }" + "#" * MAX_BYTES
    assert (await post(world, query=query, extensions=hash_extension(query))).status_code == 200
    assert error_code(await post(world, extensions=hash_extension(query))) == "PERSISTED_QUERY_NOT_FOUND"


async def test_stored_documents_expire(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persisted, "SECONDS", 1)
    await post(world, query=QUERY, extensions=hash_extension(QUERY))
    assert (await post(world, extensions=hash_extension(QUERY))).status_code == 200
    await asyncio.sleep(1.2)
    assert error_code(await post(world, extensions=hash_extension(QUERY))) == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.backend("postgres")
async def test_document_sent_to_one_process_is_found_by_another(world: World, app: Starlette) -> None:
    await post(world, query=QUERY, extensions=hash_extension(QUERY))
    services: Services = app.state.services
    other = shared_cache(services.settings)
    app.state.services = replace(services, cache=other)
    assert (await post(world, extensions=hash_extension(QUERY))).status_code == 200
    await other.close()


@pytest.mark.backend("sqlite")
async def test_documents_are_executed_but_not_found_while_redis_is_unavailable(world: World, app: Starlette) -> None:
    services: Services = app.state.services
    unavailable = shared_cache(services.settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}))
    app.state.services = replace(services, cache=unavailable)
    for _ in range(2):
        answer = await post(world, query=QUERY, extensions=hash_extension(QUERY))
        assert answer.json()["data"] == {"__typename": "Query"}
        assert error_code(await post(world, extensions=hash_extension(QUERY))) == "PERSISTED_QUERY_NOT_FOUND"
    await unavailable.close()
