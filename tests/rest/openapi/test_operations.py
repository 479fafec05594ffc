"""The operations of the document: permissions, request bodies and responses."""

import pytest

from amarevents.rest.routes import ROUTES
from amarevents.rest.routing import Route
from tests.rest.openapi.document import operation, operation_of, operations, schema

CREDENTIALS: list[dict[str, list[str]]] = [{"apiKey": []}, {"session": []}]
NAMES = [f"{route.method} {route.path}" for route in ROUTES]
COMMON_STATUSES = {"401", "403", "405", "429", "500"}


def test_operation_with_two_routes_has_two_ids() -> None:
    assert operation("GET /users/me/keys")["operationId"] == "list_api_keys"
    assert operation("GET /keys")["operationId"] == "list_api_keys_at_keys"


@pytest.mark.parametrize("route", ROUTES, ids=NAMES)
def test_security_matches_the_policy_of_the_route(route: Route) -> None:
    policy, documented = route.operation.policy, operation_of(route)
    assert documented["security"] == ([{}, *CREDENTIALS] if policy.is_public else CREDENTIALS)
    assert set(documented["x-key-types"]) == policy.key_types
    assert documented["x-scope"] == policy.scope


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("GET /events", "Public: no authentication required."),
        (
            "POST /events",
            "Requires an organizer or admin key with `events:write`, or the session of an organizer or admin.",
        ),
        (
            "GET /auth/me",
            "Requires a user, organizer or admin key, or the session of a user, organizer or admin.",
        ),
        (
            "GET /admin/stats",
            "Requires an admin key with `admin`, or the session of an admin.",
        ),
    ],
)
def test_description_states_the_required_credentials(line: str, sentence: str) -> None:
    assert sentence in operation(line)["description"].split("\n\n")


@pytest.mark.parametrize(("line", "limit"), [("POST /auth/register", 120), ("POST /donations", 60)])
def test_description_states_the_rate_limit_per_address(line: str, limit: int) -> None:
    assert f"limited by default to {limit} requests per minute from one IP address" in operation(line)["description"]


def test_description_lists_the_error_codes() -> None:
    described = operation("POST /ticket-types")
    assert described["x-error-codes"] == ["NOT_FOUND", "FORBIDDEN", "TOO_MANY_TICKET_TYPES"]
    assert described["description"].endswith("Error codes: `NOT_FOUND`, `FORBIDDEN`, `TOO_MANY_TICKET_TYPES`.")


@pytest.mark.parametrize("route", ROUTES, ids=NAMES)
def test_only_success_status_is_that_of_the_route(route: Route) -> None:
    assert [status for status in operation_of(route)["responses"] if status < "300"] == [str(route.status)]


@pytest.mark.parametrize("route", ROUTES, ids=NAMES)
def test_public_reads_can_be_revalidated(route: Route) -> None:
    described, is_shared = operation_of(route)["responses"], route.operation.shared is not None
    assert ("304" in described, "ETag" in described[str(route.status)]["headers"]) == (is_shared, is_shared)


@pytest.mark.parametrize(
    ("line", "more"),
    [
        ("GET /auth/me", set()),
        ("GET /events", {"400"}),
        ("GET /events/{id}", {"404"}),
        ("GET /events/{id}/tickets", {"400", "404"}),
        ("GET /ticket-types", {"400", "404"}),
        ("POST /auth/logout", {"400"}),
        ("POST /auth/register", {"400"}),
        ("POST /tickets", {"400", "404", "503"}),
        ("POST /tickets/{ticket}/verify", {"400", "404"}),
        ("DELETE /keys/{id}", {"400", "404"}),
        ("GET /admin/stats", set()),
    ],
)
def test_error_statuses_depend_on_the_parameters_and_body(line: str, more: set[str]) -> None:
    assert {status for status in operation(line)["responses"] if status >= "400"} == COMMON_STATUSES | more


def test_exactly_the_creating_operations_accept_an_idempotency_key() -> None:
    reference = {"$ref": "#/components/parameters/IdempotencyKey"}
    accepting = {one["operationId"] for one in operations() if reference in one["parameters"]}
    assert accepting == {
        "register", "create_event", "create_organization", "register_for_event", "create_ticket_type",
        "submit_donation", "create_api_key",
    }  # fmt: skip


@pytest.mark.parametrize("route", ROUTES, ids=NAMES)
def test_only_operations_that_write_accept_a_body(route: Route) -> None:
    takes_body = "requestBody" in operation_of(route)
    assert takes_body is (route.operation.input_type is not None and route.method != "GET")


def test_body_has_no_field_of_the_path() -> None:
    body = operation("POST /tickets/{ticket}/verify")["requestBody"]
    assert list(body["content"]["application/json"]["schema"]["properties"]) == ["event_id"]
    assert not body["required"]


def test_body_is_required_if_one_of_its_fields_is() -> None:
    assert operation("POST /tickets")["requestBody"]["required"]
    assert not operation("PUT /tickets/{id}")["requestBody"]["required"]


def test_lists_have_a_pagination() -> None:
    def fields_of(line: str) -> set[str]:
        return set(operation(line)["responses"]["200"]["content"]["application/json"]["schema"]["properties"])

    assert fields_of("GET /tickets") == fields_of("GET /ticket-types") == {"success", "data", "pagination"}
    assert fields_of("GET /auth/me") == {"success", "data"}


@pytest.mark.parametrize(
    ("line", "name", "extension"),
    [
        (
            "GET /events/{id}",
            "EventDetail",
            {"emailtitle", "emailmessage", "template", "hold_minutes", "places_per_account"},
        ),
        ("GET /organizations/{id}", "OrganizationDetail", {"user_id", "eventcount", "events_used"}),
    ],
)
def test_what_only_owners_and_admins_see_is_optional(line: str, name: str, extension: set[str]) -> None:
    content = operation(line)["responses"]["200"]["content"]["application/json"]
    assert content["schema"]["properties"]["data"]["$ref"] == f"#/components/schemas/{name}"
    assert extension <= schema(name)["properties"].keys() - set(schema(name)["required"])


def test_creating_operations_explain_the_idempotency_key() -> None:
    creating = [operation_of(route) for route in ROUTES if route.operation.creates]
    assert len(creating) > 5
    assert all("`Idempotency-Key`" in one["description"] for one in creating)
