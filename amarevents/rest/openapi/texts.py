"""Texts of the OpenAPI document: the introduction, the tags, and sentences about access and rate limits."""

from collections.abc import Collection

from amarevents.models.enums import KeyType
from amarevents.resolvers.core.idempotency import LIFETIME_HOURS
from amarevents.resolvers.core.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from amarevents.security.policy import Policy
from amarevents.security.rate_limit.quotas import AddressLimit, address_quota, key_limit
from amarevents.settings import Settings

_DEFAULTS = Settings()


INTRODUCTION = f"""
The REST API of Amar Events: organizations publish events, people register for them, pay and donate. The same data is
available through [GraphQL](/graphql).

### Authentication

Send an API key in the `Authorization` header: `Authorization: Bearer ae_u_…`. The prefix of a key shows its type:
`ae_u_` for user keys, `ae_o_` for organizer keys and `ae_a_` for admin keys. To create a key, call `POST /keys` after
logging in with `POST /auth/login`, or with a key that you already have. The full key is shown only once.

`POST /auth/login` sets a session cookie. With `"token": true` it instead returns the session as a token, `ae_s_…`,
which is sent like an API key. Requests that change data with the cookie must not come from the page of another origin,
unless the operator of this server allows it, and their body must be JSON; otherwise they are refused with status 403.
Programs need no special headers.

The header `X-API-Key: ae_u_…` is the same as `Authorization: Bearer ae_u_…`. If a request has one of them, its cookie
is ignored, and a key that is not valid causes status 401 even on public routes. The description of each route lists the
key types that may call it and the permission the key needs.

### Responses

A successful response has the form `{{"success": true, "data": …}}`; lists also have `pagination`.
An error has the form `{{"success": false, "error": …, "code": …}}`: `error` is a message for people, `code` identifies
the error for programs. If particular fields are not valid, `fields` says what is wrong with each of them. The status
codes are 200, 201, 400, 401, 403, 404, 405, 429 and 500. Every response has an `X-Request-ID` header; quote it when you
report a problem.

### Data formats

IDs are integers. Money is a JSON number in taka with at most two decimals. Dates have the form `YYYY-MM-DD`, and
timestamps are RFC 3339 in UTC. Leading and trailing spaces of text are removed, and empty text counts as missing.
Enum values are accepted in any case. Numbers and booleans may also be sent as text, such as `"499.50"` or `"true"`.
Unknown fields in a request body are rejected; unknown query parameters are ignored. `PUT` changes only the fields you
send; send `null` to clear an optional field. Read-only fields of the response are ignored in the body of a `PUT`, so
you can send back what you read. When you create something, `null` for an optional field means that it is left out.

### Pagination

Lists take `page`, which starts at 1, and `limit`, the number of items per page: at most {MAX_PAGE_SIZE}, and more is
taken as {MAX_PAGE_SIZE}. The default is {DEFAULT_PAGE_SIZE}. For lists that are seldom longer than a page (galleries,
custom fields, ticket types, the caller's API keys, plans and rate limits), it is {MAX_PAGE_SIZE}.

### Rate limits

By default, a user key may send {key_limit(KeyType.USER, _DEFAULTS)} requests in any 60 seconds, an organizer key
{key_limit(KeyType.ORGANIZER, _DEFAULTS)} and an admin key {key_limit(KeyType.ADMIN, _DEFAULTS)}; all keys of an account
together may send {_DEFAULTS.rate_limit_account}, and all its sessions together {_DEFAULTS.rate_limit_session}.
Anonymous requests from one IP address are limited to {_DEFAULTS.rate_limit_anonymous}. The `X-RateLimit-…` headers
show the current state of the key or the sessions. After status 429, wait for the number of seconds in `Retry-After`;
`X-RateLimit-Reset` is when the full limit is available again, which is later.

### Idempotent requests

Routes that create something accept an `Idempotency-Key` header, so that you can safely retry a request. A request with
the same key and the same body within {LIFETIME_HOURS} hours returns the first response, marked by the header
`Idempotency-Replayed: true`, and creates nothing.

### Other origins

Pages of any origin may send requests without credentials or with a key or token, and read the responses (CORS). Only
the origins that the operator of this server allows may send the cookie.

### Code samples

The code samples run as they are. They read the address of this server (without `/api`) and your API key from the
environment: `export AMAR_EVENTS_URL=<address of this server> AMAR_EVENTS_KEY=ae_u_…`.
""".strip()

IDEMPOTENCY_TEXT = "To be able to retry safely, send an `Idempotency-Key` header."

# By the first segment of the path, in the order of the contract.
_TAGS = {
    "auth": ("Auth", "Register, log in and log out."),
    "events": ("Events", "Events, with their custom fields, galleries and statistics."),
    "organizations": ("Organizations", "The organizations that publish events."),
    "tickets": ("Tickets", "Registrations for events, from payment to admission."),
    "ticket-types": ("Ticket Types", "The kinds of ticket that an event offers, with prices and capacities."),
    "donations": ("Donations", "Donations to organizations or to the platform, made by mobile payment."),
    "users": ("Users", "The account of the caller."),
    "keys": ("API Keys", "API keys and their permissions."),
    "admin": ("Admin", "Administration of the whole platform, for admins only."),
}


def tag_of(path: str) -> str:
    """Return the name of the tag that groups the routes of ``path``."""
    return _TAGS[path.split("/")[1]][0]


def tags() -> list[dict[str, str]]:
    """Return all tags with their descriptions."""
    return [{"name": name, "description": description} for name, description in _TAGS.values()]


def access_text(policy: Policy) -> str:
    """Return a sentence that says who may call (decisions 2.6)."""
    if policy.is_public:
        return "Public: no authentication required."
    scoped, types = _one_of(policy.key_types - policy.without_scope), _one_of(policy.key_types)
    scope = f" with `{policy.scope}`" if policy.scope is not None else ""
    unscoped = f", {_one_of(policy.without_scope)} key" if policy.without_scope else ""
    return f"Requires {scoped} key{scope}{unscoped}, or the session of {types}."


def _one_of(key_types: Collection[KeyType]) -> str:
    """Return key types with an article: "a user, organizer or admin"."""
    *others, last = [key_type for key_type in KeyType if key_type in key_types]
    types = f"{', '.join(others)} or {last}" if others else last
    return f"{'an' if types[0] in 'ao' else 'a'} {types}"


def address_limit_text(limit: AddressLimit | None) -> str:
    """Return a sentence about the limit per client address (decisions 3.4), by default, or empty text without one."""
    if limit is None:
        return ""
    requests = address_quota(limit, "", _DEFAULTS).limit
    return f"Without credentials, also limited by default to {requests} requests per minute from one IP address."
