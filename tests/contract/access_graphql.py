"""The table of access: what GraphQL has and the contract no route for (decisions 4.7, 5.2, 9.3).

Typed from decisions 2.6, 4.1 and 6.9 as the tables beside it. A creation that succeeds is 200: nothing is 201 there.
"""

from tests.contract import access_door
from tests.contract.access import ADMIN, ADMINS, graphql_row

ONLY_GRAPHQL_ROWS = (graphql_row("{ outbox { items { id } } }", ADMIN, "admin", ADMINS), *access_door.ROWS)
