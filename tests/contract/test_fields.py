"""Every field of every request body, with the valid and invalid values of the table in ``fields``."""

import itertools
import json
from string import Template
from typing import Any

import httpx
import pytest

from amarevents.models import Event
from tests.contract.access import Row
from tests.contract.access_table import ROWS
from tests.contract.body_fields import Field, RequestBody
from tests.contract.contract import contract_routes
from tests.contract.fields import REQUEST_BODIES
from tests.contract.kinds import BLANK
from tests.contract.operations import input_fields, operation_of
from tests.contract.scene import PASSWORD, Scene, Substitutions
from tests.support.rest_answers import data_of, error_in
from tests.support.tables import check_rows
from tests.support.world import Caller, snapshot

# Little of this depends on the database: PostgreSQL is tested by the deep run.
pytestmark = pytest.mark.deep("postgres")

# Any throughout: JSON.
Body = dict[str, Any]

TABLE = "tests/contract/fields.py, REQUEST_BODIES"

EVERY_BODY = pytest.mark.parametrize("request_body", REQUEST_BODIES, ids=lambda request_body: request_body.name)
PARTIAL_UPDATES = pytest.mark.parametrize(
    "request_body",
    [request_body for request_body in REQUEST_BODIES if request_body.row.method == "PUT" and request_body.may_be_empty],
    ids=lambda request_body: request_body.name,
)
WITHOUT_BODY = [row for row in ROWS if row.method != "GET" and not row.body]


def _invalid(field: Field) -> list[Any]:
    values = [*field.kind.invalid, *([] if field.nullable else [None])]
    return [*values, *BLANK] if field.required and field.kind.is_text else values


def _valid(field: Field) -> list[Any]:
    values = [*field.kind.valid, *([None] if field.nullable else [])]
    return values if field.required or not field.kind.is_text else [*values, *BLANK]


class Sender:
    """Sends the request of a row with changes to its body; ``$name`` as a value comes from the scene."""

    def __init__(self, request_body: RequestBody, caller: Caller, values: Substitutions) -> None:
        self._row, self._caller, self._values = request_body.row, caller, values
        self._requests = itertools.count()

    def body(self) -> Body:
        """Return a body that the route accepts, different at each call where values must be unique."""
        unique = f"{self._values['unique']}n{next(self._requests)}"
        made: Body = json.loads(Template(self._row.body).substitute(self._values, unique=unique))
        return made

    def value(self, value: Any) -> Any:
        return self._values[value[1:]] if _is_named(value) else value

    async def send(self, body: Body) -> httpx.Response:
        path = Template(self._row.path).substitute(self._values)
        return await self._caller.http.request(self._row.method, f"/api{path}", json=body, headers=self._caller.headers)

    async def send_with(self, name: str, value: Any) -> httpx.Response:
        return await self.send(self.body() | {name: self.value(value)})


async def _sender(scene: Scene, request_body: RequestBody) -> Sender:
    caller = await scene.caller(request_body.caller)
    await Event.filter(id=scene.event.id).update(places_per_account=0)  # one account registers for every value
    named = {value for field in request_body.fields.values() for value in field.kind.valid if _is_named(value)}
    row = Row(request_body.row.method, request_body.row.path, " ".join([request_body.row.body, *named]), "", "")
    return Sender(request_body, caller, await scene.values(row, caller))


