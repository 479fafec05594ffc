"""What the document says in words: the introduction, the nouns, who may call."""

from amarevents.models.enums import KeyType
from amarevents.resolvers.core.idempotency import LIFETIME_HOURS
from amarevents.resolvers.core.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from amarevents.security.policy import Policy
from amarevents.security.rate_limit.quotas import AddressLimit, address_quota, key_limit
from amarevents.settings import Settings

_DEFAULTS = Settings()


INTRODUCTION = f"""
Events, tickets and donations, and the organizations behind them; over [GraphQL](/graphql) as well.

### Authentication

Send an API key as `Authorization: Bearer ae_u_…`. Its prefix tells its type: `ae_u_` user, `ae_o_` organizer, `ae_a_`
admin. Create keys with `POST /keys`, after `POST /auth/login` or with a key that you have; the raw key is shown once.
Pages of the platform itself use the session cookie that logging in sets; a request that changes something must then
send JSON and `Origin: <this server>` (or another origin that the operator allows), or it is refused with 403. A request
with an `Authorization` header is judged by it alone: a wrong key is 401 on public routes too. Each route says which key
types may call it and which permission the key must hold.

### Answers

Success is `{{"success": true, "data": …}}`; a paged list adds `pagination`. Failure is `{{"success": false, "error": …,
"code": …}}`: `error` is for people, `code` for programs, and `fields`, where it is there, says what is wrong with which
field. The statuses are 200, 201, 400, 401, 403, 404, 405, 429 and 500; `code` tells apart what shares one. Every answer
has an `X-Request-ID`.

### Values

Ids are integers, money is a JSON number with at most two decimals, dates are `YYYY-MM-DD`, instants are RFC 3339 in
UTC. Texts are trimmed, and an empty text counts as missing. Unknown fields of a body are refused, unknown parameters of
a query ignored. `PUT` changes only the fields that are sent; `null` clears an optional one.

### Paging

`page` counts from 1; `limit` is {DEFAULT_PAGE_SIZE} unless sent, at most {MAX_PAGE_SIZE}.

### Rate limits

Per key, in any 60 seconds: {key_limit(KeyType.USER, _DEFAULTS)} requests with a user key,
{key_limit(KeyType.ORGANIZER, _DEFAULTS)} with an organizer key and {key_limit(KeyType.ADMIN, _DEFAULTS)} with an admin
key, unless the operator has set others. A session has the limit of its account's role. The `X-RateLimit-…` headers
say what is left. After a 429 wait for the seconds in `Retry-After`, not until `X-RateLimit-Reset`: that is when all
requests are there again, and the next one is there sooner.

### Samples

The samples of each route run as they are. They read the address of this server and your key from the environment:
`export AMAR_EVENTS_URL=<this server> AMAR_EVENTS_KEY=ae_u_…`; the address is without `/api` at its end.

### Doing things once

What creates something takes an `Idempotency-Key`: the same key and body within {LIFETIME_HOURS} hours give the first answer
again and do nothing twice.
""".strip()

# By the first part of the path, in the order of the contract.
_TAGS = {
    "auth": ("Auth", "Accounts and sessions."),
    "events": ("Events", "What organizations publish and people register for."),
    "organizations": ("Organizations", "Who publishes events."),
    "tickets": ("Tickets", "Registrations: from the first payment to the check at the door."),
    "ticket-types": ("Ticket Types", "The kinds of place that an event offers."),
    "donations": ("Donations", "Gifts to organizations or to the platform, by mobile payment."),
    "users": ("Users", "One's own account."),
    "keys": ("API Keys", "Keys for programs, and what each of them may do."),
    "admin": ("Admin", "The whole platform; for admin keys and for sessions of admins."),
}


def tag_of(path: str) -> str:
    """The noun that a route belongs to."""
    return _TAGS[path.split("/")[1]][0]


def tags() -> list[dict[str, str]]:
    return [{"name": name, "description": description} for name, description in _TAGS.values()]


def access_text(policy: Policy) -> str:
    """Who may call, in a sentence (decisions 2.6)."""
    if policy.is_public:
        return "Public: needs no credential."
    *others, last = [key_type for key_type in KeyType if key_type in policy.key_types]
    types = f"{', '.join(others)} or {last}" if others else last
    article = "an" if types[0] in "ao" else "a"
    scope = f" with `{policy.scope}`" if policy.scope is not None else ""
    return f"Needs {article} {types} key{scope}, or a session of such an account."


def address_limit_text(limit: AddressLimit | None) -> str:
    """The further limit of decisions 3.4, as it is by default."""
    if limit is None:
        return ""
    requests = address_quota(limit, "", _DEFAULTS).limit
    return f"Also limited to {requests} requests a minute from one address, unless the operator has set otherwise."
