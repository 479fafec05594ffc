"""The rows of the benchmark's database: the same for the same size and day.

A row is a tuple of texts, integers and None, as both databases take them.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice

from amarevents.models.columns import encode_json
from amarevents.models.enums import Category, KeyType
from amarevents.models.events import UNDATED
from amarevents.resolvers.accounts.signup import account_search_text
from amarevents.security.auth import api_keys
from amarevents.text import search_text

Row = tuple[str | int | None, ...]

PASSWORD = "secret123"  # noqa: S105 - of accounts that exist for minutes
ADMIN_ID = 1
# Events with a role of their own; ORGANIZER_ID owns the organization of the first.
CROWDED_EVENT, SALE_EVENT, BARE_SALE_EVENT = 1, 2, 3
ORGANIZER_ID = 1
COMMON_WORD, RARE_WORD = "festival", "zamindari"
_UNDATED_EVERY, _PRIVATE_EVERY, _ASKING_EVERY, _PAID_EVERY = 50, 20, 10, 10
_DAYS = 365  # before and after today
_STRIDE = 7_919  # a prime: neighbouring events have dates far apart
_PLENTY = 100_000_000  # places
_WORDS = (
    "evening",
    "open",
    "music",
    "art",
    "river",
    "light",
    "dance",
    "poetry",
    "city",
    "garden",
    "debate",
    "science",
    "film",
    "story",
    "craft",
    "market",
    "winter",
    "spring",
    "summer",
    "youth",
    "heritage",
    "folk",
    "drama",
    "lecture",
    "robotics",
    "football",
    "cricket",
    "chess",
    "charity",
    "culture",
)
_PLACES = ("Dhaka", "Chattogram", "Sylhet", "Rajshahi", "Khulna", "Barishal", "Rangpur", "Mymensingh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many rows of each kind there are; ``crowd`` of the tickets are for one event."""

    events: int
    tickets: int
    users: int
    organizations: int
    crowd: int
    keys: int


FULL = Size(events=100_000, tickets=1_000_000, users=100_000, organizations=1_000, crowd=100_000, keys=5_000)
QUICK = Size(events=5_000, tickets=50_000, users=10_000, organizations=100, crowd=5_000, keys=5_000)


@dataclass(frozen=True, slots=True)
class Table:
    """A table's name, the names of its columns, and its rows in the order of their IDs."""

    name: str
    columns: str
    rows: Iterator[Row]


def raw_key(key_type: KeyType, number: int) -> str:
    """Return the text of the API key of a type with a number."""
    body = f"ae_{key_type[0]}_{number:032}"
    return body + api_keys._checksum(body)


def user_keys(size: Size) -> list[str]:
    """Return the API keys of accounts that are not organizers, one of each."""
    return [raw_key(KeyType.USER, user_id) for user_id in _key_holders(size)]


