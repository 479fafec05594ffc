"""Examples of routes for admins."""

from amarevents.rest.openapi.examples.accounts import ACCOUNT, API_KEY
from amarevents.rest.openapi.examples.events import BAUL_NIGHT, OWNED_ORGANIZATION, SUMMIT
from amarevents.rest.openapi.examples.example import Example, RouteKey, Values
from amarevents.rest.openapi.examples.tickets import DONATION, VERIFIED_DONATION

_USER: Values = {
    **ACCOUNT,
    "organization": OWNED_ORGANIZATION,
    "organizations": [OWNED_ORGANIZATION],
    "api_keys": [API_KEY],
    "ticket_count": 4,
}

ADMIN: dict[RouteKey, Example] = {
    ("GET", "/admin/stats"): Example(
        data={
            "total_users": 5120,
            "total_organizers": 64,
            "total_admins": 3,
            "total_organizations": 71,
            "total_events": 310,
            "public_events": 287,
            "total_tickets": 18250,
            "tickets_by_status": {"Pending": 410, "Success": 16900, "Failed": 720, "Refunded": 220},
            "total_revenue": 4180350.5,
            "total_donations": 96,
            "donations_by_status": {"pending": 9, "verified": 81, "rejected": 6},
            "verified_donation_amount": 152500,
            "active_api_keys": 143,
            "new_users_7d": 88,
            "new_tickets_7d": 412,
        },
    ),
    ("GET", "/admin/users"): Example(query={"search": "john", "type": "organizer", "admin": 0}, data=[ACCOUNT]),
    ("GET", "/admin/users/{id}"): Example(path={"id": 12}, data=_USER),
    ("PUT", "/admin/users/{id}"): Example(path={"id": 12}, body={"promote_organizer": True}, data=_USER),
    ("DELETE", "/admin/users/{id}"): Example(path={"id": 12}, data={"id": 12, "deleted": True}),
    ("GET", "/admin/events"): Example(query={"privacy": "public"}, data=[SUMMIT, BAUL_NIGHT]),
    ("GET", "/admin/donations"): Example(query={"status": "pending"}, data=[DONATION]),
    ("PUT", "/admin/donations/{id}"): Example(path={"id": 88}, body={"status": "verified"}, data=VERIFIED_DONATION),
    ("GET", "/admin/api-keys"): Example(
        query={"user_id": 12, "active": 1, "key_type": "organizer"},
        data=[{**API_KEY, "user_id": 12, "username": "john"}],
    ),
    ("DELETE", "/admin/revoke-key/{id}"): Example(path={"id": 12}, data={"id": 12, "revoked": True}),
    ("GET", "/admin/plans"): Example(
        data=[
            {
                "id": 1,
                "name": "Free",
                "price": 0,
                "currency": "BDT",
                "event_limit": None,
                "features": {"support": "community"},
            }
        ],
    ),
    ("GET", "/admin/rate-limits"): Example(
        data=[
            {
                "key_id": 12,
                "key_name": "My App",
                "key_prefix": "ae_o_4f8aXq2",
                "key_type": "organizer",
                "user_id": 12,
                "limit": 120,
                "used": 17,
                "remaining": 103,
                "reset_at": "2026-11-23T05:40:20Z",
            }
        ],
    ),
}
