"""The JSON Schemas of inputs and views."""

import dataclasses
import typing
from typing import Any

import pytest

from amarevents.resolvers.core.inputs import Input
from amarevents.rest.openapi.schemas import data_type, takes_body
from amarevents.rest.routes import ROUTES
from tests.rest.openapi.document import schema, shapes, validation_errors

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
def test_view_requires_exactly_its_fields(view: type) -> None:
    fields = list(typing.get_type_hints(view))
    described = schema(view.__name__.removesuffix("View"))
    assert list(described["properties"]) == described["required"] == fields
    assert described["additionalProperties"] is False


def test_fields_of_views_have_their_json_types() -> None:
    fields = shapes("TicketDetail")
    assert fields["id"] == {"type": "integer"}
    assert fields["amount"] == {"type": "number", "minimum": 0}
    assert fields["event_date"] == {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}
    assert fields["created_at"] == INSTANT
    assert fields["status"] == {"$ref": "#/components/schemas/TicketStatus"}
    assert fields["custom_fields"] == {"type": "array", "items": {"$ref": "#/components/schemas/CustomAnswer"}}


def test_maps_accept_any_key() -> None:
    assert shapes("EventDetail")["wallets"] == {
        "type": "object",
        "additionalProperties": {"type": "string"},
    }


def test_only_the_response_of_creation_contains_the_key() -> None:
    assert shapes("CreatedApiKey")["key"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert "key" not in schema("ApiKey")["properties"]


@pytest.mark.parametrize("route", WITH_BODY, ids=lambda route: f"{route.method} {route.path}")
def test_input_has_exactly_its_fields(route: Any) -> None:
    input_type: type[Input] = route.operation.input_type
    described = schema(input_type.__name__)
    required = [name for name, field in input_type.model_fields.items() if field.is_required()]
    assert list(described["properties"]) == list(input_type.model_fields)
    assert described.get("required", []) == required
    assert described["additionalProperties"] is False


def test_rest_accepts_transid_as_well_as_transaction_id() -> None:
    assert {"transaction_id", "transid"} <= schema("RegisterForEvent")["properties"].keys()


def test_field_that_an_update_cannot_clear_is_not_nullable() -> None:
    fields = shapes("UpdateTicket")
    assert fields["name"] == {"type": "string", "maxLength": 200}
    assert fields["note"] == {"anyOf": [{"type": "string", "maxLength": 20000}, {"type": "null"}]}


def test_expiry_is_a_date_or_an_instant() -> None:
    forms = shapes("CreateApiKey")["expires_at"]["anyOf"]
    assert forms == [{"type": "string", "format": "date"}, INSTANT, {"type": "null"}]


@pytest.mark.parametrize(
    ("name", "body", "is_valid"),
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
def test_schema_validates_bodies_as_the_input_does(name: str, body: dict[str, Any], is_valid: bool) -> None:
    described = {**schema(name), "required": []}
    assert (validation_errors(described, body) == []) is is_valid
