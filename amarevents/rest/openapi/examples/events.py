"""Examples of events, organizations and ticket types: a conference in English and a concert in Bangla."""

from amarevents.rest.openapi.examples.example import Example, RouteKey, Values

SUMMIT: Values = {
    "id": 7,
    "name": "Tech Summit 2025",
    "category": "Conference",
    "organization_id": 3,
    "organization_name": "Dhaka Developers",
    "date": "2025-06-10",
    "deadline": "2025-06-05",
    "location": "Bangabandhu International Conference Center, Dhaka",
    "description": "A day of talks on software that has to work on slow networks and in two scripts.",
    "banner": "https://dhakadevelopers.example/summit/banner.jpg",
    "logo": "https://dhakadevelopers.example/summit/logo.png",
    "privacy": "public",
    "created_at": "2025-03-01T05:40:00Z",
    "updated_at": "2025-03-14T11:02:31Z",
}
BAUL_NIGHT: Values = {
    "id": 9,
    "name": "বাউল গানের রাত",
    "category": "Cultural",
    "organization_id": 3,
    "organization_name": "Dhaka Developers",
    "date": "2025-07-18",
    "deadline": None,
    "location": "রবীন্দ্র সরোবর, ধানমন্ডি, ঢাকা",
    "description": "লালন ও শাহ আবদুল করিমের গান, খোলা আকাশের নিচে। চা ও পিঠা থাকছে।",
    "banner": None,
    "logo": None,
    "privacy": "public",
    "created_at": "2025-04-02T09:15:00Z",
    "updated_at": "2025-04-02T09:15:00Z",
}

STANDARD: Values = {
    "id": 15,
    "event_id": 7,
    "name": "Standard",
    "price": 300,
    "capacity": 120,
    "description": "Talks, lunch and the evening reception",
    "sold": 95,
    "available": 25,
    "is_available": True,
    "created_at": "2025-03-01T05:40:00Z",
}
STUDENT: Values = {
    "id": 16,
    "event_id": 7,
    "name": "শিক্ষার্থী",
    "price": 149.5,
    "capacity": 0,
    "description": None,
    "sold": 45,
    "available": None,
    "is_available": True,
    "created_at": "2025-03-01T05:40:00Z",
}
JERSEY: Values = {
    "id": 4,
    "event_id": 7,
    "name": "T-shirt size",
    "type": "dropdown",
    "options": ["S", "M", "L", "XL"],
    "required": True,
    "position": 1,
}
FOOD: Values = {
    "id": 5,
    "event_id": 7,
    "name": "খাবারের পছন্দ",
    "type": "checkbox",
    "options": ["ভাত, ডাল", "মাছ", "সবজি"],
    "required": False,
    "position": 2,
}

_SUMMIT_DETAIL: Values = {
    **SUMMIT,
    "notice": "Bring your ticket's QR code; doors open at 8:30.",
    "socials": [{"type": "facebook", "url": "https://facebook.com/dhakadevelopers.example"}],
    "wallets": {"bkash": "01700000001", "nagad": "01800000001"},
    "registration_open": True,
    "ticket_types": [STUDENT, STANDARD],
    "custom_fields": [JERSEY, FOOD],
}
_MANAGED_SUMMIT: Values = {
    **_SUMMIT_DETAIL,
    "emailtitle": "{event}: your place is confirmed",
    "emailmessage": "Dear {name}, see you on {date} at {location}. T-shirt: {T-shirt size}. Ticket {id}.",
    "template": None,
    "hold_minutes": 120,
    "places_per_account": 5,
}
_TYPE_STATS: Values = {
    "ticket_type_id": 15,
    "name": "Standard",
    "price": 300,
    "capacity": 120,
    "total": 150,
    "approved": 120,
    "pending": 20,
    "failed": 10,
    "refunded": 0,
    "revenue": 36000,
}

