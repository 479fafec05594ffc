"""Public answers in the caches of clients and in between: validators, lifetime, variants."""

from collections.abc import Callable

import httpx
import pytest
from starlette.applications import Starlette

from amarevents.security.compression import MIN_BYTES
from tests.rest.conftest import Stage
from tests.support.kept_answers import keep_answers
from tests.support.rest_answers import data_of
from tests.support.world import World

Configure = Callable[..., None]

QUERY = "{ events { items { id name } } }"
GZIP = {"Accept-Encoding": "gzip"}


@pytest.fixture(autouse=True)
def _kept_answers(app: Starlette) -> None:
    """Make the application keep answers for a minute."""
    keep_answers(app)


async def read(world: World, path: str = "/api/events", **headers: str) -> httpx.Response:
    return await world.http.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})


async def query(world: World) -> httpx.Response:
    return await world.http.post("/graphql", json={"query": QUERY})


@pytest.mark.parametrize("path", ["/api/events", f"/graphql?query={QUERY}"])
async def test_public_reads_can_be_cached_for_a_second(world: World, stage: Stage, path: str) -> None:
    for _ in range(2):
        response = await read(world, path)
        vary = {name.lower() for name in response.headers["Vary"].split(", ")}
        assert response.headers["Cache-Control"] == "public, max-age=1"
        assert vary >= {"accept-encoding", "authorization", "cookie", "x-api-key"}
        assert ("accept" in vary) is path.startswith("/graphql")
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_query_by_post_cannot_be_cached_in_between(world: World, stage: Stage) -> None:
    for _ in range(2):
        response = await query(world)
        assert response.headers["Cache-Control"] == "no-store"
        assert "ETag" not in response.headers


@pytest.mark.parametrize("path", ["/api/events", f"/graphql?query={QUERY}"])
async def test_a_client_with_the_current_answer_gets_304(world: World, stage: Stage, path: str) -> None:
    first = await read(world, path)
    tag = first.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        response = await read(world, path, If_None_Match=known)
        assert (response.status_code, response.content) == (304, b"")
        for name in ("ETag", "Cache-Control", "Vary", "Access-Control-Allow-Origin"):
            assert response.headers[name] == first.headers[name]
    assert (await read(world, path, If_None_Match='"other"')).status_code == 200


async def test_a_change_changes_the_tag(world: World, stage: Stage) -> None:
    tag = (await read(world)).headers["ETag"]
    data_of(await stage.organizer.put(f"/events/{stage.event.id}", {"name": "Renamed"}))
    response = await read(world, If_None_Match=tag)
    assert response.status_code == 200
    assert "Renamed" in response.text


@pytest.mark.parametrize("path", ["/api/events", f"/graphql?query={QUERY}"])
async def test_compressed_answers_have_a_tag_of_their_own(world: World, stage: Stage, path: str) -> None:
    await world.event(stage.organization, name="Long", description="x" * 2 * MIN_BYTES)
    for number in range(20):
        await world.event(stage.organization, name=f"{number} {'long' * 40}")
    plain = await read(world, path, Accept_Encoding="identity")
    for _ in range(2):
        compressed = await read(world, path, **GZIP)
        assert compressed.headers["Content-Encoding"] == "gzip"
        assert compressed.json() == plain.json()
        assert int(compressed.headers["Content-Length"]) < len(plain.content)
    assert "Content-Encoding" not in plain.headers
    assert compressed.headers["ETag"] != plain.headers["ETag"]
    assert (await read(world, path, If_None_Match=compressed.headers["ETag"], **GZIP)).status_code == 304


async def test_head_has_the_headers_of_get(world: World, stage: Stage) -> None:
    for _ in range(2):
        asked, got = await world.http.head("/api/events"), await read(world)
        for name in ("ETag", "Content-Length", "Content-Type", "Cache-Control", "Vary"):
            assert asked.headers[name] == got.headers[name]


async def test_kept_answers_can_be_read_by_pages_of_their_own_origins(
    world: World, stage: Stage, configure: Configure
) -> None:
    configure(allowed_origins=frozenset({"https://app.example"}))
    seen = [
        (await read(world, Origin=origin)).headers
        for origin in ("https://app.example", "https://anywhere.example", "https://app.example")
    ]
    assert [headers["Access-Control-Allow-Origin"] for headers in seen] == [
        "https://app.example",
        "*",
        "https://app.example",
    ]
    assert all("Origin" in headers["Vary"].split(", ") for headers in seen)


async def test_nothing_is_cached_while_the_cache_is_off(world: World, app: Starlette, stage: Stage) -> None:
    off = keep_answers(app, seconds=0)
    for send in (read, query):
        response = await send(world)
        assert response.headers["Cache-Control"] == "no-store"
        assert "ETag" not in response.headers
    assert not off._kept
