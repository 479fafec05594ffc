"""Rows created directly in the database, and callers that use the API with a credential or without one."""

import datetime
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import argon2
import httpx
from tortoise import connections

from amarevents.models import (
    ApiKey,
    CheckIn,
    CustomField,
    Donation,
    Event,
    GalleryImage,
    Organization,
    Plan,
    Ticket,
    TicketType,
    User,
)
from amarevents.models.columns import utc_now
from amarevents.models.db.connection import CONNECTION
from amarevents.models.enums import AccountType, FieldType, KeyType, PaymentMethod, Privacy, TicketStatus
from amarevents.models.events import UNDATED
from amarevents.resolvers.accounts.signup import account_search_text
from amarevents.resolvers.tickets.payment_claims import ClaimMove, claim_of_donation, claim_of_ticket, move_claims
from amarevents.security.auth.api_keys import default_permissions, generate_key
from amarevents.security.auth.sessions import COOKIE_NAME, start_session
from amarevents.text import search_text

ORIGIN = "http://testserver"
"""The origin of the platform's own pages. Clients of tests send no special headers unless they are the subject."""

TABLES = (
    "outgoing_mails",
    "email_confirmations",
    "password_resets",
    "check_ins",
    "payment_claims",
    "custom_values",
    "tickets",
    "ticket_types",
    "custom_fields",
    "gallery_images",
    "donations",
    "events",
    "organizations",
    "api_keys",
    "sessions",
    "idempotency_records",
    "seedings",
    "users",
)
"""The tables that tests empty and compare, except ``plans``; a row refers only to rows of later tables."""

# Any below: JSON bodies, and models' fields as keyword arguments.


_EMPTY_TABLES = ";\n".join(
    ["BEGIN", *(f"DELETE FROM {table}" for table in TABLES), "DELETE FROM plans WHERE name <> 'Free'", "COMMIT"]
)


async def empty_tables() -> None:
    """Delete all rows but those of the migrations, in one script because almost every test begins with it."""
    async with connections.get(CONNECTION).acquire_connection() as connection:
        run = getattr(connection, "executescript", None) or connection.execute  # aiosqlite or asyncpg
        await run(_EMPTY_TABLES)


