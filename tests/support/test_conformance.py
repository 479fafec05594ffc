"""Negative controls of the comparison with the OpenAPI document: each test changes one thing in a valid answer."""

import copy
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from amarevents.settings import Settings
from tests.support.conformance import Conformance, Drift, conformance
from tests.support.world import World

# Any below: JSON.

REQUEST_ID = "0123456789abcdef"
TYPE: dict[str, Any] = {
    "id": 15,
    "event_id": 7,
    "name": "Standard",
    "price": 300,
    "capacity": 120,
    "description": None,
    "sold": 95,
    "available": 25,
    "is_available": True,
    "created_at": "2025-03-01T05:40:00Z",
}
SUCCESS: dict[str, Any] = {
    "success": True,
    "data": [TYPE],
    "pagination": {"total": 1, "page": 1, "limit": 100, "pages": 1},
}
LIMITS = {
    "X-RateLimit-Limit": "60",
    "X-RateLimit-Remaining": "59",
    "X-RateLimit-Reset": "1763876400",
    "X-RateLimit-Type": "user",
}
LIMITED = Settings()
NOTHING: Mapping[str, str] = {}
KEY = {"Authorization": "Bearer ae_u_"}


def answer(
    body: Any = SUCCESS,
    *,
    status: int = 200,
    method: str = "GET",
    path: str = "/ticket-types",
    sent: Mapping[str, str] = NOTHING,
    headers: Mapping[str, str | None] = NOTHING,
) -> httpx.Response:
    """Return an answer as the application sends it; ``headers`` replace the usual ones, or remove them if None."""
    all_headers = {"X-Request-ID": REQUEST_ID, **headers}
    request = httpx.Request(method, f"http://testserver/api{path}", headers=sent)
    given = {name: value for name, value in all_headers.items() if value is not None}
    return httpx.Response(status, json=body, headers=given, request=request)


def failure(code: str, **more: Any) -> dict[str, Any]:
    return {"success": False, "error": "No", "code": code, **more}


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    body = copy.deepcopy(SUCCESS)
    change(body["data"][0])
    return body


def check(response: httpx.Response, settings: Settings = LIMITED) -> None:
    conformance().check(response, settings)


def test_a_documented_answer_conforms() -> None:
    check(answer())
    check(answer(sent=KEY, headers=LIMITS))
    check(answer(failure("NOT_FOUND"), status=404))
    check(answer(failure("RATE_LIMITED"), status=429, headers={"Retry-After": "7"}))


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row.update(secret=1),
        lambda row: row.pop("sold"),
        lambda row: row.update(price="300.00"),
        lambda row: row.update(available="25"),
        lambda row: row.update(name=None),
        lambda row: row.update(created_at="yesterday"),
    ],
    ids=["undocumented", "missing", "money as text", "number as text", "null", "no datetime"],
)
def test_a_wrong_field_is_detected(change: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(Drift, match="data/0"):
        check(answer(changed(change)))


@pytest.mark.parametrize(
    "body",
    [
        {"success": True},
        {"success": True, "data": [TYPE]},
        {**SUCCESS, "success": False},
        {**SUCCESS, "data": TYPE},
        [TYPE],
    ],
    ids=["no data", "no pagination", "success is false", "no list", "no envelope"],
)
def test_a_wrong_envelope_is_detected(body: Any) -> None:
    with pytest.raises(Drift):
        check(answer(body))


@pytest.mark.parametrize("status", [201, 204, 302, 404, 409, 422, 503])
def test_an_undocumented_status_is_detected(status: int) -> None:
    with pytest.raises(Drift, match=f"has no {status} here"):
        check(answer(failure("NOT_FOUND"), status=status, path="/keys"))


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/ticket-types", 404, "SOLD_OUT"),
        ("/ticket-types", 400, "SOLD_OUT"),
        ("/ticket-types", 400, "NO_SUCH_CODE"),
        ("/nothing-here", 404, "NOT_FOUND"),
    ],
    ids=["of another status", "of another operation", "unknown code", "unknown path"],
)
def test_an_undocumented_code_is_detected(path: str, status: int, code: str) -> None:
    with pytest.raises(Drift):
        check(answer(failure(code), status=status, path=path))


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing-here", 404, "UNKNOWN_ROUTE"),
        ("GET", "/events//", 404, "UNKNOWN_ROUTE"),
        ("PATCH", "/events", 405, "METHOD_NOT_ALLOWED"),
        ("DELETE", "/nothing-here", 429, "RATE_LIMITED"),
    ],
)
def test_errors_without_an_operation_have_the_envelope(method: str, path: str, status: int, code: str) -> None:
    headers = {"Allow": "GET, POST" if status == 405 else None, "Retry-After": "1" if status == 429 else None}
    check(answer(failure(code), status=status, method=method, path=path, headers=headers))
    with pytest.raises(Drift):
        check(answer({"error": "No"}, status=status, method=method, path=path, headers=headers))
    with pytest.raises(Drift):
        check(answer(SUCCESS, method=method, path=path))


