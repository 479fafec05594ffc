"""Examples of tickets and donations."""

from amarevents.rest.openapi.examples.example import Example, RouteKey, Values

_TICKET: Values = {
    "id": 42,
    "code": "AEJ5XW4YTBMF2GS3LPNR6Q7ZKDC",
    "event_id": 7,
    "event_name": "Tech Summit 2025",
    "event_date": "2025-06-10",
    "user_id": 31,
    "ticket_type_id": 15,
    "ticket_type_name": "Standard",
    "name": "Karim Rahman",
    "email": "karim@email.com",
    "number": "01700000000",
    "amount": 300,
    "due": 300,
    "status": "Success",
    "transaction_id": "9HG7F2K1QX",
    "transid": "9HG7F2K1QX",
    "payment_method": "bkash",
    "note": None,
    "expires_at": None,
    "created_at": "2025-05-02T04:12:09Z",
    "updated_at": "2025-05-02T06:30:44Z",
}
_TICKET_DETAIL: Values = {
    **_TICKET,
    "custom_fields": [
        {"field_id": 4, "name": "T-shirt size", "value": "L", "values": ["L"]},
        {"field_id": 5, "name": "খাবারের পছন্দ", "value": "ভাত, ডাল, মাছ", "values": ["ভাত, ডাল", "মাছ"]},
    ],
}

DONATION: Values = {
    "id": 88,
    "email": "john@email.com",
    "number": "01700000000",
    "amount": 500,
    "transaction_id": "8KD3M5P0AB",
    "type": "nagad",
    "organization_id": 3,
    "organization_name": "Dhaka Developers",
    "note": "শিক্ষার্থীদের টিকিটের জন্য",
    "status": "pending",
    "created_at": "2025-05-06T14:20:00Z",
    "updated_at": "2025-05-06T14:20:00Z",
}
VERIFIED_DONATION: Values = {**DONATION, "status": "verified", "updated_at": "2025-05-07T03:05:12Z"}

TICKETS: dict[RouteKey, Example] = {
    ("GET", "/events/{id}/tickets"): Example(path={"id": 7}, query={"status": "Success"}, data=[_TICKET]),
    ("GET", "/tickets"): Example(query={"event_id": 7, "status": "Success"}, data=[_TICKET]),
    ("GET", "/tickets/{id}"): Example(path={"id": 42}, data=_TICKET_DETAIL),
    ("POST", "/tickets"): Example(
        body={
            "event_id": 7,
            "name": "Karim Rahman",
            "email": "karim@email.com",
            "number": "01700000000",
            "ticket_type_id": 15,
            "transaction_id": "9HG7F2K1QX",
            "payment_method": "bkash",
            "amount": 300,
            "custom_fields": {"T-shirt size": "L", "খাবারের পছন্দ": ["ভাত, ডাল", "মাছ"]},
        },
        data={**_TICKET_DETAIL, "status": "Pending", "updated_at": "2025-05-02T04:12:09Z"},
    ),
    ("POST", "/tickets/{ticket}/verify"): Example(
        path={"ticket": "AEJ5XW4YTBMF2GS3LPNR6Q7ZKDC"},
        body={"event_id": 7},
        data={
            "ticket_id": 42,
            "name": "Karim Rahman",
            "email": "karim@email.com",
            "status": "Success",
            "event": "Tech Summit 2025",
            "event_date": "2025-06-10",
            "valid": True,
            "reason": None,
        },
    ),
    ("PUT", "/tickets/{id}"): Example(path={"id": 42}, body={"status": "Success"}, data=_TICKET_DETAIL),
    ("DELETE", "/tickets/{id}"): Example(path={"id": 42}, data={"id": 42, "deleted": True}),
    ("GET", "/users/me/tickets"): Example(query={"status": "Success"}, data=[_TICKET]),
    ("GET", "/donations"): Example(query={"status": "pending"}, data=[DONATION]),
    ("POST", "/donations"): Example(
        body={
            "email": "john@email.com",
            "number": "01700000000",
            "amount": 500,
            "transaction_id": "8KD3M5P0AB",
            "type": "nagad",
            "organization_id": 3,
            "note": "শিক্ষার্থীদের টিকিটের জন্য",
        },
        data=DONATION,
    ),
    ("PUT", "/donations/{id}"): Example(path={"id": 88}, body={"status": "approved"}, data=VERIFIED_DONATION),
}
