"""The validation of request bodies: every field of the contract's tables, missing and with invalid values."""

import datetime
from typing import Any

import pytest

from tests.rest.conftest import Stage
from tests.support.rest_answers import refused
from tests.support.world import World

# Little of this depends on the database: PostgreSQL is tested by the deep run.
pytestmark = pytest.mark.deep("postgres")

# Any: JSON, often invalid on purpose.
Body = dict[str, Any]

REGISTER = {"username": "rahima", "email": "rahima@example.com", "password": "secret123", "number": "01700000000"}
LOGIN = {"email": "rahima@example.com", "password": "secret123"}
KEY = {"name": "My App", "key_type": "user"}

MISSING = object()
TOO_LONG = {"name": "x" * 201, "short": "x" * 256, "long": "x" * 20_001}
NO_NAME = (None, 5, "", " \t ", TOO_LONG["name"], "a\nb", "a\x00b", "a\x7fb")
NO_SHORT_TEXT = (5, ["x"], TOO_LONG["short"], "a\nb", "a\x00b")
NO_LONG_TEXT = (5, TOO_LONG["long"], "a\x00b", "a\x1bb")
NO_ID = ("x", "1.5", 1.5, True, 0, -1, 2**31, [1])
# Letters that become several characters when their case changes.
GROWING_EMAIL, GROWING_ID = "İ" * 240 + "@a.com", "ß" * 255
NO_EMAIL = (
    GROWING_EMAIL,
    5,
    "rahima",
    "a@b",
    "@example.com",
    "a b@example.com",
    "a@example.com, b@example.com",
    "x" * 250 + "@a.com",
)
NO_NUMBER = (1700000000, "phone", "+", "12", "0" * 21)
NO_URL = (5, "image.png", "ftp://example.com/a.png", "javascript:alert(1)", "https://", "https://a.com/" + "x" * 255)
NO_DATE = (20260101, True, "2026-02-30", "20260101", "01/02/2026", "2026-01-01T00:00:00", "tomorrow")
NO_MONEY = ("five", True, -1, -0.01, 1.005, 10**12, [5])
NO_COUNT = ("five", True, -1, 1.5, 2**31)

INVALID_VALUES: dict[str, dict[str, tuple[Any, ...]]] = {
    "POST /auth/register": {
        "username": (MISSING, None, 5, "", "ab", " ab ", "x" * 51, "ab\x00c"),
        "email": (MISSING, None, "", *NO_EMAIL),
        "password": (MISSING, None, 123456, "12345", "x" * 129),
        "number": (MISSING, None, "", *NO_NUMBER),
        "admin": (True,),
        "type": ("organizer",),
    },
    "POST /auth/login": {
        "email": (MISSING, None, "", 5),
        "password": (MISSING, None, "", 5),
        "remember": (True,),
    },
    "POST /events": {
        "name": (MISSING, *NO_NAME),
        "organization_id": (MISSING, None, *NO_ID),
        "date": NO_DATE,
        "deadline": NO_DATE,
        "location": NO_SHORT_TEXT,
        "category": (5, "Party", "Concerts"),
        "description": NO_LONG_TEXT,
        "banner": NO_URL,
        "logo": NO_URL,
        "privacy": (5, True, "secret"),
        "ticket_types": ("VIP", {"name": "VIP"}, 5, [{"name": "x"}] * 51),
        "ticket_types.0": (["VIP"],),
        "ticket_types.0.name": ([{"price": 5}], [{"name": ""}]),
        "ticket_types.0.price": ([{"name": "VIP", "price": -1}],),
        "ticket_types.1.capacity": ([{"name": "VIP"}, {"name": "Other", "capacity": -1}],),
        "ticket_types.0.sold": ([{"name": "VIP", "sold": 3}],),
        "organisation": ("x",),
    },
    "POST /organizations": {
        "name": (MISSING, *NO_NAME),
        "user_id": (MISSING, None, *NO_ID, 2**31 - 1),
        "description": NO_LONG_TEXT,
        "eventcount": NO_COUNT,
        "events_used": (0,),
    },
    "POST /tickets": {
        "event_id": (MISSING, None, *NO_ID),
        "name": (5, TOO_LONG["name"], "a\nb"),
        "email": NO_EMAIL,
        "number": NO_NUMBER,
        "ticket_type_id": NO_ID,
        "transaction_id": (*NO_SHORT_TEXT, GROWING_ID),
        "transid": (*NO_SHORT_TEXT, GROWING_ID),
        "amount": NO_MONEY,
        "note": NO_LONG_TEXT,
        "payment_method": (5, "paypal"),
        "custom_fields": ("x", 5, ["x"]),
        "status": ("Success",),
        "user_id": (1,),
    },
    "POST /ticket-types": {
        "event_id": (MISSING, None, *NO_ID),
        "name": (MISSING, *NO_NAME),
        "price": NO_MONEY,
        "capacity": NO_COUNT,
        "description": NO_LONG_TEXT,
        "sold": (0,),
    },
    "POST /keys": {
        "name": (MISSING, *NO_NAME),
        "key_type": (MISSING, None, 5, "root"),
        "permissions": ("events:read", {"events:read": True}, ["admin"]),
        "permissions.0": (["events:fly"], [5]),
        "expires_at": (5, True, "tomorrow", "2020-01-01", "2026-13-01"),
        "user_id": (1,),
    },
    "PUT /tickets/{ticket}": {
        "status": (None, 5, "Approved"),
        "transid": (*NO_SHORT_TEXT, GROWING_ID),
        "transaction_id": (*NO_SHORT_TEXT, GROWING_ID),
        "name": (None, 5, TOO_LONG["name"], "a\nb"),
        "email": (None, *NO_EMAIL),
        "number": NO_NUMBER,
        "note": NO_LONG_TEXT,
        "amount": (None, *NO_MONEY),
        "ticket_type_id": (*NO_ID, 2**31 - 1),
        "payment_method": (5, "paypal"),
        "places": (1,),
    },
    "PUT /keys/{key}": {
        "name": (None, 5, TOO_LONG["name"]),
        "permissions": (None, "events:read", ["admin"]),
        "permissions.0": (["events:fly"],),
        "is_active": (None, "yes", 2),
        "revoked": (True,),
    },
}
CASES = [(route, field) for route, fields in INVALID_VALUES.items() for field in fields]


