"""The access table as a whole: ``ROWS`` for the routes of the contract, ``ALL_ROWS`` with those of GraphQL alone."""

from tests.contract import access_accounts, access_admin, access_events, access_tickets
from tests.contract.access_graphql import ONLY_GRAPHQL_ROWS

ROWS = (*access_accounts.ROWS, *access_events.ROWS, *access_tickets.ROWS, *access_admin.ROWS)
ALL_ROWS = (*ROWS, *ONLY_GRAPHQL_ROWS)
