"""The row type of the access table, the callers that are its columns, and names for statuses that recur.

A row is one request, to REST and to GraphQL, with the status that each of the ten callers gets. The rows are in
``access_accounts``, ``access_events``, ``access_tickets``, ``access_admin`` and ``access_graphql``; they are typed from
the badges of the contract and decisions 2.4 to 2.9, 4.1, 5, 6.9, 7.3 and 8, never from the code.
"""

import re
from dataclasses import dataclass
from string import Template

CALLERS = (
    "anonymous",
    "holder",  # a user key of the ticket holder
    "other_user",  # a user key of another account
    "owner",  # an organizer key of the event's owner
    "other_organizer",  # an organizer key of another organizer
    "admin",  # an admin key
    "holder's session",
    "owner's session",
    "other_organizer's session",
    "admin's session",
)
"""The columns of the table."""


@dataclass(frozen=True)
class Row:
    """A request on both surfaces and its status for each of CALLERS.

    ``$name`` in the path, the body and the document is replaced with what the scene has under that name.
    ``path`` is empty if REST has no such route; ``graphql`` is empty if another row covers the same field.
    ``statuses``: one for each of CALLERS, in their order. ``badges``: the key types that may call it; none if it is
    public. ``scope``: the permission that a key needs as well (decisions 2.6), except keys of the types
    ``without_scope``.
    """

    method: str
    path: str
    body: str
    graphql: str
    statuses: str
    scope: str | None = None
    badges: tuple[str, ...] = ()
    without_scope: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}" if self.path else self.graphql

    @property
    def only_reads(self) -> bool:
        if not self.path:
            return not self.graphql.startswith("mutation")
        return self.method == "GET" or self.path.endswith("/verify")

    @property
    def root_field(self) -> str:
        """Return the root field of the GraphQL document."""
        return re.split(r"\W+", self.graphql.partition("{")[2].strip())[0]

    @property
    def contract_path(self) -> str:
        """Return the path in the contract's notation."""
        return "/".join("{id}" if part.startswith("$") else part for part in self.path.partition("?")[0].split("/"))

    @property
    def expected(self) -> dict[str, int]:
        """Return the status for each of CALLERS."""
        return dict(zip(CALLERS, map(int, self.statuses.split()), strict=True))

    @property
    def names(self) -> list[str]:
        """Return the ``$names`` in the row."""
        return Template(f"{self.path} {self.body} {self.graphql}").get_identifiers()


def graphql_row(document: str, statuses: str, scope: str, badges: tuple[str, ...]) -> Row:
    """Return a row for a field that has no route in the contract."""
    return Row("", "", "", document, statuses, scope, badges)


ORGANIZERS = ("organizer", "admin")
USERS = ("user", *ORGANIZERS)
ADMINS = ("admin",)

PUBLIC_READ = "200 200 200 200 200 200 200 200 200 200"
PUBLIC_CREATE = "201 201 201 201 201 201 201 201 201 201"
ACCOUNT = "401 200 200 200 200 200 200 200 200 200"
ACCOUNT_CREATE = "401 201 201 201 201 201 201 201 201 201"
OF_ANOTHER_ACCOUNT = "401 404 404 404 404 404 404 404 404 404"
# Publicly visible, but only the owner and admins may change or list it: 403 for the others (decisions 6.9).
OWNER = "401 403 403 200 403 200 403 200 403 200"
OWNER_CREATE = "401 403 403 201 403 201 403 201 403 201"
# Not public: 404 without access to it. The key type is checked first.
HIDDEN = "401 403 403 200 404 200 403 200 404 200"
HIDDEN_CREATE = "401 403 403 201 404 201 403 201 404 201"
HOLDERS_TICKET = "401 200 404 200 404 200 200 200 404 200"
PRIVATE_EVENT = "404 200 404 200 404 200 200 200 404 200"
# The holder of a ticket to a private event sees the event, but has no further rights: 403 instead of 404.
PRIVATE_EVENT_OWNER = "401 403 404 200 404 200 403 200 404 200"
ORGANIZER = "401 403 403 200 200 200 403 200 200 200"
ORGANIZER_CREATE = "401 403 403 201 201 201 403 201 201 201"
ADMIN = "401 403 403 403 403 200 403 403 403 200"
ADMIN_CREATE = "401 403 403 403 403 201 403 403 403 201"
# Only admins see donations to the platform (decisions 7.3).
PLATFORM_DONATION = "401 403 403 404 404 200 403 404 404 200"
# Badge "User" alone: user keys and every session (decisions 2.6).
USER_KEY = "401 200 200 403 403 403 200 200 200 200"
