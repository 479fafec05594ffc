"""The operations as the surfaces have them: which route, which field, and what is still to come."""

from typing import Any

from amarevents.resolvers.core.operation import Operation
from amarevents.rest.routes import ROUTES
from amarevents.rest.routing import Route
from tests.contract.contract import same_for_all_names

GRAPHQL_ONLY = {
    "list_outgoing_mails",  # what only admins of the platform's own pages need
    # Walks that GraphQL has a specification for; the contract's pages of the same lists are by number.
    *("list_events_by_cursor", "list_tickets_by_cursor"),
    # decisions 4.7
    *("create_custom_field", "update_custom_field", "delete_custom_field", "reorder_custom_fields"),
    *("create_gallery_image", "update_gallery_image", "delete_gallery_image", "reorder_gallery"),
    *("create_plan", "update_plan", "delete_plan"),  # decisions 5.2
    *("check_in_ticket", "undo_check_in"),  # the door, decisions 9.3
    *("approve_payments", "reject_payments"),  # bulk approval, decisions 9.3
    "duplicate_event",
}
"""What the contract has no route for."""

ROUTES_BY_LINE: dict[tuple[str, str], Route] = {
    (route.method, same_for_all_names(route.path)): route for route in ROUTES
}


def operation_of(method: str, path: str) -> Operation[Any]:  # Any: each has its own view
    """The operation behind a route; ``path`` as the contract writes it."""
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
    "list_events_by_cursor": "eventsConnection",
    "list_tickets_by_cursor": "ticketsConnection",
}
"""The names of decisions 9.2 and 9.3, where they are not the operation's own; connections are beyond them."""

EDGES = {
    "list_event_tickets": "tickets",
    "get_event_stats": "stats",
    "list_gallery": "gallery",
    "list_custom_fields": "customFields",
}
"""What is a query of its own in REST, and a field of its event in GraphQL (decisions 9.2)."""


def camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


def field_name(operation: Operation[Any]) -> str:
    """Of the query, the mutation or the edge."""
    return EDGES.get(operation.name) or QUERY_NAMES.get(operation.name, camel(operation.name))
