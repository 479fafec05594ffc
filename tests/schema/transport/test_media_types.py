"""Which type an answer has, and which status: 400 for what cannot be executed, unless JSON is asked for by name."""

import httpx
import pytest

from tests.support.world import World

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
FAULTY = {"syntax": "{", "validation": "{ nothing }", "variables": "query($id: ID!) { __typename }"}


async def ask(world: World, query: str, accept: str | None) -> httpx.Response:
    headers = {} if accept is None else {"Accept": accept}
    request = world.http.build_request("POST", "/graphql", json={"query": query}, headers=headers)
    if accept is None:
        del request.headers["Accept"]
    return await world.http.send(request)


@pytest.mark.parametrize(("accept", "expected"), CHOSEN.items())
async def test_the_type_is_the_one_that_is_most_welcome(world: World, accept: str | None, expected: str) -> None:
    answer = await ask(world, "{ __typename }", accept)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, f"{expected}; charset=utf-8")


@pytest.mark.parametrize("accept", UNSERVED)
async def test_who_accepts_neither_type_is_refused_before_anything_is_done(world: World, accept: str) -> None:
    answer = await ask(world, "{ __typename }", accept)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, f"{JSON}; charset=utf-8")
    assert answer.json()["errors"][0]["extensions"]["code"] == "NOT_ACCEPTABLE"


@pytest.mark.parametrize("query", FAULTY.values(), ids=FAULTY)
@pytest.mark.parametrize("accept", [None, "*/*", "application/*", GRAPHQL, f"{GRAPHQL}, {JSON}"])
async def test_what_cannot_be_executed_is_400(world: World, query: str, accept: str | None) -> None:
    answer = await ask(world, query, accept)
    assert answer.status_code == 400
    assert "data" not in answer.json()


@pytest.mark.parametrize("query", FAULTY.values(), ids=FAULTY)
@pytest.mark.parametrize("accept", [JSON, f"{JSON}, text/plain, */*", f"{GRAPHQL};q=0.5, {JSON}"])
async def test_who_asks_for_json_by_name_reads_of_a_faulty_document_with_status_200(
    world: World, query: str, accept: str
) -> None:
    answer = await ask(world, query, accept)
    assert answer.status_code == 200
    assert "data" not in answer.json()
    assert answer.json()["errors"][0]["extensions"] == {"code": "GRAPHQL_INVALID", "status": 400}


REFUSED = [
    ({"content": b"{"}, 400, "MALFORMED_JSON"),
    ({"json": {"query": "{ " + "id " * 501 + "}"}}, 400, "DOCUMENT_TOO_LARGE"),
    ({"json": {"query": "{ __typename }"}, "headers": {"Authorization": "Bearer ae_u_wrong"}}, 401, "INVALID_API_KEY"),
]


@pytest.mark.parametrize(("sent", "status", "code"), REFUSED, ids=lambda part: part if isinstance(part, str) else "")
@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
async def test_whatever_else_is_refused_has_its_status_in_either_type(
    world: World, sent: dict[str, object], status: int, code: str, accept: str
) -> None:
    headers = {"Content-Type": JSON, "Accept": accept, **sent.get("headers", {})}  # type: ignore[dict-item] # headers
    answer = await world.http.post("/graphql", **{**sent, "headers": headers})  # type: ignore[arg-type] # as httpx has them
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, f"{accept}; charset=utf-8")
    assert answer.json()["errors"][0]["extensions"]["code"] == code