async def snapshot() -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table, to be compared before and after a request that must change nothing.

    ``last_used_at`` of API keys is left out: it is written periodically.
    """
    connection = connections.get(CONNECTION)
    tables = {
        table: await connection.execute_query_dict(f"SELECT * FROM {table} ORDER BY id") for table in (*TABLES, "plans")
    }
    for key in tables["api_keys"]:
        del key["last_used_at"]
    return tables


@dataclass
class Caller:
    """A caller of the API: anonymous, with an API key, or with a session."""

    http: httpx.AsyncClient
    user: User | None = None
    headers: dict[str, str] = field(default_factory=dict)
    key: ApiKey | None = None

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.http.get(f"/api{path}", params=query, headers=self.headers)

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return await self._send("POST", path, body, headers)

    async def put(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return await self._send("PUT", path, body, headers)

    async def delete(self, path: str) -> httpx.Response:
        return await self.http.delete(f"/api{path}", headers=self.headers)

    async def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        """Execute a document, and return the answer with ``data`` and ``errors``."""
        response = await self.graphql_response(query, **variables)
        answer: dict[str, Any] = response.json()
        return answer

    async def graphql_response(self, query: str, **variables: Any) -> httpx.Response:
        body = {"query": query, "variables": variables}
        return await self.http.post("/graphql", json=body, headers=self.headers)

    async def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.request(method, f"/api{path}", json=body, headers={**self.headers, **named})


class World:
    """Creates rows without the API, so that a test starts with what it is about."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self._numbers = itertools.count(1)

    @property
    def anonymous(self) -> Caller:
        return Caller(self.http)

    async def user(self, **fields: Any) -> User:
        number = next(self._numbers)
        username = fields.pop("username", f"person{number}")
        values = {
            "username": username,
            "email": f"{username.casefold()}@example.com",
            "number": f"0170000{number:04d}",
            "password_hash": "!",
            **fields,
        }
        search = account_search_text(values["username"], values["email"], values["number"])
        return await User.create(search_text=search, **values)

    async def organizer(self, **fields: Any) -> User:
        return await self.user(type=AccountType.ORGANIZER, **fields)

    async def admin(self, **fields: Any) -> User:
        return await self.user(admin=True, **fields)

    async def key(
        self, user: User, key_type: KeyType = KeyType.USER, *, permissions: Sequence[str] | None = None, **fields: Any
    ) -> Caller:
        """Create an API key of the account, and return a caller with it."""
        generated = generate_key(key_type)
        granted = default_permissions(key_type) if permissions is None else list(permissions)
        key = await ApiKey.create(
            user=user,
            name="test key",
            digest=generated.digest,
            key_prefix=generated.prefix,
            key_type=key_type,
            permissions=granted,
            **fields,
        )
        return Caller(self.http, user, {"Authorization": f"Bearer {generated.raw}"}, key)

    async def session(self, user: User) -> Caller:
        """Start a session of the account, and return a caller with its cookie, like any program that has logged in."""
        started = await start_session(user.id, days=1)
        return Caller(self.http, user, {"Cookie": f"{COOKIE_NAME}={started.id.value}"})

    async def token_session(self, user: User) -> Caller:
        """Start a session of the account, and return a caller that sends its token (decisions 2.3a)."""
        started = await start_session(user.id, days=1, in_cookie=False)
        return Caller(self.http, user, {"Authorization": f"Bearer {started.token}"})

    async def user_key(self, **fields: Any) -> Caller:
        return await self.key(await self.user(**fields), KeyType.USER)

    async def organizer_key(self, **fields: Any) -> Caller:
        return await self.key(await self.organizer(**fields), KeyType.ORGANIZER)

    async def admin_key(self, **fields: Any) -> Caller:
        return await self.key(await self.admin(**fields), KeyType.ADMIN)

    async def organization(self, owner: User, **fields: Any) -> Organization:
        values = {"name": f"Organization {next(self._numbers)}", **fields}
        plan = await Plan.get(name="Free")
        search = search_text(values["name"], values.get("description"))
        return await Organization.create(user=owner, plan=plan, search_text=search, **values)

    async def event(self, owner: User | Organization, **fields: Any) -> Event:
        """Create an event of the organization, or of a new organization of the account."""
        organization = owner if isinstance(owner, Organization) else await self.organization(owner)
        values = {"name": f"Event {next(self._numbers)}", "privacy": Privacy.PUBLIC, **fields}
        values["sort_date"] = values.get("date") or UNDATED
        values["search_text"] = search_text(values["name"], values.get("location"), values.get("description"))
        event = await Event.create(organization=organization, **values)
        organization.events_used += 1
        await organization.save(update_fields=["events_used"])
        return event

    async def ticket_type(self, event: Event, *, price: str = "0", capacity: int = 0, **fields: Any) -> TicketType:
        values = {"name": f"Type {next(self._numbers)}", **fields}
        return await TicketType.create(event=event, price=Decimal(price), capacity=capacity, **values)

    async def custom_field(self, event: Event, name: str, **fields: Any) -> CustomField:
        return await CustomField.create(event=event, name=name, **{"type": FieldType.TEXT, **fields})

    async def gallery_image(self, event: Event, **fields: Any) -> GalleryImage:
        values = {"url": f"https://example.com/{next(self._numbers)}.png", **fields}
        return await GalleryImage.create(event=event, **values)

    async def plan(self, name: str, **fields: Any) -> Plan:
        return await Plan.create(name=name, **fields)

    async def donation(self, organization: Organization | None = None, **fields: Any) -> Donation:
        """Create a pending donation to the organization, or to the platform, with its payment claim."""
        values = {
            "email": "giver@example.com",
            "number": "01700000000",
            "amount": 500,
            "transaction_id": f"GIFT{next(self._numbers):06d}",
            "type": PaymentMethod.BKASH,
            **fields,
        }
        donation = await Donation.create(organization=organization, **values)
        await move_claims([ClaimMove(donation, None, claim_of_donation(donation))])
        return donation

    async def ticket(self, event: Event, user: User, *, ticket_type: TicketType | None = None, **fields: Any) -> Ticket:
        """Create a ticket with its payment claim, and count it in ``sold`` of its type if it holds a place."""
        number = next(self._numbers)
        values = {
            "code": f"AETEST{number:06d}",
            "name": user.username,
            "email": user.email,
            "status": TicketStatus.SUCCESS,
            "amount": ticket_type.price if ticket_type else Decimal(0),
            **fields,
        }
        values.setdefault("due", values["amount"])
        ticket = await Ticket.create(event=event, user=user, ticket_type=ticket_type, **values)
        if ticket_type is not None and ticket.status.holds_place:
            ticket_type.sold += 1
            await ticket_type.save(update_fields=["sold"])
        await move_claims([ClaimMove(ticket, None, claim_of_ticket(ticket, event.organization_id))])
        return ticket

    async def check_in(self, ticket: Ticket, by: User, **fields: Any) -> CheckIn:
        values = {"event_id": ticket.event_id, "checked_in_at": utc_now(), **fields}
        return await CheckIn.create(ticket=ticket, checked_in_by=by, **values)


def hash_password(password: str) -> str:
    """Return a ``password_hash`` with which an account can log in."""
    return argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)


def in_days(days: int) -> datetime.date:
    """Return a date relative to today in the time zone of the platform."""
    zone = datetime.timezone(datetime.timedelta(hours=6))
    return datetime.datetime.now(zone).date() + datetime.timedelta(days=days)
