"""Every field of every body, with values that fit and values that do not, against a typed table."""

import itertools
import json
from string import Template
from typing import Any

import httpx
import pytest

from tests.contract.access import Row
from tests.contract.access_table import ROWS
from tests.contract.contract import contract_routes
from tests.contract.fields import FORMS, Field, Form
from tests.contract.kinds import BLANK
from tests.contract.scene import PASSWORD, Given, Scene
from tests.support.rest_answers import data_of, error_in
from tests.support.tables import require_rows
from tests.support.world import Caller, snapshot

# Any throughout: JSON.
Body = dict[str, Any]

EVERY_FORM = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
PARTIAL_UPDATES = pytest.mark.parametrize(
    "form", [form for form in FORMS if form.row.method == "PUT" and form.may_be_empty], ids=lambda form: form.name
)
WITHOUT_BODY = [row for row in ROWS if row.method != "GET" and not row.body]


def _unfit(field: Field) -> list[Any]:
    values = [*field.kind.unfit, *([] if field.nullable else [None])]
    return [*values, *BLANK] if field.required and field.kind.is_text else values


def _fit(field: Field) -> list[Any]:
    values = [*field.kind.fit, *([None] if field.nullable else [])]
    return values if field.required or not field.kind.is_text else [*values, *BLANK]


class Sender:
    """Sends a form's request with changes to its body; ``$name`` as a value is what the scene holds under it."""

    def __init__(self, form: Form, caller: Caller, given: Given) -> None:
        self._row, self._caller, self._given = form.row, caller, given
        self._requests = itertools.count()

    def body(self) -> Body:
        """What the route takes, again and again."""
        unique = f"{self._given['unique']}n{next(self._requests)}"
        made: Body = json.loads(Template(self._row.body).substitute(self._given, unique=unique))
        return made

    def value(self, value: Any) -> Any:
        return self._given[value[1:]] if _is_named(value) else value

    async def send(self, body: Body) -> httpx.Response:
        path = Template(self._row.path).substitute(self._given)
        return await self._caller.http.request(self._row.method, f"/api{path}", json=body, headers=self._caller.headers)

    async def send_with(self, name: str, value: Any) -> httpx.Response:
        return await self.send(self.body() | {name: self.value(value)})


async def _sender(scene: Scene, form: Form) -> Sender:
    caller = await scene.caller(form.caller)
    named = {value for field in form.fields.values() for value in field.kind.fit if _is_named(value)}
    row = Row(form.row.method, form.row.path, " ".join([form.row.body, *named]), "", "")
    return Sender(form, caller, await scene.given(row, caller))


def _is_named(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("$")


def _named(response: httpx.Response) -> set[str]:
    """The fields that a validation error names, by the first part of their paths."""
    return {path.partition(".")[0] for path in error_in(response, 400, "VALIDATION_ERROR")}


@EVERY_FORM
async def test_what_does_not_fit_a_field_is_refused_by_its_name(scene: Scene, form: Form) -> None:
    sender = await _sender(scene, form)
    before = await snapshot()
    for name, field in form.fields.items():
        for value in _unfit(field):
            assert _named(await sender.send_with(name, value)) == {name}, repr(value)[:80]
    assert await snapshot() == before


@EVERY_FORM
async def test_what_fits_a_field_is_taken(scene: Scene, form: Form) -> None:
    sender = await _sender(scene, form)
    for name, field in form.fields.items():
        for value in _fit(field):
            answer = await sender.send_with(name, value)
            assert answer.status_code < 300, (name, repr(value)[:80], answer.text)


FOLLOWING = {
    "name": {"recent_events"},
    "date": {"registration_open"},
    "deadline": {"registration_open"},
    "transid": {"transaction_id"},
    "ticket_type_id": {"ticket_type_name"},
    "capacity": {"available"},
    "promote_organizer": {"type", "organization", "organizations"},
    "demote_organizer": {"type"},
}
"""What is shown differently because of another field."""
SHOWN_AS = {"transid": "transaction_id"}


@PARTIAL_UPDATES
async def test_an_update_changes_what_it_names_and_nothing_else(scene: Scene, form: Form) -> None:
    """decisions 1.10"""
    sender = await _sender(scene, form)
    along = {"current_password": PASSWORD} if "current_password" in form.fields else {}
    for name, field in form.fields.items():
        before = data_of(await sender.send({}))
        value = sender.value(field.kind.fit[0])
        after = data_of(await sender.send({**along, name: value}))
        changed = {shown for shown in after if after[shown] != before[shown]}
        assert changed <= {name, "updated_at"} | FOLLOWING.get(name, set())
        assert str(after.get(name, value)).casefold() == str(value).casefold()


@PARTIAL_UPDATES
async def test_null_clears_what_may_be_cleared(scene: Scene, form: Form) -> None:
    """decisions 1.10"""
    sender = await _sender(scene, form)
    for name, field in form.fields.items():
        await sender.send_with(name, field.kind.fit[0])
        answer = await sender.send({name: None})
        if field.nullable:
            assert not data_of(answer).get(SHOWN_AS.get(name, name))
        else:
            assert _named(answer) == {name}


@EVERY_FORM
async def test_a_required_field_that_is_missing_is_named(scene: Scene, form: Form) -> None:
    sender = await _sender(scene, form)
    before = await snapshot()
    for name in [name for name, field in form.fields.items() if field.required]:
        body = {other: value for other, value in sender.body().items() if other != name}
        assert _named(await sender.send(body)) == {name}
    assert await snapshot() == before


@EVERY_FORM
async def test_an_empty_body_is_told_all_that_is_required(scene: Scene, form: Form) -> None:
    sender = await _sender(scene, form)
    before = await snapshot()
    answer = await sender.send({})
    needed = set() if answer.status_code == 200 else _named(answer)
    assert needed == {name for name, field in form.fields.items() if field.required}
    assert await snapshot() == before


@EVERY_FORM
async def test_an_unknown_field_is_named(scene: Scene, form: Form) -> None:
    sender = await _sender(scene, form)
    before = await snapshot()
    for value in ("red", None, "", {"a": 1}):
        assert _named(await sender.send_with("colour", value)) == {"colour"}
    assert await snapshot() == before


@pytest.mark.parametrize("row", WITHOUT_BODY, ids=lambda row: row.name)
async def test_an_unknown_field_is_named_where_no_body_is_needed(scene: Scene, row: Row) -> None:
    caller = await scene.caller("admin")
    path = Template(row.path).substitute(await scene.given(row, caller))
    before = await snapshot()
    answer = await caller.http.request(row.method, f"/api{path}", json={"colour": "red"}, headers=caller.headers)
    assert _named(answer) == {"colour"}
    assert await snapshot() == before


def test_the_table_has_every_route_that_takes_a_body() -> None:
    taking = {(line.method, line.path) for line in contract_routes() if line.method in {"POST", "PUT"}}
    bare = {("POST", "/auth/logout"), ("POST", "/tickets/{id}/verify")}
    rows = [(form.row.method, form.row.contract_path) for form in FORMS]
    require_rows("FORMS in tests/contract/fields.py", rows, taking - bare)
