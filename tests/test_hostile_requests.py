"""Malicious and malformed requests, refused with 400 without storing anything (decisions 1.3, 1.9)."""

import json
from typing import Any

import httpx
import pytest

from amarevents.models import Event
from tests.support.world import Caller, World, snapshot

# Little of this depends on the database: PostgreSQL is tested by the deep run.
pytestmark = pytest.mark.deep("postgres")

JSON = {"Content-Type": "application/json"}
BODIES: list[tuple[str, str, dict[str, Any]]] = [
    (
        "POST",
        "/auth/register",
        {"username": "abc", "email": "a@example.com", "password": "secret1", "number": "01700000000"},
    ),
    ("POST", "/auth/login", {"email": "a@example.com", "password": "secret1"}),
    ("POST", "/keys", {"name": "k", "key_type": "user", "permissions": ["events:read"], "expires_at": "2999-01-01"}),
    (
        "POST",
        "/events",
        {
            "name": "e",
            "organization_id": 0,
            "date": "2999-01-02",
            "deadline": "2999-01-01",
            "location": "Dhaka",
            "category": "Other",
            "description": "d",
            "banner": "https://a.example/b",
            "logo": "https://a.example/l",
            "privacy": "public",
            "ticket_types": [{"name": "t", "price": 1, "capacity": 1, "description": "d"}],
        },
    ),
    ("POST", "/organizations", {"name": "o", "user_id": 0, "description": "d", "eventcount": 1}),
    (
        "POST",
        "/tickets",
        {
            "event_id": 0,
            "name": "n",
            "email": "a@example.com",
            "number": "01700000000",
            "note": "n",
            "transaction_id": "TX123456",
            "payment_method": "bkash",
            "amount": 1,
            "custom_fields": {"Diet": "x"},
        },
    ),
    ("PUT", "/tickets/{ticket}", {"status": "Pending", "transid": "TX123456", "name": "n", "note": "n"}),
    ("POST", "/ticket-types", {"event_id": 0, "name": "t", "price": 1, "capacity": 1, "description": "d"}),
]
BAD_CHARACTERS = ["\x00", "a\x00b", "\x1b[31m", "\x7f", "a\x85b"]
BAD_NUMBERS = ["-1", "1.5", "true", '"a"', "NaN", "Infinity", "1e400", "1e99", str(2**31), str(2**63), "9" * 400, "[]"]


@pytest.fixture
async def event(world: World) -> Event:
    event = await world.event(await world.organizer())
    await world.custom_field(event, "Diet")
    return event


@pytest.fixture
async def admin(world: World) -> Caller:
    return await world.admin_key()