def _body(route: str, stage: Stage) -> Body:
    """Return a body that the route accepts."""
    bodies: dict[str, Body] = {
        "POST /auth/register": REGISTER,
        "POST /auth/login": LOGIN,
        "POST /events": {"name": "Boi Mela", "organization_id": stage.organization.id},
        "POST /organizations": {"name": "Chhayanaut", "user_id": stage.organization.user_id},
        "POST /tickets": {"event_id": stage.event.id},
        "POST /ticket-types": {"name": "VIP", "event_id": stage.event.id},
        "POST /keys": KEY,
        "PUT /tickets/{ticket}": {"note": "paid in cash"},
        "PUT /keys/{key}": {"name": "renamed"},
    }
    return dict(bodies[route])


@pytest.mark.parametrize(("route", "field"), CASES)
async def test_invalid_field_is_refused_by_name(world: World, stage: Stage, route: str, field: str) -> None:
    ticket = await world.ticket(stage.event, stage.buyer_account)
    method, _, path = route.partition(" ")
    send = getattr(stage.admin if "organizations" in path else stage.organizer, method.lower())
    path = path.format(ticket=ticket.id, key=stage.organizer_key_id)
    for value in INVALID_VALUES[route][field]:
        body = _with(_body(route, stage), field, value)
        assert set(await refused(send(path, body), 400, "VALIDATION_ERROR")) == {field}, repr(value)[:80]


def _with(body: Body, field: str, value: object) -> Body:
    """Return the body with the value; for a path into a list (``ticket_types.0``), the value is the whole list."""
    name = field.partition(".")[0]
    others = {key: kept for key, kept in body.items() if key != name}
    return others if value is MISSING else {**others, name: value}


async def test_all_invalid_fields_are_named_together(stage: Stage) -> None:
    body = {"name": "", "organization_id": "x", "banner": "x", "colour": "red"}
    named = await refused(stage.organizer.post("/events", body), 400, "VALIDATION_ERROR")
    assert named.keys() == {"name", "organization_id", "banner", "colour"}


@pytest.mark.parametrize("body", [[], [1], "text", 5, True])
async def test_body_that_is_not_an_object_is_refused(stage: Stage, body: object) -> None:
    assert await refused(stage.organizer.post("/events", body), 400, "VALIDATION_ERROR") == {
        "body": "must be a JSON object"
    }


async def test_deadline_after_the_date_is_refused(stage: Stage) -> None:
    body = _body("POST /events", stage) | {"date": "2030-05-01", "deadline": "2030-05-02"}
    assert set(await refused(stage.organizer.post("/events", body), 400, "VALIDATION_ERROR")) == {"deadline"}


async def test_key_cannot_expire_today(stage: Stage) -> None:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    assert set(await refused(stage.buyer.post("/keys", KEY | {"expires_at": today}), 400, "VALIDATION_ERROR")) == {
        "expires_at"
    }


async def test_unknown_field_with_a_blank_value_is_refused(world: World) -> None:
    response = await world.anonymous.post("/auth/register", {**REGISTER, "nmae": ""})
    assert (response.status_code, response.json()["fields"]) == (400, {"nmae": "unknown field"})