ORGANIZATION: Values = {
    "id": 3,
    "name": "Dhaka Developers",
    "description": "Meet-ups, workshops and one big conference a year. সবার জন্য উন্মুক্ত।",
    "logo": "https://dhakadevelopers.example/logo.png",
    "plan": "Free",
    "public_event_count": 2,
    "created_at": "2024-11-23T05:40:00Z",
}
OWNED_ORGANIZATION: Values = {**ORGANIZATION, "user_id": 12, "eventcount": 10, "events_used": 2}
_ORGANIZATION_DETAIL: Values = {
    **ORGANIZATION,
    "notice": "We verify payments between 10 am and 8 pm.",
    "recent_events": [BAUL_NIGHT, SUMMIT],
}
_MANAGED_ORGANIZATION: Values = {**_ORGANIZATION_DETAIL, "user_id": 12, "eventcount": 10, "events_used": 2}

EVENTS: dict[RouteKey, Example] = {
    ("GET", "/events"): Example(query={"search": "dhaka", "category": "Conference", "limit": 20}, data=[SUMMIT]),
    ("GET", "/events/{id}"): Example(path={"id": 7}, data=_SUMMIT_DETAIL),
    ("GET", "/events/{id}/stats"): Example(
        path={"id": 7},
        data={
            "total": 150,
            "approved": 120,
            "pending": 20,
            "failed": 10,
            "refunded": 0,
            "revenue": 36000,
            "by_ticket_type": [_TYPE_STATS],
        },
    ),
    ("GET", "/events/{id}/gallery"): Example(
        path={"id": 7},
        data=[
            {
                "id": 21,
                "event_id": 7,
                "url": "https://dhakadevelopers.example/summit/2024/hall.jpg",
                "caption": "গত বছরের উদ্বোধন",
                "position": 1,
            }
        ],
    ),
    ("GET", "/events/{id}/fields"): Example(path={"id": 7}, data=[JERSEY, FOOD]),
    ("POST", "/events"): Example(
        body={
            "name": "Tech Summit 2025",
            "organization_id": 3,
            "date": "2025-06-10",
            "deadline": "2025-06-05",
            "location": "Bangabandhu International Conference Center, Dhaka",
            "category": "Conference",
            "privacy": "public",
            "ticket_types": [
                {"name": "Standard", "price": 300, "capacity": 120},
                {"name": "শিক্ষার্থী", "price": 149.5},
            ],
        },
        data=_MANAGED_SUMMIT,
    ),
    ("PUT", "/events/{id}"): Example(
        path={"id": 7},
        body={
            "notice": "Bring your ticket's QR code; doors open at 8:30.",
            "socials": [{"type": "facebook", "url": "https://facebook.com/dhakadevelopers.example"}],
            "wallets": {"bkash": "01700000001", "nagad": "01800000001"},
            "emailtitle": "{event}: your place is confirmed",
        },
        data=_MANAGED_SUMMIT,
    ),
    ("DELETE", "/events/{id}"): Example(path={"id": 7}, data={"id": 7, "deleted": True}),
    ("GET", "/organizations"): Example(query={"search": "dhaka"}, data=[ORGANIZATION]),
    ("GET", "/organizations/{id}"): Example(path={"id": 3}, data=_ORGANIZATION_DETAIL),
    ("POST", "/organizations"): Example(
        body={
            "name": "Dhaka Developers",
            "user_id": 12,
            "description": "Meet-ups, workshops and one big conference a year. সবার জন্য উন্মুক্ত।",
            "eventcount": 10,
        },
        data={**_MANAGED_ORGANIZATION, "public_event_count": 0, "recent_events": [], "events_used": 0},
    ),
    ("PUT", "/organizations/{id}"): Example(
        path={"id": 3},
        body={"notice": "We verify payments between 10 am and 8 pm."},
        data=_MANAGED_ORGANIZATION,
    ),
    ("GET", "/ticket-types"): Example(query={"event_id": 7}, data=[STUDENT, STANDARD]),
    ("POST", "/ticket-types"): Example(
        body={"event_id": 7, "name": "Standard", "price": 300, "capacity": 120},
        data={**STANDARD, "description": None, "sold": 0, "available": 120},
    ),
    ("PUT", "/ticket-types/{id}"): Example(path={"id": 15}, body={"price": 300, "capacity": 120}, data=STANDARD),
    ("DELETE", "/ticket-types/{id}"): Example(path={"id": 15}, data={"id": 15, "deleted": True}),
}
