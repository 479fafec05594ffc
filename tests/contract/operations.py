"""The names of operations on each surface, typed from decisions 9.2 and 9.3.

A row names an operation: in GRAPHQL_ONLY if it has no route, in QUERY_NAMES if its GraphQL field is not named after the
operation, in EDGES if it is a route in REST and a field of ``Event`` in GraphQL.
"""

from typing import Any

from amarevents.resolvers.core.operation import Operation
from amarevents.rest.routes import ROUTES
from amarevents.rest.routing import Route
from tests.contract.contract import with_contract_parameters

GRAPHQL_ONLY = {
    "list_outgoing_mails",  # for the admin pages
    # Cursor pagination is a specification of GraphQL; the routes of the contract have numbered pages.
    *("list_events_by_cursor", "list_tickets_by_cursor"),
    # decisions 4.7
    *("create_custom_field", "update_custom_field", "delete_custom_field", "reorder_custom_fields"),
    *("create_gallery_image", "update_gallery_image", "delete_gallery_image", "reorder_gallery"),
    "duplicate_event",  # docs/decisions.md, "Duplicated events"
    *("create_plan", "update_plan", "delete_plan"),  # decisions 5.2
    *("check_in_ticket", "undo_check_in"),  # decisions 9.3
    *("approve_payments", "reject_payments"),  # decisions 9.3
    "add_payment",  # decisions 6.2a
    *("request_password_reset", "reset_password"),  # decisions 2.3c
    "get_rate_limit_status",  # decisions 3.8
}
"""Operations without a route in the contract."""

ROUTES_BY_LINE: dict[tuple[str, str], Route] = {
    (route.method, with_contract_parameters(route.path)): route for route in ROUTES
}


def operation_of(method: str, path: str) -> Operation[Any]:  # Any: each has its own view
    """Return the operation of a route; ``path`` is in the contract's notation."""
    return ROUTES_BY_LINE[method, path].operation


QUERY_NAMES = {
    "list_events": "events",
    "get_event": "event",
    "list_organizations": "organizations",
    "get_organization": "organization",
    "list_tickets": "tickets",
    "get_ticket": "ticket",
    "list_ticket_types": "ticketTypes",
    "list_api_keys": "apiKeys",
    "list_outgoing_mails": "outbox",
    "get_profile": "myProfile",
    "list_own_tickets": "myTickets",
    "update_profile": "updateMe",
    "list_donations": "donations",
    "get_platform_stats": "adminStats",
    "list_users": "users",
    "get_user": "user",
    "list_all_events": "adminEvents",
    "list_all_donations": "adminDonations",
    "list_all_api_keys": "adminApiKeys",
    "list_plans": "plans",
    "list_rate_limits": "rateLimits",
    "get_rate_limit_status": "rateLimit",
    "list_events_by_cursor": "eventsConnection",
    "list_tickets_by_cursor": "ticketsConnection",
}
"""The GraphQL fields whose names are not those of their operations (decisions 9.2 and 9.3, and connections)."""

EDGES = {
    "list_event_tickets": "tickets",
    "get_event_stats": "stats",
    "list_gallery": "gallery",
    "list_custom_fields": "customFields",
}
"""Operations that are routes in REST and fields of ``Event`` in GraphQL (decisions 9.2)."""


def camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


def input_fields(operation: Operation[Any]) -> set[str]:
    """Return the names of the fields that the operation's Input has in REST."""
    if operation.input_type is None:
        return set()
    return operation.input_type.fields_by_name().keys() - getattr(operation.input_type, "GRAPHQL_ONLY", frozenset())


def field_name(operation: Operation[Any]) -> str:
    """Return the name of the operation's GraphQL field: a query, a mutation or an edge of ``Event``."""
    return EDGES.get(operation.name) or QUERY_NAMES.get(operation.name, camel(operation.name))
