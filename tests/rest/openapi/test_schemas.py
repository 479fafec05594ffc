"""The JSON Schemas of inputs and views."""

import dataclasses
import typing
from typing import Any

import pytest

from amarevents.resolvers.core.inputs import Input
from amarevents.resolvers.events.organizations import OrganizationDetailView
from amarevents.resolvers.events.views import EventDetailView
from amarevents.rest.openapi.schemas import data_type, named_in_path, takes_body
from amarevents.rest.routes import ROUTES
from tests.rest.openapi.document import schema, shapes, validation_errors

# Any below: annotations and JSON.

EXTENDED = {EventDetailView, OrganizationDetailView}
"""Views with further fields for the owner and admins."""

WITH_BODY = [route for route in ROUTES if takes_body(route) and not named_in_path(route)]
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
    assert described["required"] == fields
    assert list(described["properties"])[: len(fields)] == fields
    assert view in EXTENDED or len(described["properties"]) == len(fields)


def test_views_are_open_so_that_clients_accept_the_fields_of_later_versions() -> None:
    assert {
        view.__name__ for view in VIEWS if "additionalProperties" in schema(view.__name__.removesuffix("View"))
    } == set()


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
    assert list(described["properties"]) == list(input_type.fields_by_name())
    assert described.get("required", []) == required
    assert described["additionalProperties"] is False


def test_no_field_of_a_body_has_a_default_which_generated_clients_would_require() -> None:
    with_default = [
        (input_type, name)
        for input_type in {route.operation.input_type.__name__ for route in WITH_BODY if route.operation.input_type}
        for name, field in schema(input_type)["properties"].items()
        if "default" in field
    ]
    assert with_default == []
    assert schema("CreateTicketType")["properties"]["price"]["description"].endswith("0 is free. Defaults to `0.0`.")


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