def _is_named(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("$")


def _named(response: httpx.Response) -> set[str]:
    """Return the fields that a validation error names, by the first part of their paths."""
    return {path.partition(".")[0] for path in error_in(response, 400, "VALIDATION_ERROR")}


@EVERY_BODY
async def test_an_invalid_value_is_refused_and_its_field_named(scene: Scene, request_body: RequestBody) -> None:
    sender = await _sender(scene, request_body)
    before = await snapshot()
    for name, field in request_body.fields.items():
        for value in _invalid(field):
            assert _named(await sender.send_with(name, value)) == {name}, repr(value)[:80]
    assert await snapshot() == before


@EVERY_BODY
async def test_a_valid_value_is_accepted(scene: Scene, request_body: RequestBody) -> None:
    sender = await _sender(scene, request_body)
    for name, field in request_body.fields.items():
        for value in _valid(field):
            answer = await sender.send_with(name, value)
            assert answer.status_code < 300, (name, repr(value)[:80], answer.text)


DEPENDENT_FIELDS = {
    "name": {"recent_events"},
    "date": {"registration_open"},
    "deadline": {"registration_open"},
    "transaction_id": {"transid"},
    "transid": {"transaction_id"},
    "ticket_type_id": {"ticket_type_name"},
    "capacity": {"available"},
    "promote_organizer": {"type", "organization", "organizations"},
    "demote_organizer": {"type"},
}
"""Fields of the answer that change together with a field of the body."""
SHOWN_AS = {"transid": "transaction_id"}


def _comparable(value: object) -> str:
    """Return a value as text, regardless of case and of the order of fields, which PostgreSQL does not keep."""
    return str(dict(sorted(value.items())) if isinstance(value, dict) else value).casefold()


@PARTIAL_UPDATES
async def test_an_update_changes_only_the_fields_that_are_sent(scene: Scene, request_body: RequestBody) -> None:
    """Partial updates (decisions 1.10)."""
    sender = await _sender(scene, request_body)
    with_password = {"current_password": PASSWORD} if "current_password" in request_body.fields else {}
    for name, field in request_body.fields.items():
        before = data_of(await sender.send({}))
        value = sender.value(field.kind.valid[0])
        after = data_of(await sender.send({**with_password, name: value}))
        changed = {field_name for field_name in after if after[field_name] != before[field_name]}
        assert changed <= {name, "updated_at"} | DEPENDENT_FIELDS.get(name, set())
        assert _comparable(after.get(name, value)) == _comparable(value)


@PARTIAL_UPDATES
async def test_null_clears_nullable_fields_and_is_refused_for_others(scene: Scene, request_body: RequestBody) -> None:
    """Partial updates (decisions 1.10)."""
    sender = await _sender(scene, request_body)
    for name, field in request_body.fields.items():
        await sender.send_with(name, field.kind.valid[0])
        answer = await sender.send({name: None})
        if field.nullable:
            assert not data_of(answer).get(SHOWN_AS.get(name, name))
        else:
            assert _named(answer) == {name}


@EVERY_BODY
async def test_a_missing_required_field_is_named(scene: Scene, request_body: RequestBody) -> None:
    sender = await _sender(scene, request_body)
    before = await snapshot()
    for name in [name for name, field in request_body.fields.items() if field.required]:
        body = {other: value for other, value in sender.body().items() if other != name}
        assert _named(await sender.send(body)) == {name}
    assert await snapshot() == before


@EVERY_BODY
async def test_an_empty_body_is_refused_with_all_required_fields(scene: Scene, request_body: RequestBody) -> None:
    sender = await _sender(scene, request_body)
    before = await snapshot()
    answer = await sender.send({})
    named = set() if answer.status_code == 200 else _named(answer)
    assert named == {name for name, field in request_body.fields.items() if field.required}
    assert await snapshot() == before


@EVERY_BODY
async def test_an_unknown_field_is_refused_and_named(scene: Scene, request_body: RequestBody) -> None:
    sender = await _sender(scene, request_body)
    before = await snapshot()
    for value in ("red", None, "", {"a": 1}):
        assert _named(await sender.send_with("colour", value)) == {"colour"}
    assert await snapshot() == before


@pytest.mark.parametrize("row", WITHOUT_BODY, ids=lambda row: row.name)
async def test_an_unknown_field_is_refused_on_routes_without_a_body(scene: Scene, row: Row) -> None:
    caller = await scene.caller("admin")
    path = Template(row.path).substitute(await scene.values(row, caller))
    before = await snapshot()
    answer = await caller.http.request(row.method, f"/api{path}", json={"colour": "red"}, headers=caller.headers)
    assert _named(answer) == {"colour"}
    assert await snapshot() == before


def test_the_table_has_every_route_that_takes_a_body() -> None:
    required = {f"{line.method} {line.path}" for line in contract_routes() if line.method in {"POST", "PUT"}}
    without_body = {"POST /auth/logout", "POST /tickets/{id}/verify"}
    check_rows(TABLE, {request_body.name for request_body in REQUEST_BODIES}, required - without_body)


@EVERY_BODY
def test_a_row_has_every_field_of_its_operation(request_body: RequestBody) -> None:
    operation = operation_of(request_body.row.method, request_body.row.contract_path)
    check_rows(f"{TABLE}, {request_body.name}", request_body.fields, input_fields(operation))
