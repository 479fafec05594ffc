"""The routes, the operations and the fields, compared with the contract and with each other."""

import pytest

from amarevents.models.enums import KeyType
from amarevents.resolvers.operation import OPERATIONS
from amarevents.rest.routes import ROUTES
from amarevents.rest.routing import Route
from amarevents.schema.fields import OPERATION_FIELDS
from tests.contract.contract import contract_routes, same_for_all_names

TO_COME = {
    ("GET", "/events/{id}/tickets"),
    ("GET", "/events/{id}/stats"),
    ("GET", "/events/{id}/gallery"),
    ("GET", "/events/{id}/fields"),
    ("PUT", "/events/{id}"),
    ("DELETE", "/events/{id}"),
    ("PUT", "/organizations/{id}"),
    ("DELETE", "/tickets/{id}"),
    ("PUT", "/ticket-types/{id}"),
    ("DELETE", "/ticket-types/{id}"),
    ("GET", "/donations"),
    ("POST", "/donations"),
    ("PUT", "/donations/{id}"),
    ("GET", "/users/me"),
    ("GET", "/users/me/tickets"),
    ("GET", "/users/me/keys"),
    ("PUT", "/users/me"),
    ("GET", "/admin/stats"),
    ("GET", "/admin/users"),
    ("GET", "/admin/users/{id}"),
    ("PUT", "/admin/users/{id}"),
    ("DELETE", "/admin/users/{id}"),
    ("GET", "/admin/events"),
    ("GET", "/admin/donations"),
    ("PUT", "/admin/donations/{id}"),
    ("GET", "/admin/api-keys"),
    ("DELETE", "/admin/revoke-key/{id}"),
    ("GET", "/admin/plans"),
    ("GET", "/admin/rate-limits"),
}
"""Routes of the contract that are not there yet; the list shrinks until it is empty."""

CREATING = {"/auth/register", "/events", "/organizations", "/tickets", "/ticket-types", "/donations", "/keys"}
"""What answers a POST with 201 (decisions 1.4)."""

ROUTES_BY_LINE = {(route.method, same_for_all_names(route.path)): route for route in ROUTES}


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


def test_every_route_is_there_or_to_come_and_no_other_exists() -> None:
    assert len(ROUTES_BY_LINE) == len(ROUTES)
    assert not ROUTES_BY_LINE.keys() & TO_COME
    assert ROUTES_BY_LINE.keys() | TO_COME == {(route.method, route.path) for route in contract_routes()}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_route_has_the_badges_of_the_contract(route: Route) -> None:
    [line] = [
        line for line in contract_routes() if (line.method, line.path) == (route.method, same_for_all_names(route.path))
    ]
    assert route.operation.policy.key_types == line.badges


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_what_creates_answers_201_and_honours_an_idempotency_key(route: Route) -> None:
    creates = route.method == "POST" and route.path in CREATING
    assert route.status == (201 if creates else 200)
    assert route.operation.creates is creates


def test_every_operation_has_a_route_and_a_field() -> None:
    routed = [route.operation.name for route in ROUTES]
    assert sorted(routed) == sorted(OPERATIONS)
    assert sorted(OPERATION_FIELDS) == sorted(OPERATIONS)