async def _filled(world: World, event: Event, path: str, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the path and body with IDs of existing rows, so that only one field is invalid."""
    ids = {"organization_id": event.organization_id, "event_id": event.id, "user_id": event.organization.user_id}
    if "{ticket}" in path:
        path = path.format(ticket=(await world.ticket(event, await world.user())).id)
    return path, {name: ids.get(name, value) for name, value in body.items()}


def _with_bad_text(value: Any, bad: str) -> list[Any]:
    """Return copies of the value with ``bad`` in one of its texts or object keys each."""
    if isinstance(value, str):
        return [value + bad]
    if isinstance(value, list):
        return [[changed, *value[1:]] for changed in _with_bad_text(value[0], bad)]
    if isinstance(value, dict):
        inside = [{**value, name: changed} for name, one in value.items() for changed in _with_bad_text(one, bad)]
        return [*inside, {**value, f"x{bad}": "y"}]
    return []


@pytest.mark.parametrize("bad", BAD_CHARACTERS, ids=ascii)
@pytest.mark.parametrize(("method", "path", "body"), BODIES, ids=lambda part: part if isinstance(part, str) else "")
async def test_control_characters_are_refused_in_every_text(
    world: World, admin: Caller, event: Event, method: str, path: str, body: dict[str, Any], bad: str
) -> None:
    path, valid = await _filled(world, event, path, body)
    before = await snapshot()
    for changed in _with_bad_text(valid, bad):
        response = await admin.http.request(method, f"/api{path}", json=changed, headers=admin.headers)
        assert (response.status_code, response.json()["code"]) == (400, "VALIDATION_ERROR"), changed
    assert await snapshot() == before


@pytest.mark.parametrize(("method", "path", "body"), BODIES, ids=lambda part: part if isinstance(part, str) else "")
async def test_lone_surrogates_are_refused_in_every_text(
    world: World, admin: Caller, event: Event, method: str, path: str, body: dict[str, Any]
) -> None:
    path, valid = await _filled(world, event, path, body)
    before = await snapshot()
    for changed in _with_bad_text(valid, "\ud800"):
        content = json.dumps(changed).encode()  # as the escape \ud800
        response = await admin.http.request(method, f"/api{path}", content=content, headers={**admin.headers, **JSON})
        assert response.status_code == 400, changed
    assert await snapshot() == before


@pytest.mark.parametrize("number", BAD_NUMBERS, ids=lambda number: number[:12])
@pytest.mark.parametrize(("method", "path", "body"), BODIES, ids=lambda part: part if isinstance(part, str) else "")
async def test_invalid_integers_are_refused_in_every_field(
    world: World, admin: Caller, event: Event, method: str, path: str, body: dict[str, Any], number: str
) -> None:
    path, valid = await _filled(world, event, path, body)
    before = await snapshot()
    integers = [name for name, value in valid.items() if isinstance(value, int) and name not in {"amount", "price"}]
    for name in integers:
        content = json.dumps({**valid, name: "HERE"}).replace('"HERE"', number).encode()
        response = await admin.http.request(method, f"/api{path}", content=content, headers={**admin.headers, **JSON})
        assert response.status_code == 400, name
    assert await snapshot() == before


BROKEN = {
    "empty text": b" ",
    "cut off": b'{"a": 1',
    "trailing comma": b'{"a": 1,}',
    "single quotes": b"{'a': 1}",
    "invalid UTF-8": b'{"username": "\xff\xfe"}',
    "UTF-16": '{"username": "x"}'.encode("utf-16"),
    "surrogate bytes": b'{"username": "\xed\xa0\x80"}',
    "NaN": b'{"username": NaN}',
    "Infinity": b'{"username": -Infinity}',
    "arrays in arrays": b"[" * 30_000 + b"]" * 30_000,
    "objects in objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "unfinished nesting": b"[" * 60_000,
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("path", ["/api/auth/register", "/api/tickets", "/graphql"])
async def test_malformed_json_is_400(admin: Caller, path: str, content: bytes) -> None:
    response = await admin.http.post(path, content=content, headers={**admin.headers, **JSON})
    body = response.json()
    shown = body if path != "/graphql" else body["errors"][0]["extensions"]
    assert (response.status_code, shown["code"]) == (400, "MALFORMED_JSON")


@pytest.mark.parametrize("content", [b"[]", b"null", b"1", b'"text"', b"true"])
async def test_json_that_is_not_an_object_is_400(admin: Caller, content: bytes) -> None:
    rest = await admin.http.post("/api/tickets", content=content, headers={**admin.headers, **JSON})
    assert (rest.status_code, rest.json()["code"]) == (400, "VALIDATION_ERROR")
    graphql = await admin.http.post("/graphql", content=content, headers={**admin.headers, **JSON})
    assert graphql.status_code == 400


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", None])
async def test_body_with_another_content_type_is_400(admin: Caller, content_type: str | None) -> None:
    headers = {**admin.headers, **({"Content-Type": content_type} if content_type else {})}
    for path in ("/api/tickets", "/graphql"):
        response = await admin.http.post(path, content=b"{}", headers=headers)
        assert response.status_code == 400
        assert "UNSUPPORTED_MEDIA_TYPE" in response.text


@pytest.mark.parametrize("depth", [10, 300, 900])
@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "once"}])
async def test_deeply_nested_answers_are_refused(
    admin: Caller, event: Event, depth: int, headers: dict[str, str]
) -> None:
    nested = "[" * depth + "]" * depth
    rest = f'{{"event_id": {event.id}, "custom_fields": {{"Diet": {nested}}}}}'
    response = await admin.http.post("/api/tickets", content=rest, headers={**admin.headers, **JSON, **headers})
    assert response.status_code == 400
    query = "mutation ($input: RegisterForEventInput!) { registerForEvent(input: $input) { id } }"
    graphql = json.dumps({"query": query, "variables": {"input": {"eventId": event.id, "customFields": {"Diet": 0}}}})
    graphql = graphql.replace('"Diet": 0', f'"Diet": {nested}')
    response = await admin.http.post("/graphql", content=graphql, headers={**admin.headers, **JSON})
    assert {error["extensions"]["status"] for error in response.json()["errors"]} == {400}


@pytest.mark.parametrize("text", ["%00", "%1b", "a%00b", "%7f"])
async def test_control_characters_in_a_query_are_400(http: httpx.AsyncClient, text: str) -> None:
    for path in ("/api/events", "/api/organizations"):
        response = await http.get(f"{path}?search={text}")
        assert (response.status_code, list(response.json()["fields"])) == (400, ["search"])


@pytest.mark.parametrize("text", ["%ff", "%ed%a0%80", "%", "%zz", "'%20OR%201=1--", "%25", "_", "%5C"])
async def test_unusual_searches_find_nothing(world: World, text: str) -> None:
    await world.event(await world.organizer(), name="Concert")
    response = await world.http.get(f"/api/events?search={text}")
    assert (response.status_code, response.json()["data"]) == (200, [])


@pytest.mark.parametrize(
    "text", ["0", "-1", "1.0", "x", "%00", "%D9%A1", str(2**31), str(2**63), "9" * 400, "01", "1%20%201", "+1"]
)
async def test_invalid_id_in_a_path_is_404(admin: Caller, event: Event, text: str) -> None:
    for path in (f"/api/events/{text}", f"/api/organizations/{text}", f"/api/tickets/{text}"):
        assert (await admin.http.get(path, headers=admin.headers)).status_code == 404
    assert (await admin.delete(f"/keys/{text}")).status_code == 404


@pytest.mark.parametrize("text", ["0", "-1", "%00", "x" * 300, str(2**31), "9" * 400, "%ff", "AEUNKNOWN"])
async def test_unknown_code_is_not_verified(admin: Caller, event: Event, text: str) -> None:
    assert (await admin.post(f"/tickets/{text}/verify")).status_code in {400, 404}


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5", "-1e9", "%00", "½", "9" * 4_000])
async def test_invalid_page_and_limit_are_400(http: httpx.AsyncClient, number: str) -> None:
    for name in ("page", "limit"):
        response = await http.get("/api/events", params={name: number})
        assert (response.status_code, list(response.json()["fields"])) == (400, [name])


@pytest.mark.parametrize("page", [str(2**31), str(2**63), "9" * 30, "1e90"])
async def test_page_beyond_every_list_is_400(http: httpx.AsyncClient, page: str) -> None:
    assert list((await http.get("/api/events", params={"page": page})).json()["fields"]) == ["page"]


@pytest.mark.parametrize("limit", ["101", str(2**31), str(2**63), "9" * 30, "1e90"])
async def test_limit_above_the_maximum_is_taken_as_the_maximum(http: httpx.AsyncClient, limit: str) -> None:
    response = await http.get("/api/events", params={"limit": limit})
    assert response.json()["pagination"]["limit"] == 100


def _new_type(values: str) -> str:
    return f'mutation {{ createTicketType(input: {{eventId: 1, name: "x", {values}}}) {{ id }} }}'


HOSTILE_DOCUMENTS = {
    "endless integer": _new_type(f"capacity: {'9' * 5000}"),
    "endless decimal": _new_type(f"price: {'9' * 5000}"),
    "huge decimal": _new_type('price: "1e999999"'),
    "infinite decimal": _new_type("price: 1e999999"),
    "no number": _new_type('price: "sNaN"'),
    "endless id": "{ event(id: %s) { id } }" % ("9" * 5000),
    "surrogate": '{ events(search: "\\uD800") { items { id } } }',
    "NUL": '{ events(search: "\\u0000") { items { id } } }',
    "deep fields": "{ %s }" % ("a { " * 900 + "a" + " }" * 900),
    "deep lists": "{ events(search: %s) { items { id } } }" % ("[" * 1800 + "]" * 1800),
    "deep types": "query ($a: %s) { me { id } }" % ("[" * 1800 + "Int" + "]" * 1800),
    "fragments in a circle": "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
}


@pytest.mark.parametrize("document", HOSTILE_DOCUMENTS.values(), ids=HOSTILE_DOCUMENTS)
async def test_hostile_document_is_a_client_error(admin: Caller, document: str) -> None:
    before = await snapshot()
    response = await admin.graphql(document)
    assert {error["extensions"]["status"] for error in response["errors"]} <= {400, 404}
    assert await snapshot() == before


async def test_idempotent_request_can_contain_integers_beyond_64_bits(admin: Caller, event: Event) -> None:
    document = f"""mutation {{ registerForEvent(input: {{eventId: {event.id}, customFields: {{Diet: {"9" * 50}}}}},
        idempotencyKey: "once") {{ id }} }}"""
    responses = [await admin.graphql(document) for _ in range(2)]
    assert [response["errors"][0]["extensions"]["code"] for response in responses] == ["VALIDATION_ERROR"] * 2
