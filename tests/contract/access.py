"""Who may do what: typed from the contract's badges and decisions 2.6, 4.1 and 6.9, derived from no code."""

from dataclasses import dataclass

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
        return f"{self.method} {self.path}"

    @property
    def only_reads(self) -> bool:
        return self.method == "GET" or self.path.endswith("/verify")

    @property
    def contract_path(self) -> str:
        """The path as the contract writes it."""
        return "/".join("{id}" if part.startswith("$") else part for part in self.path.partition("?")[0].split("/"))


ORGANIZERS = ("organizer", "admin")
USERS = ("user", *ORGANIZERS)

PUBLIC_READ = "200 200 200 200 200 200 200 200 200 200"
PUBLIC_CREATE = "201 201 201 201 201 201 201 201 201 201"
ACCOUNT = "401 200 200 200 200 200 200 200 200 200"
ACCOUNT_CREATE = "401 201 201 201 201 201 201 201 201 201"
NOT_ITS_OWN = "401 404 404 404 404 404 404 404 404 404"
# Publicly visible, but to be changed or listed by owner and admins alone: 403 for whoever sees it (6.9).
OWNER_CREATE = "401 403 403 201 403 201 403 201 403 201"
OWNER_LIST = "401 403 403 200 403 200 403 200 403 200"
# A ticket of somebody else does not exist for those without a right to it; badges come first.
ORGANIZER_TICKET = "401 403 403 200 404 200 403 200 404 200"
ANYBODYS_TICKET = "401 200 404 200 404 200 200 200 404 200"
PRIVATE_EVENT = "404 200 404 200 404 200 200 200 404 200"
ADMIN_CREATE = "401 403 403 403 403 201 403 403 403 201"

ROWS = (
    Row(
        "POST",
        "/auth/register",
        '{"username": "new$unique", "email": "new$unique@example.com", "password": "secret123", "number": "017000000"}',
        'mutation { register(input: {username: "new$unique", email: "new$unique@example.com", '
        'password: "secret123", number: "0170000000"}) { id } }',
        PUBLIC_CREATE,
    ),
    Row(
        "POST",
        "/auth/login",
        '{"email": "$email", "password": "secret123"}',
        'mutation { login(input: {email: "$email", password: "secret123"}) { id } }',
        PUBLIC_READ,
    ),
    Row("POST", "/auth/logout", "", "mutation { logout { loggedOut } }", PUBLIC_READ),
    Row("GET", "/auth/me", "", "{ me { id } }", ACCOUNT, badges=USERS),
    Row("GET", "/events", "", "{ events { items { id } } }", PUBLIC_READ),
    Row("GET", "/events/$event", "", "{ event(id: $event) { id } }", PUBLIC_READ),
    Row("GET", "/events/$secret", "", "{ event(id: $secret) { id } }", PRIVATE_EVENT),
    Row(
        "POST",
        "/events",
        '{"name": "Fair", "organization_id": $organization}',
        'mutation { createEvent(input: {name: "Fair", organizationId: $organization}) { id } }',
        OWNER_CREATE,
        "events:write",
        ORGANIZERS,
    ),
    Row("GET", "/organizations", "", "{ organizations { items { id } } }", PUBLIC_READ),
    Row("GET", "/organizations/$organization", "", "{ organization(id: $organization) { id } }", PUBLIC_READ),
    Row(
        "POST",
        "/organizations",
        '{"name": "Club", "user_id": $holder}',
        'mutation { createOrganization(input: {name: "Club", userId: $holder}) { id } }',
        ADMIN_CREATE,
        "organizations:write",
        ("admin",),
    ),
    Row("GET", "/tickets", "", "{ tickets { items { id } } }", ACCOUNT, "tickets:read", USERS),
    Row(
        "GET",
        "/tickets?event_id=$event",
        "",
        "{ tickets(eventId: $event) { items { id } } }",
        OWNER_LIST,
        "tickets:read",
        USERS,
    ),
    Row("GET", "/tickets/$ticket", "", "{ ticket(id: $ticket) { id } }", ANYBODYS_TICKET, "tickets:read", USERS),
    Row(
        "POST",
        "/tickets",
        '{"event_id": $event}',
        "mutation { registerForEvent(input: {eventId: $event}) { id } }",
        ACCOUNT_CREATE,
        "tickets:write",
        USERS,
    ),
    Row(
        "POST",
        "/tickets",
        '{"event_id": $secret}',
        "mutation { registerForEvent(input: {eventId: $secret}) { id } }",
        "401 201 404 201 404 201 201 201 404 201",
        "tickets:write",
        USERS,
    ),
    Row(
        "POST",
        "/tickets/$strangers_ticket/verify",
        "",
        "{ verifyTicket(id: $strangers_ticket) { valid } }",
        ORGANIZER_TICKET,
        "tickets:read",
        ORGANIZERS,
    ),
    Row(
        "PUT",
        "/tickets/$strangers_ticket",
        '{"note": "seen"}',
        'mutation { updateTicket(id: $strangers_ticket, input: {note: "seen"}) { id } }',
        ORGANIZER_TICKET,
        "tickets:write",
        ORGANIZERS,
    ),
    Row("GET", "/ticket-types?event_id=$event", "", "{ ticketTypes(eventId: $event) { id } }", PUBLIC_READ),
    Row("GET", "/ticket-types?event_id=$secret", "", "{ ticketTypes(eventId: $secret) { id } }", PRIVATE_EVENT),
    Row(
        "POST",
        "/ticket-types",
        '{"event_id": $event, "name": "Floor"}',
        'mutation { createTicketType(input: {eventId: $event, name: "Floor"}) { id } }',
        OWNER_CREATE,
        "events:write",
        ORGANIZERS,
    ),
    Row("GET", "/keys", "", "{ apiKeys { id } }", ACCOUNT, "users:read", USERS),
    Row(
        "POST",
        "/keys",
        '{"name": "New", "key_type": "user"}',
        'mutation { createApiKey(input: {name: "New", keyType: USER}) { id } }',
        ACCOUNT_CREATE,
        badges=USERS,
    ),
    Row(
        "PUT",
        "/keys/$own_key",
        '{"name": "Renamed"}',
        'mutation { updateApiKey(id: $own_key, input: {name: "Renamed"}) { id } }',
        ACCOUNT,
        badges=USERS,
    ),
    Row(
        "PUT",
        "/keys/$others_key",
        '{"name": "Renamed"}',
        'mutation { updateApiKey(id: $others_key, input: {name: "Renamed"}) { id } }',
        NOT_ITS_OWN,
        badges=USERS,
    ),
    Row("DELETE", "/keys/$own_key", "", "mutation { revokeApiKey(id: $own_key) { revoked } }", ACCOUNT, badges=USERS),
    Row(
        "DELETE",
        "/keys/$others_key",
        "",
        "mutation { revokeApiKey(id: $others_key) { revoked } }",
        NOT_ITS_OWN,
        badges=USERS,
    ),
)
