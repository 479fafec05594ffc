"""The rows of the benchmark: what is asked of the platform, of what it is compared with, and the ratio to reach."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import orjson

from amarevents.models.enums import KeyType
from benchmarks.dataset import (
    BARE_SALE_EVENT,
    COMMON_WORD,
    CROWDED_EVENT,
    ORGANIZER_ID,
    PASSWORD,
    RARE_WORD,
    SALE_EVENT,
    Dataset,
    raw_key,
    ticket_code,
    user_keys,
)
from benchmarks.wrk import Request

_JSON = {"Content-Type": "application/json"}
_SCALARS = "id name category organizationName date location privacy createdAt"
_TYPE = "id name price capacity available"
_MANY = 1_000  # different events or accounts in turn
_HASHES = 50
_REGISTRATIONS_OF = 20  # one request in 20 is a registration


class Mode(StrEnum):
    """How the platform is configured; limits that are on are never reached."""

    UNCACHED = "uncached"
    """Public reads are not cached. Keys are limited, anonymous callers are not."""
    CACHED = "cached"
    """Public reads are cached. Anonymous callers are not limited."""
    DEFAULT = "default"
    """Public reads are cached, and every caller is limited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A row. ``yardstick`` are the requests to the bare handlers, or to the platform itself with ``against_itself``."""

    name: str
    title: str
    ours: Sequence[Request]
    yardstick: Sequence[Request] = ()
    against_itself: bool = False
    mode: Mode = Mode.UNCACHED
    ratio: float | None = None
    """The least ratio of our throughput to that of the yardstick."""
    milliseconds: float | None = None
    """The most processor time of a request."""
    same_answer: bool = True
    """Whether both answer the same; otherwise the same fields."""
    on_sqlite: bool = False
    """Whether it is measured on SQLite as well."""
    on_sqlite_alone: bool = False
    """Whether it is the row that is measured on SQLite."""

    def embedded(self) -> "Comparison":
        """Return the row on SQLite, which is not compared with anything."""
        return dataclasses.replace(
            self, name=f"sqlite-{self.name}", yardstick=(), ratio=None, on_sqlite=False, on_sqlite_alone=True
        )


def comparisons(dataset: Dataset) -> list[Comparison]:
    """Return the rows, in the order of the report. Logins are last, because the hashing goes on for some time."""
    return [*_lists(), *_details(dataset), *_graphql(), *_with_keys(dataset), *_sales(dataset), *_cached(), _login()]


def _lists() -> list[Comparison]:
    paths = {
        "page100": ("Page 100 of the list", "/api/events?page=100"),
        "list100": ("List of 100 events", "/api/events?limit=100"),
        "category": ("List of a category", "/api/events?category=Concert"),
        "search": ("Search for a common word", f"/api/events?search={COMMON_WORD}"),
        "search-rare": ("Search for a rare word", f"/api/events?search={RARE_WORD}"),
    }
    others = [
        Comparison(name=name, title=title, ours=[Request(path=path)], yardstick=[Request(path=path)], on_sqlite=True)
        for name, (title, path) in paths.items()
    ]
    first = [Request(path="/api/events?limit=20")]
    return [
        Comparison(name="list", title="List of 20 events", ours=first, yardstick=first, ratio=0.7, on_sqlite=True),
        *others,
    ]


def _details(dataset: Dataset) -> list[Comparison]:
    requests = [Request(path=f"/api/events/{event_id}") for event_id in _public_events(dataset)]
    return [
        Comparison(
            name="detail",
            title="Event with its ticket types",
            ours=requests,
            yardstick=requests,
            ratio=0.7,
            on_sqlite=True,
        )
    ]


def _public_events(dataset: Dataset) -> list[int]:
    return [event_id for event_id in range(1, 2 * _MANY) if dataset.is_public(event_id)][:_MANY]


def _query(document: str, path: str = "/graphql") -> list[Request]:
    return [Request(path=path, method="POST", body=orjson.dumps({"query": document}), headers=_JSON)]


_FLAT = "{events(limit: 20){items{%s}}}" % _SCALARS
_NESTED = "{events(limit: 20){items{%s ticketTypes{%s}}}}" % (_SCALARS, _TYPE)


def _graphql() -> list[Comparison]:
    return [
        Comparison(
            name="graphql-list",
            title="GraphQL: 20 events, 8 scalars",
            ours=_query(_FLAT),
            yardstick=_query(_FLAT, "/graphql/list"),
            ratio=0.6,
            on_sqlite=True,
        ),
        Comparison(
            name="graphql-nested",
            title="GraphQL: 20 events with their ticket types, 13 fields",
            ours=_query(_NESTED),
            yardstick=_query(_NESTED, "/graphql/nested"),
            ratio=0.75,
            on_sqlite=True,
        ),
        Comparison(name="typename", title="GraphQL: `{ __typename }`", ours=_query("{ __typename }"), milliseconds=0.5),
    ]


def _with_key(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _with_keys(dataset: Dataset) -> list[Comparison]:
    organizer = _with_key(raw_key(KeyType.ORGANIZER, ORGANIZER_ID))
    crowd = range(1, min(dataset.size.crowd, _MANY) + 1)
    verifications = [
        Request(path=f"/api/tickets/{ticket_code(ticket_id)}/verify", method="POST", headers=organizer)
        for ticket_id in crowd
    ]
    stats = [Request(path=f"/api/events/{CROWDED_EVENT}/stats", headers=organizer)]
    tickets = f"{dataset.size.crowd:,} tickets"
    return [
        *_lists_with_keys(dataset, organizer),
        Comparison(name="verify", title="Verification of a ticket", ours=verifications, yardstick=verifications),
        Comparison(name="stats", title=f"Statistics of an event with {tickets}", ours=stats, yardstick=stats),
    ]


def _lists_with_keys(dataset: Dataset, organizer: Mapping[str, str]) -> list[Comparison]:
    path = "/api/events?limit=20"
    without = [Request(path=path)]
    many = [Request(path=path, headers=_with_key(key)) for key in user_keys(dataset.size)[:_MANY]]
    return [
        Comparison(
            name="list-key",
            title="List of 20 events with a key, against ours without",
            ours=[Request(path=path, headers=organizer)],
            yardstick=without,
            against_itself=True,
            ratio=0.75,
        ),
        Comparison(
            name="list-keys",
            title=f"List of 20 events with the keys of {_MANY:,} accounts, against ours without",
            ours=many,
            yardstick=without,
            against_itself=True,
            same_answer=False,
        ),
    ]


def _login() -> Comparison:
    logins = [
        Request(
            path="/api/auth/login",
            method="POST",
            body=orjson.dumps({"email": f"person{user_id}@example.com", "password": PASSWORD, "token": True}),
            headers=_JSON,
        )
        for user_id in range(1, _HASHES + 1)
    ]
    return Comparison(
        name="login", title="Login (Argon2)", ours=logins, yardstick=logins, same_answer=False, on_sqlite=True
    )


def _sales(dataset: Dataset) -> list[Comparison]:
    ours, bare = _registrations(dataset, SALE_EVENT), _registrations(dataset, BARE_SALE_EVENT)
    return [
        Comparison(
            name="register",
            title="Registrations for one ticket type",
            ours=ours,
            yardstick=bare,
            ratio=0.5,
            same_answer=False,
            on_sqlite=True,
        ),
        Comparison(
            name="sale",
            title="Start of a sale: 5 % registrations",
            ours=_crowd(SALE_EVENT, ours),
            yardstick=_crowd(BARE_SALE_EVENT, bare),
            mode=Mode.DEFAULT,
            same_answer=False,
        ),
    ]


def _registrations(dataset: Dataset, event_id: int) -> list[Request]:
    """Return registrations for the paid ticket type of an event, each by another account, which has a key."""
    body = orjson.dumps({"event_id": event_id, "ticket_type_id": 2 * event_id})
    return [
        Request(path="/api/tickets", method="POST", body=body, headers={**_JSON, **_with_key(key)})
        for key in user_keys(dataset.size)
    ]


def _crowd(event_id: int, registrations: list[Request]) -> list[Request]:
    """Return details of an event and its ticket types in turns, with a registration from time to time."""
    details, types = Request(path=f"/api/events/{event_id}"), Request(path=f"/api/ticket-types?event_id={event_id}")
    reads = [details if number % 2 else types for number in range(_REGISTRATIONS_OF - 1)]
    return [request for registration in registrations for request in (*reads, registration)]


def _cached() -> list[Comparison]:
    first = [Request(path="/api/events?limit=20")]
    constant = "/constant/graphql/nested"
    return [
        row
        for mode, suffix, what in ((Mode.CACHED, "", ""), (Mode.DEFAULT, "-limited", ", with the anonymous limit"))
        for row in (
            Comparison(
                name=f"cached-list{suffix}",
                title=f"Cached list of 20 events against constant bytes{what}",
                ours=first,
                yardstick=[Request(path="/constant/list")],
                mode=mode,
                ratio=0.5 if mode is Mode.CACHED else None,
            ),
            Comparison(
                name=f"cached-graphql{suffix}",
                title=f"Cached nested query against constant bytes{what}",
                ours=_query(_NESTED),
                yardstick=_query(_NESTED, constant),
                mode=mode,
                ratio=0.5 if mode is Mode.CACHED else None,
            ),
        )
    ]