def _key_holders(size: Size) -> range:
    return range(size.organizations + 1, size.organizations + 1 + size.keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """The tables of a size, with dates relative to ``today``; every account has ``password_hash``."""

    size: Size
    today: datetime.date
    password_hash: str

    def tables(self) -> list[Table]:
        """Return the tables, in an order in which each row refers only to earlier ones."""
        return [
            Table(
                "users",
                "id username username_key email email_key email_confirmed_at number password_hash type admin country "
                "search_text created_at updated_at",
                self._users(),
            ),
            Table(
                "api_keys", "id user_id name digest key_prefix key_type permissions is_active created_at", self._keys()
            ),
            Table(
                "organizations",
                "id user_id plan_id name description logo events_used search_text created_at updated_at",
                self._organizations(),
            ),
            Table(
                "events",
                "id organization_id name category date sort_date deadline location description banner logo privacy "
                "notice socials wallets search_text created_at updated_at",
                self._events(),
            ),
            Table("custom_fields", "id event_id name type options required position", self._custom_fields()),
            Table("ticket_types", "id event_id name price capacity description sold created_at", self._ticket_types()),
            Table(
                "tickets",
                "id code event_id user_id ticket_type_id name email email_key number amount due status "
                "transaction_id payment_method created_at updated_at",
                self._tickets(),
            ),
            Table("payment_claims", "id scope transaction_key ticket_id", self._payment_claims()),
        ]

    def _instant(self, number: int) -> str:
        """Return a time in the past hundred days."""
        past = datetime.timedelta(days=1, minutes=number % 144_000)
        midnight = datetime.datetime.combine(self.today, datetime.time(), datetime.UTC)
        return str(midnight - past)

    def _users(self) -> Iterator[Row]:
        for user_id in range(1, self.size.users + 1):
            name, number, at = f"person{user_id}", f"017{user_id:08}", self._instant(user_id)
            email = _email(user_id)
            searched = account_search_text(name, email, number)
            kind = "organizer" if user_id <= self.size.organizations else "user"
            yield (
                *(user_id, name, name, email, email, at, number, self.password_hash, kind),
                *(int(user_id == ADMIN_ID), "Bangladesh", searched, at, at),
            )

    def _keys(self) -> Iterator[Row]:
        holders = [(KeyType.ADMIN, ADMIN_ID), (KeyType.ORGANIZER, ORGANIZER_ID)]
        holders += [(KeyType.USER, user_id) for user_id in _key_holders(self.size)]
        for key_id, (kind, user_id) in enumerate(holders, start=1):
            raw = raw_key(kind, user_id)
            permissions = encode_json(api_keys.default_permissions(kind))
            at = self._instant(key_id)
            yield (key_id, user_id, "Phone", api_keys.digest_of(raw), raw[:12], kind.value, permissions, 1, at)

    def _organizations(self) -> Iterator[Row]:
        events, size = self.size.events, self.size.organizations
        for organization_id in range(1, size + 1):
            name, description = f"Organization {organization_id}", _sentence(organization_id, 20)
            used = len(range(organization_id, events + 1, size))
            at = self._instant(organization_id)
            logo = f"https://images.example/{organization_id}/logo.png"
            searched = search_text(name, description)
            yield (organization_id, organization_id, 1, name, description, logo, used, searched, at, at)

    def organization_of(self, event_id: int) -> int:
        return (event_id - 1) % self.size.organizations + 1

    def is_public(self, event_id: int) -> bool:
        return event_id % _PRIVATE_EVERY != 0

    def _date(self, event_id: int) -> datetime.date | None:
        if event_id % _UNDATED_EVERY == 0:
            return None
        if event_id <= BARE_SALE_EVENT:
            return self.today + datetime.timedelta(days=_DAYS)
        return self.today + datetime.timedelta(days=event_id * _STRIDE % (2 * _DAYS) - _DAYS)

    def _events(self) -> Iterator[Row]:
        categories = list(Category)
        for event_id in range(1, self.size.events + 1):
            date, at = self._date(event_id), self._instant(event_id)
            words = [RARE_WORD] if event_id % (self.size.events // 20) == 0 else []
            words += [COMMON_WORD] if event_id % 10 == 0 else []
            name = f"{_sentence(event_id, 3).title()} {event_id}"
            place = f"Hall {event_id % 9}, {_PLACES[event_id % len(_PLACES)]}"
            description = " ".join([_sentence(event_id, 45), *words])
            host = self.organization_of(event_id)
            images = f"https://images.example/{host}"
            yield (
                *(event_id, host, name, categories[event_id % len(categories)].value, str(date) if date else None),
                *(str(date or UNDATED), str(date) if date else None, place, description, f"{images}/{event_id}.jpg"),
                *(f"{images}/logo.png", "public" if self.is_public(event_id) else "private", _sentence(event_id, 15)),
                encode_json([{"type": "facebook", "url": f"https://facebook.example/{event_id}"}]),
                encode_json({"bkash": "01700000000"}),
                *(search_text(name, place, description), at, at),
            )

    def _custom_fields(self) -> Iterator[Row]:
        asking = range(_ASKING_EVERY, self.size.events + 1, _ASKING_EVERY)
        for field_id, event_id in enumerate(asking, start=1):
            yield (field_id, event_id, "Institution", "text", "[]", 0, 0)

    def _ticket_types(self) -> Iterator[Row]:
        sold: dict[int, int] = {}
        for ticket_id in range(1, self.size.tickets + 1):
            if _status(ticket_id) in ("Success", "Pending"):
                kind = self._type_of(ticket_id)
                sold[kind] = sold.get(kind, 0) + 1
        for event_id in range(1, self.size.events + 1):
            capacity = _PLENTY if event_id <= BARE_SALE_EVENT else 200
            free, paid = 2 * event_id - 1, 2 * event_id
            at = self._instant(event_id)
            yield (free, event_id, "Student", "0.00", capacity, "With a student card", sold.get(free, 0), at)
            yield (paid, event_id, "Regular", "500.00", capacity, None, sold.get(paid, 0), at)

    def _event_of(self, ticket_id: int) -> int:
        if ticket_id <= self.size.crowd:
            return CROWDED_EVENT
        return ticket_id % (self.size.events - BARE_SALE_EVENT) + BARE_SALE_EVENT + 1

    def _type_of(self, ticket_id: int) -> int:
        return 2 * self._event_of(ticket_id) - (ticket_id % _PAID_EVERY != 0)

    def _tickets(self) -> Iterator[Row]:
        users = self.size.users
        for ticket_id in range(1, self.size.tickets + 1):
            user_id, at = ticket_id * _STRIDE % users + 1, self._instant(ticket_id)
            is_paid = ticket_id % _PAID_EVERY == 0
            price, email = "500.00" if is_paid else "0.00", _email(user_id)
            transaction, method = (_transaction(ticket_id), "bkash") if is_paid else (None, None)
            yield (
                *(ticket_id, ticket_code(ticket_id), self._event_of(ticket_id), user_id, self._type_of(ticket_id)),
                *(f"Person {user_id}", email, email, f"017{user_id:08}", price, price, _status(ticket_id)),
                *(transaction, method, at, at),
            )

    def _payment_claims(self) -> Iterator[Row]:
        paid = range(_PAID_EVERY, self.size.tickets + 1, _PAID_EVERY)
        claiming = (ticket_id for ticket_id in paid if _status(ticket_id) != "Failed")
        for claim_id, ticket_id in enumerate(claiming, start=1):
            scope = self.organization_of(self._event_of(ticket_id))
            yield (claim_id, scope, _transaction(ticket_id).lower(), ticket_id)


def ticket_code(ticket_id: int) -> str:
    """Return the code of a ticket."""
    return f"AE{ticket_id:025}"


def _email(user_id: int) -> str:
    return f"person{user_id}@example.com"


def _transaction(ticket_id: int) -> str:
    return f"PAY{ticket_id:09}"


def _status(ticket_id: int) -> str:
    """Return the status of a ticket: paid ones are also pending, and every thirtieth was rejected or refunded."""
    if ticket_id % 60 == 0:
        return "Refunded"
    if ticket_id % 30 == 0:
        return "Failed"
    return "Pending" if ticket_id % 20 == 0 else "Success"


def _sentence(number: int, length: int) -> str:
    """Return a text of as many words, which differs for most numbers."""
    start = number * 31 % len(_WORDS)
    step = number % 7 + 1
    return " ".join(islice(cycle(_WORDS), start, start + length * step, step))
