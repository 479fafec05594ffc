"""The query parameters of every list, typed from the contract and decisions 1.6 and 1.7, never from the code.

A row of QUERIES is the path of a list with its query parameters and the kind of each.
"""

from tests.contract.kinds import DATE_IN_QUERY, FLAG_IN_QUERY, ID_IN_QUERY, LIMIT, PAGE, SEARCH, Kind, word_in_query

_PAGING = {"page": PAGE, "limit": LIMIT}
_SCHEDULE = {
    "from": DATE_IN_QUERY,
    "to": DATE_IN_QUERY,
    "upcoming": FLAG_IN_QUERY,
    "sort": word_in_query("date", "-date", "newest", "NEWEST"),
}
_TICKETS = {"status": word_in_query("Pending", "Success", "Failed", "Refunded"), **_PAGING}
_DONATIONS = {"status": word_in_query("pending", "verified", "approved", "rejected"), **_PAGING}

QUERIES: dict[str, dict[str, Kind]] = {
    "/events": {
        "search": SEARCH,
        "category": word_in_query("Education", "Sports", "concert", "OTHER"),
        "organization_id": ID_IN_QUERY,
        **_SCHEDULE,
        **_PAGING,
    },
    "/events/$event/tickets": _TICKETS,
    "/organizations": {"search": SEARCH, **_PAGING},
    "/tickets": {"event_id": ID_IN_QUERY, **_TICKETS},
    "/donations": _DONATIONS,
    "/users/me/tickets": _TICKETS,
    "/admin/users": {
        "search": SEARCH,
        "type": word_in_query("user", "organizer"),
        "admin": FLAG_IN_QUERY,
        **_PAGING,
    },
    "/admin/events": {"search": SEARCH, "privacy": word_in_query("public", "private"), **_SCHEDULE, **_PAGING},
    "/admin/donations": _DONATIONS,
    "/admin/api-keys": {
        "user_id": ID_IN_QUERY,
        "active": FLAG_IN_QUERY,
        "key_type": word_in_query("user", "organizer", "admin"),
        **_PAGING,
    },
}
"""The query parameters of every paged list."""

WHOLE_LISTS = (
    "/events/$event/gallery",
    "/events/$event/fields",
    "/users/me/keys",
    "/keys",
    "/admin/plans",
    "/admin/rate-limits",
)
"""Lists for which the contract has no ``page`` and ``limit``, as the list of ticket types: 100 items by default."""

QUERIES |= dict.fromkeys(WHOLE_LISTS, _PAGING)
