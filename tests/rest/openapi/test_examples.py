"""The examples: one for each route, and each as the service takes and gives it."""

import pytest

from amarevents.resolvers.core.operation import validate
from amarevents.rest.openapi.examples import EXAMPLES
from amarevents.rest.openapi.schemas import takes_body
from amarevents.rest.routes import ROUTES
from amarevents.rest.routing import Route, decode_query
from tests.rest.openapi.reading import DOCUMENT, mistakes, operation_of, success
from tests.support.tables import require_rows

by_route = pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")


def test_every_route_has_an_example_and_no_other_is_there() -> None:
    required = [(route.method, route.path) for route in ROUTES]
    require_rows("EXAMPLES in amarevents/rest/openapi/examples/", EXAMPLES, required)


@by_route
def test_an_example_names_what_the_route_takes(route: Route) -> None:
    example = EXAMPLES[route.method, route.path]
    assert set(example.path) == {name for name in ("id", "ticket") if f"{{{name}}}" in route.path}
    assert (example.body is not None) is takes_body(route)
    assert not example.query or route.method == "GET"


@by_route
def test_an_example_of_a_request_is_valid(route: Route) -> None:
    example, input_type = EXAMPLES[route.method, route.path], route.operation.input_type
    if input_type is not None:
        query = decode_query(input_type, {name: str(value) for name, value in example.query.items()})
        given = {name: str(value) for name, value in example.path.items() if name in input_type.model_fields}
        validate(input_type, {**query, **given, **(example.body or {})})


@by_route
def test_an_example_of_a_request_is_as_documented(route: Route) -> None:
    documented = operation_of(route)
    for parameter in documented["parameters"]:
        if "example" in parameter:
            assert mistakes(parameter["schema"], parameter["example"]) == []
    if "requestBody" in documented:
        content = documented["requestBody"]["content"]["application/json"]
        assert mistakes(content["schema"], content["example"]) == []


@by_route
def test_an_example_of_a_query_has_parameters_of_the_route(route: Route) -> None:
    known = {one["name"] for one in operation_of(route)["parameters"] if one.get("in") == "query"}
    assert EXAMPLES[route.method, route.path].query.keys() <= known


@by_route
def test_an_example_of_an_answer_is_as_documented(route: Route) -> None:
    content = success(route)
    assert mistakes(content["schema"], content["example"]) == []


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["responses"]))
def test_an_example_of_a_failure_is_as_documented(name: str) -> None:
    content = DOCUMENT["components"]["responses"][name]["content"]["application/json"]
    assert mistakes(content["schema"], content["example"]) == []


def test_the_examples_of_the_contract_are_kept() -> None:
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
    }
    assert EXAMPLES["POST", "/keys"].body == {
        "name": "My App",
        "key_type": "organizer",
        "permissions": ["events:read", "tickets:read", "tickets:write"],
        "expires_at": "2027-01-01",
    }
