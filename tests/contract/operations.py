"""The operations as the surfaces have them: which route, which field, and what is still to come."""

from typing import Any

from amarevents.resolvers.operation import Operation
from amarevents.rest.routes import ROUTES
from amarevents.rest.routing import Route
from tests.contract.contract import same_for_all_names

FIELDS_TO_COME = {
    "list_event_tickets",
    "get_event_stats",
    "list_gallery",
    "list_custom_fields",
    "update_event",
    "delete_event",
    "update_organization",
    "delete_ticket",
    "update_ticket_type",
    "delete_ticket_type",
    "list_donations",
    "submit_donation",
    "update_donation",
    "get_profile",
    "list_own_tickets",
    "update_profile",
    "get_platform_stats",
    "list_users",
    "get_user",
    "update_user",
    "delete_user",
    "list_all_events",
    "list_all_donations",
    "admin_update_donation",
    "list_all_api_keys",
    "force_revoke_api_key",
    "list_plans",
    "list_rate_limits",
}
"""Operations that GraphQL does not have yet; the list shrinks until it is empty."""

GRAPHQL_ONLY = {"list_outgoing_mails"}
"""What only admins of the platform's own pages need: the contract has no route for it."""

ROUTES_BY_LINE: dict[tuple[str, str], Route] = {
    (route.method, same_for_all_names(route.path)): route for route in ROUTES
}


def operation_of(method: str, path: str) -> Operation[Any]:  # Any: each has its own view
    """The operation behind a route; ``path`` as the contract writes it."""
    return ROUTES_BY_LINE[method, path].operation
