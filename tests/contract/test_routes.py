"""The routes, the operations and the fields, compared with the contract and with each other."""

import pytest

from amarevents.models.enums import KeyType
from amarevents.resolvers.core.operation import OPERATIONS
from amarevents.resolvers.core.subscription import SUBSCRIPTIONS
from amarevents.rest.routes import ROUTES
from amarevents.rest.routing import Route
from amarevents.schema.core.edges import OPERATION_EDGES
from amarevents.schema.core.fields import OPERATION_FIELDS, SUBSCRIPTION_FIELDS
from tests.contract.contract import DECIDED_BADGES, ContractRoute, contract_routes
from tests.contract.operations import GRAPHQL_ONLY, ROUTES_BY_LINE, operation_of
from tests.support.tables import require_rows

CREATING = {"/auth/register", "/events", "/organizations", "/tickets", "/ticket-types", "/donations", "/keys"}
"""What answers a POST with 201 (decisions 1.4)."""


def test_the_contract_has_fifty_routes() -> None:
    assert len(contract_routes()) == 50
    assert len({(route.method, route.path) for route in contract_routes()}) == 50


def test_badges_are_read_as_the_contract_shows_them() -> None:
    badges = {(route.method, route.path): route.badges for route in contract_routes()}
    assert badges["GET", "/events"] == frozenset()
    assert badges["GET", "/auth/me"] == frozenset(KeyType)
    assert badges["POST", "/events"] == {KeyType.ORGANIZER, KeyType.ADMIN}
    assert badges["PUT", "/users/me"] == {KeyType.USER, KeyType.ORGANIZER}
    assert badges["GET", "/admin/stats"] == {KeyType.ADMIN}


def test_the_routes_are_those_of_the_contract() -> None:
    assert len(ROUTES_BY_LINE) == len(ROUTES)
    assert ROUTES_BY_LINE.keys() == {(route.method, route.path) for route in contract_routes()}


@pytest.mark.parametrize("line", contract_routes(), ids=lambda line: f"{line.method} {line.path}")
def test_a_route_has_the_badges_of_the_contract(line: ContractRoute) -> None:
    assert operation_of(line.method, line.path).policy.key_types == line.key_types


def test_decisions_differ_from_the_badges_in_one_place() -> None:
    differing = {(line.method, line.path) for line in contract_routes() if line.key_types != line.badges}
    assert differing == DECIDED_BADGES.keys()


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_what_creates_answers_201_and_honours_an_idempotency_key(route: Route) -> None:
    creates = route.method == "POST" and route.path in CREATING
    assert route.status == (201 if creates else 200)
    assert route.operation.creates is creates


def test_both_lists_of_own_keys_are_one_operation() -> None:
    assert operation_of("GET", "/keys") is operation_of("GET", "/users/me/keys")


def test_every_operation_has_a_route_or_is_for_graphql_alone() -> None:
    routed = {route.operation.name for route in ROUTES}
    table = "GRAPHQL_ONLY in tests/contract/operations.py (for operations without a route in rest/routes.py)"
    require_rows(table, GRAPHQL_ONLY, OPERATIONS.keys() - routed)


def test_every_operation_has_a_field() -> None:
    assert len(OPERATION_FIELDS) == len(set(OPERATION_FIELDS))
    table = "The GraphQL schema in amarevents/schema/types/ (queries, mutations and edges)"
    require_rows(table, [*OPERATION_FIELDS, *OPERATION_EDGES], OPERATIONS)


def test_every_subscription_has_a_field() -> None:
    assert len(SUBSCRIPTION_FIELDS) == len(set(SUBSCRIPTION_FIELDS))
    require_rows("The GraphQL schema in amarevents/schema/types/", SUBSCRIPTION_FIELDS, SUBSCRIPTIONS)


def test_a_subscription_has_the_policy_of_the_route_that_shows_the_same() -> None:
    shown = {name: one.policy_of for name, one in SUBSCRIPTIONS.items()}
    assert shown == {
        "event_stats": operation_of("GET", "/events/{id}/stats"),
        "ticket_updated": operation_of("GET", "/events/{id}/tickets"),
    }
