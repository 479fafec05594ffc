"""The table of access: check-ins at the door, and payments decided many at once (decisions 2.6, 6.9)."""

from tests.contract.access import HIDDEN, ORGANIZER, ORGANIZERS, OWNER, graphql_row


def _decision(field: str, mode: str, ticket: str) -> str:
    return f"mutation {{ {field}(input: {{ticketIds: [{ticket}], mode: {mode}}}) {{ decided {{ id }} }} }}"


DECISIONS = tuple(
    graphql_row(_decision(field, mode, ticket), statuses, "tickets:write", ORGANIZERS)
    for field in ("approvePayments", "rejectPayments")
    # With EACH what is refused for the ticket's sake stands in the answer.
    for mode, ticket, statuses in (
        ("ALL", "$pending_ticket", HIDDEN),
        ("ALL", "$own_pending_ticket", OWNER),
        ("EACH", "$pending_ticket", ORGANIZER),
    )
)

_MUTATIONS = {
    'checkInTicket(code: "$spare_code") { outcome }': HIDDEN,
    'checkInTicket(code: "$own_code") { outcome }': OWNER,
    "undoCheckIn(ticketId: $checked_in_ticket) { id }": HIDDEN,
    "undoCheckIn(ticketId: $own_checked_in_ticket) { id }": OWNER,
}

CHECK_INS = tuple(
    graphql_row(f"mutation {{ {field} }}", statuses, "tickets:write", ORGANIZERS)
    for field, statuses in _MUTATIONS.items()
)

ROWS = (*CHECK_INS, *DECISIONS)
