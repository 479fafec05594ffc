"""Media types of responses, and the status of invalid documents: 400 unless the caller names application/json."""

import httpx
import pytest

from tests.support.world import World

# Little of this depends on the database: PostgreSQL is tested by the deep run.
pytestmark = pytest.mark.deep("postgres")

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"

CHOSEN = {
    None: JSON,
    "": JSON,
    "*/*": JSON,
    "application/*": JSON,
    "image/avif,*/*;q=0.8": JSON,
    JSON: JSON,
    GRAPHQL: GRAPHQL,
    "Application/GraphQL-Response+JSON": GRAPHQL,
    f"{GRAPHQL}; charset=utf-8": GRAPHQL,
    f'{GRAPHQL};charset="UTF-8"': GRAPHQL,
    f"{GRAPHQL}, {JSON}": GRAPHQL,
    f"{JSON}, {GRAPHQL}": GRAPHQL,
    f"{GRAPHQL}, {JSON};q=0.9": GRAPHQL,
    f"{GRAPHQL};q=0.9, {JSON}": JSON,
    f"{GRAPHQL};q=0, */*": JSON,
    f"{JSON};q=0, */*": GRAPHQL,
    f"{GRAPHQL};q=0.5, */*;q=0.4": GRAPHQL,
    f"{GRAPHQL};q=0.4, */*;q=0.5": JSON,
    f"{JSON};q=0.1, application/*;q=0.9": GRAPHQL,
    f"{GRAPHQL}; charset=utf-16, {JSON}": JSON,
    f"{GRAPHQL};q=nonsense, {JSON}": JSON,
    f"{GRAPHQL};q=2, {JSON};q=0.1": JSON,
    f"multipart/mixed;deferSpec=20220824, {JSON}": JSON,
    f", ,{GRAPHQL},": GRAPHQL,
}
UNSERVED = ["text/html", "image/*", "application/graphql+json", f"{JSON};q=0", "*/*;q=0", f"{JSON};charset=latin1", "x"]
INVALID = {"syntax": "{", "validation": "{ nothing }", "variables": "query($id: ID!) { __typename }"}


async def post(world: World, query: str, accept: str | None) -> httpx.Response:
    headers = {} if accept is None else {"Accept": accept}
    request = world.http.build_request("POST", "/graphql", json={"query": query}, headers=headers)
    if accept is None:
        del request.headers["Accept"]
    return await world.http.send(request)


@pytest.mark.parametrize(("accept", "expected"), CHOSEN.items())
async def test_response_has_the_preferred_media_type(world: World, accept: str | None, expected: str) -> None:
    answer = await post(world, "{ __typename }", accept)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, f"{expected}; charset=utf-8")


@pytest.mark.parametrize("accept", UNSERVED)
async def test_caller_that_accepts_neither_media_type_is_rejected(world: World, accept: str) -> None:
    answer = await post(world, "{ __typename }", accept)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, f"{JSON}; charset=utf-8")
    assert answer.json()["errors"][0]["extensions"]["code"] == "NOT_ACCEPTABLE"


@pytest.mark.parametrize("query", INVALID.values(), ids=INVALID)
@pytest.mark.parametrize("accept", [None, "*/*", "application/*", GRAPHQL, f"{GRAPHQL}, {JSON}"])
async def test_invalid_document_is_400(world: World, query: str, accept: str | None) -> None:
    answer = await post(world, query, accept)
    assert answer.status_code == 400
    assert "data" not in answer.json()


@pytest.mark.parametrize("query", INVALID.values(), ids=INVALID)
@pytest.mark.parametrize("accept", [JSON, f"{JSON}, text/plain, */*", f"{GRAPHQL};q=0.5, {JSON}"])
async def test_invalid_document_is_200_for_callers_that_name_json(world: World, query: str, accept: str) -> None:
    answer = await post(world, query, accept)
    assert answer.status_code == 200
    assert "data" not in answer.json()
    assert answer.json()["errors"][0]["extensions"] == {"code": "GRAPHQL_INVALID", "status": 400}


REJECTED = [
    ({"content": b"{"}, 400, "MALFORMED_JSON"),
    ({"json": {"query": "{ " + "id " * 501 + "}"}}, 400, "DOCUMENT_TOO_LARGE"),
    ({"json": {"query": "{ __typename }"}, "headers": {"Authorization": "Bearer ae_u_wrong"}}, 401, "INVALID_API_KEY"),
]


@pytest.mark.parametrize(
    ("options", "status", "code"), REJECTED, ids=lambda part: part if isinstance(part, str) else ""
)
@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
async def test_other_errors_have_their_own_status_in_both_media_types(
    world: World, options: dict[str, object], status: int, code: str, accept: str
) -> None:
    headers = {"Content-Type": JSON, "Accept": accept, **options.get("headers", {})}  # type: ignore[dict-item] # headers
    answer = await world.http.post("/graphql", **{**options, "headers": headers})  # type: ignore[arg-type] # httpx's options
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, f"{accept}; charset=utf-8")
    assert answer.json()["errors"][0]["extensions"]["code"] == code
