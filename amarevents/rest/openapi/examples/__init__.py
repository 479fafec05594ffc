"""An example of every route, typed by hand; where the contract has one, it is the contract's."""

from amarevents.rest.openapi.examples.accounts import ACCOUNTS
from amarevents.rest.openapi.examples.admin import ADMIN
from amarevents.rest.openapi.examples.events import EVENTS
from amarevents.rest.openapi.examples.example import Example, Line
from amarevents.rest.openapi.examples.tickets import TICKETS

EXAMPLES: dict[Line, Example] = {**ACCOUNTS, **EVENTS, **TICKETS, **ADMIN}
"""By method and path."""
