"""Assertions on REST responses (envelopes: decisions 1.1 to 1.3) and the fields of each resource."""

import re
from collections import Counter
from collections.abc import Awaitable, Iterable
from typing import Any

import httpx

from tests.support.world import snapshot

Outcomes = Counter[tuple[int, str | None]]
"""The number of responses per status and error code (None: success)."""

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

# decisions 4.6
EVENT_FIELDS = {
    "id", "name", "category", "organization_id", "organization_name", "date", "deadline", "location", "description",
    "banner", "logo", "privacy", "created_at", "updated_at",
}  # fmt: skip
EVENT_DETAIL_FIELDS = EVENT_FIELDS | {
    "notice", "socials", "wallets", "registration_open", "ticket_types", "custom_fields"
}  # fmt: skip
MANAGED_EVENT_FIELDS = EVENT_DETAIL_FIELDS | {
    "emailtitle", "emailmessage", "template", "hold_minutes", "places_per_account"
}  # fmt: skip
# decisions 4.7
CUSTOM_FIELD_FIELDS = {"id", "event_id", "name", "type", "options", "required", "position"}
# decisions 6.3
TICKET_TYPE_FIELDS = {
    "id", "event_id", "name", "price", "capacity", "description", "sold", "available", "is_available", "created_at"
}  # fmt: skip
# decisions 6.8
TICKET_FIELDS = {
    "id", "code", "event_id", "event_name", "event_date", "user_id", "ticket_type_id", "ticket_type_name", "name",
    "email", "number", "amount", "due", "status", "transaction_id", "transid", "payment_method", "note", "expires_at",
    "created_at", "updated_at",
}  # fmt: skip
TICKET_DETAIL_FIELDS = TICKET_FIELDS | {"custom_fields"}
# decisions 5.1
ORGANIZATION_FIELDS = {"id", "name", "description", "logo", "plan", "public_event_count", "created_at"}
ORGANIZATION_DETAIL_FIELDS = ORGANIZATION_FIELDS | {"notice", "recent_events"}
MANAGED_ORGANIZATION_FIELDS = ORGANIZATION_DETAIL_FIELDS | {"user_id", "eventcount", "events_used"}
# decisions 8.1 and 8.3
ACCOUNT_FIELDS = {"id", "username", "email", "number", "type", "admin", "pfp", "country", "created_at"}
API_KEY_FIELDS = {
    "id", "name", "key_prefix", "key_type", "permissions", "rate_limit", "is_active", "expires_at", "last_used_at",
    "created_at",
}  # fmt: skip
OWNED_ORGANIZATION_FIELDS = ORGANIZATION_FIELDS | {"user_id", "eventcount", "events_used"}
OWNING_ACCOUNT_FIELDS = ACCOUNT_FIELDS | {"organization", "organizations"}
# decisions 7.2
DONATION_FIELDS = {
    "id", "email", "number", "amount", "transaction_id", "type", "organization_id", "organization_name", "note",
    "status", "created_at", "updated_at",
}  # fmt: skip

# Any below: JSON.


def data_of(response: httpx.Response, status: int = 200) -> Any:
    """Return the data of a successful response, whose envelope must have no other content."""
    assert response.status_code == status, response.text
    body = response.json()
    assert body["success"] is True
    assert body.keys() - {"pagination"} == {"success", "data"}
    return body["data"]


def page_in(response: httpx.Response) -> tuple[list[int], dict[str, int]]:
    """Return the IDs of a page and its pagination."""
    return [row["id"] for row in data_of(response)], response.json()["pagination"]


def error_in(response: httpx.Response, status: int, code: str) -> dict[str, str]:
    """Return the fields that an error response names; its envelope must have no other content."""
    body = response.json()
    assert (response.status_code, body.get("code")) == (status, code), response.text
    assert body["success"] is False
    assert isinstance(body["error"], str)
    assert body.keys() - {"fields"} == {"success", "error", "code"}
    return dict(body.get("fields", {}))


def outcomes(responses: Iterable[httpx.Response]) -> Outcomes:
    """Count the responses by status and error code."""
    return Counter((response.status_code, response.json().get("code")) for response in responses)


async def refused(request: Awaitable[httpx.Response], status: int, code: str) -> dict[str, str]:
    """Assert that the request is refused and changes no table, and return the fields that the error names."""
    before = await snapshot()
    fields = error_in(await request, status, code)
    assert await snapshot() == before
    return fields
