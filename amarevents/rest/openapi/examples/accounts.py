"""Examples of accounts, sessions and API keys."""

from amarevents.rest.openapi.examples.events import OWNED_ORGANIZATION
from amarevents.rest.openapi.examples.example import Example, RouteKey, Values

ACCOUNT: Values = {
    "id": 12,
    "username": "john",
    "email": "john@email.com",
    "number": "01700000000",
    "type": "organizer",
    "admin": False,
    "pfp": "https://dhakadevelopers.example/people/john.jpg",
    "country": "Bangladesh",
    "created_at": "2024-11-23T05:40:00Z",
}
_NEW_ACCOUNT: Values = {**ACCOUNT, "type": "user", "pfp": None, "country": None}
_PROFILE: Values = {
    **ACCOUNT,
    "organization": OWNED_ORGANIZATION,
    "organizations": [OWNED_ORGANIZATION],
    "stats": {"total_tickets": 4, "approved_tickets": 3, "total_spent": 749.5},
}

_PERMISSIONS = ["events:read", "tickets:read", "tickets:write"]
API_KEY: Values = {
    "id": 12,
    "name": "My App",
    "key_prefix": "ae_o_4f8aXq2",
    "key_type": "organizer",
    "permissions": _PERMISSIONS,
    "rate_limit": 120,
    "is_active": True,
    "expires_at": "2027-01-01T00:00:00Z",
    "last_used_at": "2026-11-23T05:39:20Z",
    "created_at": "2026-02-11T08:00:00Z",
}

ACCOUNTS: dict[RouteKey, Example] = {
    ("POST", "/auth/register"): Example(
        body={"username": "john", "email": "john@email.com", "password": "secret123", "number": "01700000000"},
        data=_NEW_ACCOUNT,
    ),
    ("POST", "/auth/login"): Example(
        body={"email": "john@email.com", "password": "secret123"}, data={**ACCOUNT, "token": None}
    ),
    ("POST", "/auth/logout"): Example(data={"logged_out": True}),
    ("GET", "/auth/me"): Example(
        data={
            "id": 12,
            "username": "john",
            "email": "john@email.com",
            "type": "organizer",
            "admin": False,
            "auth": {
                "method": "api_key",
                "key_id": 12,
                "key_type": "organizer",
                "permissions": _PERMISSIONS,
                "rate_limit": 120,
            },
        },
    ),
    ("GET", "/users/me"): Example(data=_PROFILE),
    ("GET", "/users/me/keys"): Example(data=[API_KEY]),
    ("PUT", "/users/me"): Example(body={"number": "01700000000", "country": "Bangladesh"}, data=_PROFILE),
    ("GET", "/keys"): Example(data=[API_KEY]),
    ("POST", "/keys"): Example(
        body={"name": "My App", "key_type": "organizer", "permissions": _PERMISSIONS, "expires_at": "2027-01-01"},
        data={**API_KEY, "last_used_at": None, "key": "ae_o_4f8aXq2…"},
    ),
    ("PUT", "/keys/{id}"): Example(
        path={"id": 12},
        body={"name": "My App", "permissions": _PERMISSIONS, "is_active": True},
        data=API_KEY,
    ),
    ("DELETE", "/keys/{id}"): Example(path={"id": 12}, data={"id": 12, "revoked": True}),
}
