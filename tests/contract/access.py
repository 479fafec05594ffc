"""Who may do what, and the words of the table that says it.

The table is typed from the contract's badges and decisions 2.4 to 2.9, 4.1, 5, 6.9, 7.3 and 8, derived from no code.
"""

import re
from dataclasses import dataclass
from string import Template

CALLERS = (
    "nobody",
    "holder",  # the user key of the account whose ticket it is
    "stranger",  # another account's user key
    "owner",  # the organizer key of the account whose event it is
    "foreign",  # another organizer's key
    "admin",
    "holder's session",
    "owner's session",
    "foreign session",
    "admin's session",
)


@dataclass(frozen=True)
class Row:
    """A request on both surfaces, ``$name`` standing for what the scene holds, and its status for each of CALLERS.

    ``graphql``: empty where another row has asked for the same field; ``path``: empty for what REST has no route for.
    ``badges``: the key types that may call it, none if it is public; ``scope``: what a key must hold besides (2.6).
    """

    method: str
    path: str
    body: str
    graphql: str
    statuses: str
    scope: str | None = None
    badges: tuple[str, ...] = ()

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
        """What is asked for over GraphQL."""
        return re.split(r"\W+", self.graphql.partition("{")[2].strip())[0]

    @property
    def contract_path(self) -> str:
        """The path as the contract writes it."""
        return "/".join("{id}" if part.startswith("$") else part for part in self.path.partition("?")[0].split("/"))

    @property
    def expected(self) -> dict[str, int]:
        """The status for each of CALLERS."""
        return dict(zip(CALLERS, map(int, self.statuses.split()), strict=True))

    @property
    def names(self) -> list[str]:
        """What stands for something of the scene."""
        return Template(f"{self.path} {self.body} {self.graphql}").get_identifiers()


def graphql_row(document: str, statuses: str, scope: str, badges: tuple[str, ...]) -> Row:
    """A request that the contract has no route for."""
    return Row("", "", "", document, statuses, scope, badges)


ORGANIZERS = ("organizer", "admin")
USERS = ("user", *ORGANIZERS)
ADMINS = ("admin",)

PUBLIC_READ = "200 200 200 200 200 200 200 200 200 200"
PUBLIC_CREATE = "201 201 201 201 201 201 201 201 201 201"
ACCOUNT = "401 200 200 200 200 200 200 200 200 200"
ACCOUNT_CREATE = "401 201 201 201 201 201 201 201 201 201"
NOT_ITS_OWN = "401 404 404 404 404 404 404 404 404 404"
# Publicly visible, but to be changed or listed by owner and admins alone: 403 for whoever sees it (6.9).
OWNER = "401 403 403 200 403 200 403 200 403 200"
OWNER_CREATE = "401 403 403 201 403 201 403 201 403 201"
# What is not public does not exist for those without a right to it; badges come first.
HIDDEN = "401 403 403 200 404 200 403 200 404 200"
HIDDEN_CREATE = "401 403 403 201 404 201 403 201 404 201"
ANYBODYS_TICKET = "401 200 404 200 404 200 200 200 404 200"
PRIVATE_EVENT = "404 200 404 200 404 200 200 200 404 200"
# Whoever holds a ticket to a private event knows of it, and may do no more with it than with a public one.
PRIVATE_EVENT_OWNER = "401 403 404 200 404 200 403 200 404 200"
ORGANIZER = "401 403 403 200 200 200 403 200 200 200"
ORGANIZER_CREATE = "401 403 403 201 201 201 403 201 201 201"
ADMIN = "401 403 403 403 403 200 403 403 403 200"
ADMIN_CREATE = "401 403 403 403 403 201 403 403 403 201"
# A donation to the platform is there for admins alone (7.3).
ADMINS_OF_ORGANIZERS = "401 403 403 404 404 200 403 404 404 200"
# Of the badge User alone, which every session counts as (2.6).
USER_KEY = "401 200 200 403 403 403 200 200 200 200"
# User keys, admin keys and any session (2.7).
NO_ORGANIZER_KEY = "401 200 200 403 403 200 200 200 200 200"
