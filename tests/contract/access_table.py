"""The whole table of access."""

from tests.contract import access_accounts, access_admin, access_events, access_tickets

ROWS = (*access_accounts.ROWS, *access_events.ROWS, *access_tickets.ROWS, *access_admin.ROWS)
