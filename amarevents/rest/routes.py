"""The contract's routes, one line each."""

from amarevents.resolvers import accounts, api_keys, events, organizations, registration, ticket_types, tickets
from amarevents.rest.routing import Route

ROUTES = (
    Route("POST", "/auth/register", accounts.register, status=201),
    Route("POST", "/auth/login", accounts.login),
    Route("POST", "/auth/logout", accounts.logout),
    Route("GET", "/auth/me", accounts.me),
    Route("GET", "/events", events.list_events),
    Route("GET", "/events/{id}", events.get_event),
    Route("POST", "/events", events.create_event, status=201),
    Route("GET", "/organizations", organizations.list_organizations),
    Route("GET", "/organizations/{id}", organizations.get_organization),
    Route("POST", "/organizations", organizations.create_organization, status=201),
    Route("GET", "/tickets", tickets.list_tickets),
    Route("GET", "/tickets/{id}", tickets.get_ticket),
    Route("POST", "/tickets", registration.register_for_event, status=201),
    Route("POST", "/tickets/{ticket}/verify", tickets.verify_ticket),
    Route("PUT", "/tickets/{id}", registration.update_ticket),
    Route("GET", "/ticket-types", ticket_types.list_ticket_types),
    Route("POST", "/ticket-types", ticket_types.create_ticket_type, status=201),
    Route("GET", "/keys", api_keys.list_api_keys),
    Route("POST", "/keys", api_keys.create_api_key, status=201),
    Route("PUT", "/keys/{id}", api_keys.update_api_key),
    Route("DELETE", "/keys/{id}", api_keys.revoke_api_key),
)
