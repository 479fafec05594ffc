"""An example of every route, written by hand. Where the contract has an example, this is the same."""

from amarevents.rest.openapi.examples.accounts import ACCOUNTS
from amarevents.rest.openapi.examples.admin import ADMIN
from amarevents.rest.openapi.examples.events import EVENTS
from amarevents.rest.openapi.examples.example import Example, RouteKey
from amarevents.rest.openapi.examples.tickets import TICKETS

EXAMPLES: dict[RouteKey, Example] = {**ACCOUNTS, **EVENTS, **TICKETS, **ADMIN}
"""The examples by method and path."""
