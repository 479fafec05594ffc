"""Path and query parameters of the document."""

import re

import pytest

from amarevents.rest.routes import ROUTES
from amarevents.rest.routing import Route
from tests.rest.openapi.document import DOCUMENT, operation_of, parameters

ID = {"type": "integer", "minimum": 1, "maximum": 2147483647}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_path_parameters_are_those_of_the_path(route: Route) -> None:
    in_path = [one for one in operation_of(route)["parameters"] if one.get("in") == "path"]
    assert [one["name"] for one in in_path] == re.findall(r"\{(\w+)\}", route.path)
    assert all(one["required"] for one in in_path)


def test_id_is_an_integer() -> None:
    assert parameters("GET /events/{id}", "path")["id"]["schema"] == ID


def test_ticket_to_verify_is_an_id_or_a_code() -> None:
    assert parameters("POST /tickets/{ticket}/verify", "path")["ticket"]["schema"] == {
        "type": "string",
        "minLength": 1,
    }


def test_query_parameters_have_the_bounds_and_defaults_of_the_input() -> None:
    query = parameters("GET /events", "query")
    schedule = ["from", "to", "upcoming", "sort"]
    assert [name for name in query if name != "ids"] == [
        *("page", "limit", *schedule, "search", "category", "organization_id")
    ]
    assert query["from"]["schema"] == query["to"]["schema"] == {"type": "string", "format": "date"}
    assert query["upcoming"]["schema"] == {"type": "boolean"}
    assert query["sort"]["schema"] == {"$ref": "#/components/schemas/EventSort"}
    assert query["page"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 2147483647, "default": 1}
    assert query["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
    assert query["search"]["schema"] == {"type": "string", "maxLength": 255}
    assert query["category"]["schema"] == {"$ref": "#/components/schemas/Category"}
    assert query["organization_id"]["schema"] == ID
    assert not any(one["required"] for one in query.values())


def test_required_field_is_a_required_query_parameter() -> None:
    assert parameters("GET /ticket-types", "query")["event_id"]["required"]


def test_flags_of_the_contract_are_0_or_1() -> None:
    assert parameters("GET /admin/users", "query")["admin"]["schema"] == {"type": "integer", "enum": [0, 1]}
    assert parameters("GET /admin/api-keys", "query")["active"]["schema"] == {"type": "integer", "enum": [0, 1]}


def test_no_parameter_can_be_null() -> None:
    for route in ROUTES:
        for one in operation_of(route)["parameters"]:
            assert "null" not in str(one.get("schema")), one


def test_inputs_of_queries_are_not_shared_schemas() -> None:
    assert not {"ListEvents", "ListTickets", "Paging", "VerifyTicket"} & DOCUMENT["components"]["schemas"].keys()
