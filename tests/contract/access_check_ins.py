"""Rows of the access table: check-ins, and payments and bulk decisions on them (decisions 2.6, 6.2a, 6.9)."""

from tests.contract.access import ACCOUNT, HIDDEN, ORGANIZER, ORGANIZERS, OWNER, USERS, graphql_row


def _decision(field: str, mode: str, ticket: str) -> str:
    return f"mutation {{ {field}(input: {{ticketIds: [{ticket}], mode: {mode}}}) {{ decided {{ id }} }} }}"


DECISIONS = tuple(
    graphql_row(_decision(field, mode, ticket), statuses, "tickets:write", ORGANIZERS)
    for field in ("approvePayments", "rejectPayments")
    # With EACH, tickets that are refused are listed in the answer, whose status is 200.
    for mode, ticket, statuses in (
        ("ALL", "$pending_ticket", HIDDEN),
        ("ALL", "$own_pending_ticket", OWNER),
        ("EACH", "$pending_ticket", ORGANIZER),
    )
)

PAYMENTS = tuple(
    graphql_row(
        f'mutation {{ addPayment(input: {{ticketId: {ticket}, transactionId: "PAID$unique"}}) {{ id }} }}',
        statuses,
        "tickets:write",
        USERS,
    )
    for ticket, statuses in (
        ("$own_pending_ticket", ACCOUNT),
        # The owner of the event and admins see the ticket, and update it instead.
        ("$pending_ticket", "401 404 404 403 404 403 404 403 404 403"),
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

ROWS = (*CHECK_INS, *PAYMENTS, *DECISIONS)
