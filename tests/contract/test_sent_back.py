"""Answers that are sent back: every ``PUT`` accepts the whole object and changes nothing (decisions 1.6)."""

from dataclasses import dataclass
from string import Template
from typing import Any

import pytest

from amarevents.models import CustomField, CustomValue, Ticket
from amarevents.rest.routes import ROUTES
from tests.contract.access import Row
from tests.contract.scene import Scene
from tests.support.rest_answers import data_of, error_in
from tests.support.tables import check_rows
from tests.support.world import snapshot


@dataclass(frozen=True)
class Resource:
    """An object that ``caller`` reads, in a list if it has no route of its own, and sends to its ``path``."""

    caller: str
    path: str
    read_from: str


RESOURCES = (
    Resource("owner", "/events/$event", "/events/$event"),
    Resource("owner", "/organizations/$organization", "/organizations/$organization"),
    Resource("admin", "/organizations/$organization", "/organizations/$organization"),
    Resource("owner", "/tickets/$own_ticket", "/tickets/$own_ticket"),
    Resource("owner", "/tickets/$own_ticket", "/events/$event/tickets"),
    Resource("owner", "/ticket-types/$spare_type", "/ticket-types?event_id=$event"),
    Resource("owner", "/donations/$donation", "/donations"),
    Resource("holder", "/users/me", "/users/me"),
    Resource("holder", "/keys/$own_key", "/keys"),
    Resource("admin", "/admin/users/$holder", "/admin/users/$holder"),
    Resource("admin", "/admin/donations/$donation", "/admin/donations"),
)
EVERY_RESOURCE = pytest.mark.parametrize("resource", RESOURCES, ids=lambda one: f"{one.caller} {one.read_from}")


async def _paths(scene: Scene, resource: Resource) -> tuple[str, str]:
    """Return the path to write to and the path to read from."""
    text = f"{resource.path} {resource.read_from}"
    values = await scene.values(Row("PUT", text, "", "", ""), await scene.caller(resource.caller))
    path, read_from = Template(text).substitute(values).split(" ")
    return path, read_from


async def _read(scene: Scene, resource: Resource, path: str, read_from: str) -> dict[str, Any]:
    """Return the object that is at ``path``, as ``read_from`` shows it."""
    caller = await scene.caller(resource.caller)
    data = data_of(await caller.http.get(f"/api{read_from}", headers=caller.headers))
    if isinstance(data, list):
        data = next(one for one in data if str(one["id"]) == path.rpartition("/")[2])
    shown: dict[str, Any] = data
    return shown


async def _rows() -> dict[str, list[dict[str, Any]]]:
    """Return all rows, without the time of their last update."""
    tables = await snapshot()
    return {
        table: [{name: value for name, value in row.items() if name != "updated_at"} for row in rows]
        for table, rows in tables.items()
    }


@EVERY_RESOURCE
async def test_object_that_is_sent_back_stays_as_it_is(scene: Scene, resource: Resource) -> None:
    path, read_from = await _paths(scene, resource)
    caller = await scene.caller(resource.caller)
    shown = await _read(scene, resource, path, read_from)
    before = await _rows()
    data_of(await caller.put(path, shown))
    assert await _rows() == before
    assert {**await _read(scene, resource, path, read_from), "updated_at": None} == {**shown, "updated_at": None}


@EVERY_RESOURCE
async def test_unknown_field_is_refused_beside_read_only_ones(scene: Scene, resource: Resource) -> None:
    path, read_from = await _paths(scene, resource)
    caller = await scene.caller(resource.caller)
    shown = await _read(scene, resource, path, read_from)
    before = await _rows()
    assert error_in(await caller.put(path, {**shown, "colour": "red"}), 400, "VALIDATION_ERROR").keys() == {"colour"}
    assert await _rows() == before


async def test_read_only_fields_with_other_values_are_ignored(scene: Scene) -> None:
    caller = await scene.caller("owner")
    before = await _rows()
    read_only = {"id": 5, "organization_id": 999999, "organization_name": "x", "created_at": None, "ticket_types": [5]}
    data_of(await caller.put(f"/events/{scene.event.id}", read_only))
    assert await _rows() == before


async def test_every_field_of_an_event_survives_being_sent_back(scene: Scene) -> None:
    caller, path = await scene.caller("owner"), f"/events/{scene.event.id}"
    values = {
        "socials": {"facebook": "https://facebook.com/mela"}, "wallets": {"bKash": "01700000000"}, "category": "games",
        "banner": "/uploads/banner.png", "date": "2999-01-02", "deadline": "2999-01-01", "privacy": "Private",
        "notice": "a\nb", "emailtitle": "{event}", "emailmessage": "{name}", "template": "x", "description": "<b>",
    }  # fmt: skip
    data_of(await caller.put(path, values))
    shown = data_of(await caller.get(path))
    assert shown["socials"] == [{"type": "facebook", "url": "https://facebook.com/mela"}]
    assert (shown["wallets"], shown["category"], shown["privacy"]) == ({"bkash": "01700000000"}, "Games", "private")
    changed = data_of(await caller.put(path, shown | {"notice": "new"}))
    assert {**changed, "updated_at": None} == {**shown, "notice": "new", "updated_at": None}


async def test_ticket_with_answers_and_payment_survives_being_sent_back(scene: Scene) -> None:
    caller = await scene.caller("owner")
    field = await CustomField.create(event_id=scene.event.id, name="Age", type="number")
    ticket = await scene.world.ticket(scene.event, scene.holder, transaction_id="8N7A6B", amount=499)
    await CustomValue.create(ticket_id=ticket.id, field_id=field.id, value="40")
    shown = data_of(await caller.get(f"/tickets/{ticket.id}"))
    assert shown["custom_fields"]
    data_of(await caller.put(f"/tickets/{ticket.id}", shown))
    assert (await Ticket.get(id=ticket.id)).transaction_id == "8N7A6B"
    changed = data_of(await caller.put(f"/tickets/{ticket.id}", shown | {"name": "Karim"}))
    assert {**changed, "updated_at": None} == {**shown, "name": "Karim", "updated_at": None}


def test_the_table_has_every_put_route() -> None:
    paths = {Row("PUT", resource.path, "", "", "").contract_path for resource in RESOURCES}
    routes = {route.path for route in ROUTES if route.method == "PUT"}
    check_rows("tests/contract/test_sent_back.py, RESOURCES", paths, routes)


@pytest.mark.parametrize("changed", ["transaction_id", "transid"])
@pytest.mark.parametrize("value", ["9C8D7E", None])
async def test_one_name_of_the_transaction_id_can_be_changed_in_what_is_sent_back(
    scene: Scene, changed: str, value: str | None
) -> None:
    """Answers have it under both names (decisions 6.6)."""
    caller = await scene.caller("owner")
    ticket = await scene.world.ticket(scene.event, scene.holder, transaction_id="8N7A6B", amount=499)
    shown = data_of(await caller.get(f"/tickets/{ticket.id}"))
    after = data_of(await caller.put(f"/tickets/{ticket.id}", {**shown, changed: value}))
    assert (after["transaction_id"], after["transid"]) == (value, value)
    if value is not None:
        different = {**after, "transaction_id": "X1", "transid": "X2"}
        assert error_in(await caller.put(f"/tickets/{ticket.id}", different), 400, "VALIDATION_ERROR").keys() == {
            "transid"
        }
