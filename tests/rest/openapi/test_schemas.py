"""Inputs and views as JSON Schema."""

import dataclasses
import typing
from typing import Any

import pytest

from amarevents.resolvers.core.inputs import Input
from amarevents.rest.openapi.schemas import data_type, takes_body
from amarevents.rest.routes import ROUTES
from tests.rest.openapi.reading import mistakes, schema, shapes

# Any below: annotations and JSON.

WITH_BODY = [route for route in ROUTES if takes_body(route)]
INSTANT = {"type": "string", "format": "date-time"}


def _views(annotation: Any) -> set[type]:
    if not dataclasses.is_dataclass(annotation):
        return {view for part in typing.get_args(annotation) for view in _views(part)}
    assert isinstance(annotation, type)
    hints = typing.get_type_hints(annotation, include_extras=True).values()
    return {annotation, *(view for hint in hints for view in _views(hint))}


VIEWS = sorted({view for route in ROUTES for view in _views(data_type(route))}, key=lambda view: view.__name__)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_a_view_has_exactly_its_fields_and_all_of_them_always(view: type) -> None:
    fields = list(typing.get_type_hints(view))
    described = schema(view.__name__.removesuffix("View"))
    assert list(described["properties"]) == described["required"] == fields
    assert described["additionalProperties"] is False


def test_views_are_typed_as_they_are_written() -> None:
    fields = shapes("TicketDetail")
    assert fields["id"] == {"type": "integer"}
    assert fields["amount"] == {"type": "number", "minimum": 0}
    assert fields["event_date"] == {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}
    assert fields["created_at"] == INSTANT
    assert fields["status"] == {"$ref": "#/components/schemas/TicketStatus"}
    assert fields["custom_fields"] == {"type": "array", "items": {"$ref": "#/components/schemas/CustomAnswer"}}


def test_maps_stay_open() -> None:
    assert shapes("EventDetail")["wallets"] == {
        "type": "object",
        "additionalProperties": {"type": "string"},
    }


def test_the_raw_key_is_in_the_answer_that_creates_it_alone() -> None:
    assert shapes("CreatedApiKey")["key"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert "key" not in schema("ApiKey")["properties"]


@pytest.mark.parametrize("route", WITH_BODY, ids=lambda route: f"{route.method} {route.path}")
def test_an_input_has_exactly_its_fields(route: Any) -> None:
    input_type: type[Input] = route.operation.input_type
    described = schema(input_type.__name__)
    required = [name for name, field in input_type.model_fields.items() if field.is_required()]
    assert list(described["properties"]) == list(input_type.model_fields)
    assert described.get("required", []) == required
    assert described["additionalProperties"] is False


def test_rest_has_its_second_name_for_a_transaction_id() -> None:
    assert {"transaction_id", "transid"} <= schema("RegisterForEvent")["properties"].keys()


def test_what_an_update_cannot_clear_is_not_null() -> None:
    fields = shapes("UpdateTicket")
    assert fields["name"] == {"type": "string", "maxLength": 200}
    assert fields["note"] == {"anyOf": [{"type": "string", "maxLength": 20000}, {"type": "null"}]}


def test_an_expiry_is_a_text_in_one_of_two_forms() -> None:
    forms = shapes("CreateApiKey")["expires_at"]["anyOf"]
    assert forms == [{"type": "string", "format": "date"}, INSTANT, {"type": "null"}]


@pytest.mark.parametrize(
    ("name", "body", "is_right"),
    [
        ("Register", {"email": "john@email.com"}, True),
        ("Register", {"email": "john"}, False),
        ("Register", {"number": "+880 1700-000000"}, True),
        ("Register", {"number": "call me"}, False),
        ("Register", {"username": "jo"}, False),
        ("Register", {"admin": True}, False),
        ("Login", {"email": ""}, False),
        ("CreateEvent", {"name": ""}, False),
        ("CreateEvent", {"location": ""}, True),
        ("UpdateEvent", {"socials": [{"type": ""}]}, False),
        ("CreateEvent", {"banner": "https://example.com/ছবি.jpg"}, True),
        ("CreateEvent", {"banner": "ftp://example.com/a.jpg"}, False),
        ("CreateEvent", {"date": "2025-06-10"}, True),
        ("CreateEvent", {"date": "10.6.2025"}, False),
        ("CreateEvent", {"category": "Circus"}, False),
        ("CreateEvent", {"ticket_types": [{"name": "Floor", "price": 0.07}]}, True),
        ("CreateEvent", {"ticket_types": [{"name": "Floor", "price": -1}]}, False),
        ("CreateEvent", {"ticket_types": [{"name": "Floor", "price": 10**12}]}, False),
        ("CreateApiKey", {"expires_at": "2027-01-01"}, True),
        ("CreateApiKey", {"expires_at": "2027-01-01T00:00:00Z"}, True),
        ("CreateApiKey", {"expires_at": "tomorrow"}, False),
        ("UpdateDonation", {"status": "approved"}, True),
        ("UpdateDonation", {"status": "accepted"}, False),
    ],
)
def test_a_body_is_bounded_as_its_input_is(name: str, body: dict[str, Any], is_right: bool) -> None:
    described = {**schema(name), "required": []}
    assert (mistakes(described, body) == []) is is_right
