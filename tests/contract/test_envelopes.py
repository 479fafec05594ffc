"""The envelope of every route's answers, in success and for each kind of error (decisions 1.1 to 1.5)."""

from collections import defaultdict
from collections.abc import Callable
from string import Template

import httpx
import pytest

from tests.contract.access import Row
from tests.contract.access_table import ROWS
from tests.contract.contract import contract_routes
from tests.contract.fields import REQUEST_BODIES
from tests.contract.queries import QUERIES
from tests.contract.scene import Scene
from tests.support.rest_answers import data_of, error_in, refused
from tests.support.world import Caller, World

# Little of this depends on the database: PostgreSQL is tested by the deep run.
pytestmark = pytest.mark.deep("postgres")

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")
JSON = {"Content-Type": "application/json"}
METHODS_OF_PATH: dict[str, set[str]] = defaultdict(set)
for _line in contract_routes():
    METHODS_OF_PATH[_line.path].add(_line.method)

EVERY_PATH = pytest.mark.parametrize("path", METHODS_OF_PATH)
WRITES = [(line.method, line.path) for line in contract_routes() if line.method != "GET"]
EVERY_WRITE = pytest.mark.parametrize(("method", "path"), WRITES)
EVERY_SINGLE_RESOURCE = pytest.mark.parametrize(
    ("method", "path"), [(line.method, line.path) for line in contract_routes() if "{id}" in line.path]
)
BODIES = {
    (request_body.row.method, request_body.row.contract_path): request_body.row.body for request_body in REQUEST_BODIES
}


@pytest.fixture
async def admin(world: World) -> Caller:
    return await world.admin_key()


def _filled(path: str) -> str:
    return f"/api{path.replace('{id}', '1')}"


@EVERY_PATH
async def test_an_unsupported_method_is_405_and_allow_lists_the_supported_ones(admin: Caller, path: str) -> None:
    unsupported = [method for method in METHODS if method not in METHODS_OF_PATH[path]]
    for method in unsupported:
        answer = await admin.http.request(method, _filled(path), headers=admin.headers)
        error_in(answer, 405, "METHOD_NOT_ALLOWED")
        assert set(answer.headers["Allow"].split(", ")) - {"HEAD"} == METHODS_OF_PATH[path]


@EVERY_PATH
async def test_other_spellings_of_a_path_are_404(admin: Caller, path: str) -> None:
    for other in (f"{_filled(path)}//", f"/api/{path}", f"{_filled(path)}/more/more", f"/api/v1{path}"):
        for method in METHODS_OF_PATH[path]:
            error_in(await admin.http.request(method, other, headers=admin.headers), 404, "UNKNOWN_ROUTE")


async def _send(caller: Caller, method: str, path: str, content: bytes, headers: dict[str, str]) -> httpx.Response:
    return await caller.http.request(method, _filled(path), content=content, headers={**caller.headers, **headers})


@EVERY_WRITE
async def test_malformed_json_is_400(admin: Caller, method: str, path: str) -> None:
    for content in (b"{", b"not json", b'{"name": "x",}', b"\xff\xfe", b'{"a": NaN}'):
        assert await refused(_send(admin, method, path, content, JSON), 400, "MALFORMED_JSON") == {}


@EVERY_WRITE
async def test_json_other_than_an_object_is_400(admin: Caller, method: str, path: str) -> None:
    for content in (b"[]", b"null", b"5", b'"text"'):
        assert (await refused(_send(admin, method, path, content, JSON), 400, "VALIDATION_ERROR")).keys() == {"body"}


@EVERY_WRITE
async def test_a_body_of_another_media_type_is_400(admin: Caller, method: str, path: str) -> None:
    for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}):
        await refused(_send(admin, method, path, b'{"name": "x"}', headers), 400, "UNSUPPORTED_MEDIA_TYPE")


@EVERY_WRITE
async def test_a_body_over_the_limit_is_400(
    admin: Caller, configure: Callable[..., None], method: str, path: str
) -> None:
    configure(max_body_bytes=100)
    await refused(_send(admin, method, path, b'{"name": "%s"}' % (b"x" * 100), JSON), 400, "BODY_TOO_LARGE")


@EVERY_SINGLE_RESOURCE
async def test_an_unknown_id_is_404(scene: Scene, method: str, path: str) -> None:
    caller = await scene.caller("admin")
    body = BODIES.get((method, path), "")
    values = await scene.values(Row(method, "", body, "", ""), caller)
    content = Template(body).substitute(values).encode()
    headers = caller.headers | (JSON if content else {})
    for name in (
        "2147483647",
        "999999999999999999999",
        "0",
        "-1",
        "x",
        "1.5",
        "01",
        "1%20%20x",
        "%D9%A1",
        "%E0%A7%A7",
        "1;2",
    ):
        request = caller.http.request(method, f"/api{path.replace('{id}', name)}", content=content, headers=headers)
        assert await refused(request, 404, "NOT_FOUND") == {}


async def test_every_route_is_429_over_the_rate_limit(admin: Caller, configure: Callable[..., None]) -> None:
    configure(rate_limit_admin=1)
    await admin.get("/auth/me")
    for line in contract_routes():
        answer = await admin.http.request(line.method, _filled(line.path), headers=admin.headers)
        assert error_in(answer, 429, "RATE_LIMITED") == {}
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.headers["X-RateLimit-Type"] == "admin"


async def test_a_crash_is_500_on_every_route_and_reveals_nothing(
    admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_arguments: object) -> None:
        raise RuntimeError("SELECT secret FROM users")

    monkeypatch.setattr("amarevents.security.policy.Policy.check", crash)
    for line in contract_routes():
        answer = await admin.http.request(line.method, _filled(line.path), headers=admin.headers)
        assert error_in(answer, 500, "INTERNAL") == {}
        assert "SELECT" not in answer.text


SUCCESSES = [row for row in ROWS if row.expected["admin's session"] < 300]


@pytest.mark.parametrize("row", SUCCESSES, ids=lambda row: f"{row.name} {row.body}")
async def test_a_success_has_the_envelope_of_its_kind(scene: Scene, row: Row) -> None:
    """Lists have ``pagination`` (decisions 1.1, 1.2)."""
    caller = await scene.caller("admin's session")
    answer = await _answer_to(scene, row, caller)
    data = data_of(answer, row.expected["admin's session"])
    lists = {"/ticket-types", *QUERIES}
    is_list = row.method == "GET" and row.path.partition("?")[0].replace("$secret", "$event") in lists
    assert isinstance(data, list) is ("pagination" in answer.json()) is is_list
    if row.method == "DELETE":
        done = "revoked" if "key" in row.path else "deleted"
        assert data == {"id": int(str(answer.request.url).rpartition("/")[2]), done: True}


async def _answer_to(scene: Scene, row: Row, caller: Caller) -> httpx.Response:
    values = await scene.values(row, caller)
    body, path = (Template(text).substitute(values) for text in (row.body, row.path))
    headers = caller.headers | (JSON if body else {})
    return await caller.http.request(row.method, f"/api{path}", content=body, headers=headers)