def test_empty_fields_of_an_error_are_detected() -> None:
    check(answer(failure("VALIDATION_ERROR", fields={"event_id": "is required"}), status=400))
    with pytest.raises(Drift, match="fields"):
        check(answer(failure("VALIDATION_ERROR", fields={}), status=400))


def test_another_content_type_is_detected() -> None:
    with pytest.raises(Drift, match="text/html"):
        check(answer(headers={"Content-Type": "text/html"}))


@pytest.mark.parametrize("request_id", [None, "forged", ""])
def test_an_answer_without_a_request_id_is_detected(request_id: str | None) -> None:
    with pytest.raises(Drift, match="X-Request-ID"):
        check(answer(headers={"X-Request-ID": request_id}))


@pytest.mark.parametrize(
    ("status", "code", "name", "value"),
    [
        (429, "RATE_LIMITED", "Retry-After", "7"),
        (401, "UNAUTHENTICATED", "WWW-Authenticate", "Bearer"),
        (405, "METHOD_NOT_ALLOWED", "Allow", "GET"),
    ],
)
def test_headers_of_one_status_are_required_there_and_refused_elsewhere(
    status: int, code: str, name: str, value: str
) -> None:
    method = "PATCH" if status == 405 else "GET"
    check(answer(failure(code), status=status, method=method, headers={name: value}))
    with pytest.raises(Drift, match=f"{name} is missing"):
        check(answer(failure(code), status=status, method=method))
    with pytest.raises(Drift, match=f"{name} is for {status}"):
        check(answer(headers={name: value}))


def test_retry_after_zero_is_detected() -> None:
    with pytest.raises(Drift, match="Retry-After is 0"):
        check(answer(failure("RATE_LIMITED"), status=429, headers={"Retry-After": "0"}))


@pytest.mark.parametrize("name", LIMITS)
def test_a_missing_or_invalid_rate_limit_header_is_detected(name: str) -> None:
    with pytest.raises(Drift, match="only these rate limit headers"):
        check(answer(sent=KEY, headers={**LIMITS, name: None}))
    with pytest.raises(Drift, match=f"{name} is many"):
        check(answer(sent=KEY, headers={**LIMITS, name: "many"}))


def test_an_authenticated_answer_without_rate_limit_headers_is_detected() -> None:
    with pytest.raises(Drift, match="headers are missing"):
        check(answer(sent=KEY))
    check(answer(sent=KEY), Settings(rate_limit_user=0))


def test_rate_limit_headers_for_an_anonymous_caller_are_detected() -> None:
    with pytest.raises(Drift, match="without a credential"):
        check(answer(headers=LIMITS))


async def test_answers_of_the_application_are_compared(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    key = await world.user_key()
    assert (await key.get("/auth/me")).status_code == 200
    monkeypatch.delitem(conformance().document["paths"]["/auth/me"]["get"]["responses"], "200")
    with pytest.raises(Drift, match="has no 200 here"):
        await key.get("/auth/me")


async def test_an_error_that_an_operation_does_not_declare_is_detected(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = {"username": "rahim", "email": "rahim@example.com", "number": "01700000000", "password": "secret123"}
    assert (await world.anonymous.post("/auth/register", account)).status_code == 201
    assert (await world.anonymous.post("/auth/register", account)).json()["code"] in {"USERNAME_TAKEN", "EMAIL_TAKEN"}
    monkeypatch.setitem(conformance().document["paths"]["/auth/register"]["post"], "x-error-codes", [])
    with pytest.raises(Drift, match="_TAKEN is not declared: add it to raises= of the operation"):
        await world.anonymous.post("/auth/register", account)


def test_a_comparison_takes_less_than_a_millisecond() -> None:
    checks, response, settings = Conformance(conformance().document), answer(), Settings()
    checks.check(response, settings)
    rounds = []
    for _ in range(5):
        started_at = time.process_time()
        for _ in range(100):
            checks.check(response, settings)
        rounds.append(time.process_time() - started_at)
    assert min(rounds) < 0.1
