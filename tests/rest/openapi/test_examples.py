"""The examples of the document: one for each route, valid for the service and for the schemas."""

import pytest

from amarevents.resolvers.core.operation import validate
from amarevents.rest.decoding import decode_query
from amarevents.rest.openapi.examples import EXAMPLES
from amarevents.rest.openapi.schemas import takes_body
from amarevents.rest.routes import ROUTES
from amarevents.rest.routing import Route
from tests.rest.openapi.document import DOCUMENT, operation_of, success, validation_errors
from tests.support.tables import check_rows

by_route = pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")


def test_exactly_the_routes_have_examples() -> None:
    rows = {f"{method} {path}" for method, path in EXAMPLES}
    check_rows("amarevents/rest/openapi/examples, EXAMPLES", rows, {f"{route.method} {route.path}" for route in ROUTES})


@by_route
def test_example_has_the_path_parameters_and_body_of_its_route(route: Route) -> None:
    example = EXAMPLES[route.method, route.path]
    assert set(example.path) == {name for name in ("id", "ticket") if f"{{{name}}}" in route.path}
    assert (example.body is not None) is takes_body(route)
    assert not example.query or route.method == "GET"


@by_route
def test_request_example_is_valid_for_the_input(route: Route) -> None:
    example, input_type = EXAMPLES[route.method, route.path], route.operation.input_type
    if input_type is not None:
        query = decode_query(input_type, {name: str(value) for name, value in example.query.items()})
        given = {name: str(value) for name, value in example.path.items() if name in input_type.model_fields}
        validate(input_type, {**query, **given, **(example.body or {})})


@by_route
def test_request_example_is_valid_for_the_schema(route: Route) -> None:
    documented = operation_of(route)
    for parameter in documented["parameters"]:
        if "example" in parameter:
            assert validation_errors(parameter["schema"], parameter["example"]) == []
    if "requestBody" in documented:
        content = documented["requestBody"]["content"]["application/json"]
        assert validation_errors(content["schema"], content["example"]) == []


@by_route
def test_query_example_uses_parameters_of_the_route(route: Route) -> None:
    known = {one["name"] for one in operation_of(route)["parameters"] if one.get("in") == "query"}
    assert EXAMPLES[route.method, route.path].query.keys() <= known


@by_route
def test_response_example_is_valid_for_the_schema(route: Route) -> None:
    content = success(route)
    assert validation_errors(content["schema"], content["example"]) == []


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["responses"]))
def test_error_example_is_valid_for_the_schema(name: str) -> None:
    content = DOCUMENT["components"]["responses"][name]["content"]["application/json"]
    assert validation_errors(content["schema"], content["example"]) == []


def test_examples_include_those_of_the_contract() -> None:
    assert EXAMPLES["POST", "/auth/register"].body == {
        "username": "john",
        "email": "john@email.com",
        "password": "secret123",
        "number": "01700000000",
    }
    assert EXAMPLES["POST", "/tickets/{ticket}/verify"].data == {
        "ticket_id": 42,
        "name": "Karim Rahman",
        "email": "karim@email.com",
        "status": "Success",
        "event": "Tech Summit 2025",
        "event_date": "2025-06-10",
        "valid": True,
        "reason": None,
    }
    assert EXAMPLES["POST", "/keys"].body == {
        "name": "My App",
        "key_type": "organizer",
        "permissions": ["events:read", "tickets:read", "tickets:write"],
        "expires_at": "2027-01-01",
    }
