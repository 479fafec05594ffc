"""The statements that write a new ticket, in their order, for both databases (decisions 6.2, 6.2a).

SQLite executes them one after the other, in a transaction that locks the database. PostgreSQL executes them in one
round trip, in a function that a migration creates from them: the row of a ticket type, which all registrations for it
need, is then locked only while the function runs. Each statement of a function sees what was committed before that
statement began, so the places of an account are counted as they are once its lock has been obtained. A single statement
that locks and counts would count them as they were before it waited for the lock.

A change of the statements needs a migration that creates the function again.
"""

import re
from collections.abc import Mapping

from amarevents.models.db.sql import Sql
from amarevents.models.mails import MAX_BODY, MAX_SUBJECT

# The outcomes of the function other than the ID of the new ticket.
SOLD_OUT = 0
ACCOUNT_DELETED = -1
TOO_MANY_PLACES = -2

HOLDS_PLACE = (
    "(tickets.status = 'Success' OR tickets.status = 'Pending' AND (tickets.transaction_id IS NOT NULL "
    "OR tickets.hold_expires_at IS NULL OR tickets.hold_expires_at > :now))"
)
"""The condition that a ticket holds a place, which one with an overdue hold does not."""

FIND_ACCOUNT = "SELECT users.id FROM users WHERE users.id = :user_id"
LOCK = " FOR NO KEY UPDATE"
"""Makes simultaneous registrations of one account wait for each other, and no others: rows that refer to the account
can still be written."""

COUNT_PLACES = " ".join(
    ("SELECT COUNT(*) FROM tickets WHERE tickets.user_id = :user_id AND tickets.event_id = :event_id AND", HOLDS_PLACE)
)


def _insert(table: str, *columns: str, **values: str) -> str:
    """Return the statement that inserts a row with parameters of the same names as its columns, or with ``values``."""
    every = {**{column: f":{column}" for column in columns}, **values}
    return f"INSERT INTO {table} ({', '.join(every)}) VALUES ({', '.join(every.values())})"  # noqa: S608 - of this module


def _with_number(text: str, length: int) -> str:
    """Return the expression for a text in which the number of the ticket replaces its placeholder."""
    return f"SUBSTR(REPLACE(:{text}, :number_placeholder, CAST(:ticket_id AS TEXT)), 1, {length})"


INSERT_TICKET = _insert(
    "tickets",
    *("code", "event_id", "user_id", "ticket_type_id", "name", "email", "email_key", "number", "amount", "due"),
    *("status", "transaction_id", "payment_method", "note", "hold_expires_at", "created_at"),
    updated_at=":created_at",
)
RETURNING = " RETURNING id"
INSERT_ANSWER = _insert("custom_values", "ticket_id", "field_id", "value", "choices")
INSERT_EMAIL = _insert(
    "outgoing_mails",
    "ticket_id",
    kind=":email_kind",
    status=":email_status",
    last_error=":email_held_because",
    recipient=":email",
    subject=_with_number("email_subject", MAX_SUBJECT),
    body=_with_number("email_text", MAX_BODY),
    attempts="0",
    next_attempt_at=":now",
    created_at=":now",
)
INSERT_CLAIM = _insert("payment_claims", "ticket_id", scope=":claim_scope", transaction_key=":claim_key")

CLAIM_PLACE = (
    "UPDATE ticket_types SET sold = sold + 1 "
    "WHERE ticket_types.id = :ticket_type_id "
    "AND (ticket_types.capacity = 0 OR ticket_types.sold < ticket_types.capacity)"
)
"""Takes a place if there is one (decisions 6.2). It is the last statement, because of the order of locks."""

UNDO = "DELETE FROM tickets WHERE tickets.id = :ticket_id"
"""Undoes the other statements without an error, which would abort the transaction of the caller."""

PARAMETERS: Mapping[str, str] = {
    "user_id": "INTEGER",
    "event_id": "INTEGER",
    "places_limit": "INTEGER",
    "now": "TIMESTAMPTZ",
    "code": "TEXT",
    "ticket_type_id": "INTEGER",
    "name": "TEXT",
    "email": "TEXT",
    "email_key": "TEXT",
    "number": "TEXT",
    "amount": "NUMERIC",
    "due": "NUMERIC",
    "status": "TEXT",
    "transaction_id": "TEXT",
    "payment_method": "TEXT",
    "note": "TEXT",
    "hold_expires_at": "TIMESTAMPTZ",
    "created_at": "TIMESTAMPTZ",
    "field_ids": "INTEGER[]",
    "answers": "TEXT[]",
    "chosen": "TEXT[]",
    "email_kind": "TEXT",
    "email_status": "TEXT",
    "email_held_because": "TEXT",
    "email_subject": "TEXT",
    "email_text": "TEXT",
    "number_placeholder": "TEXT",
    "claim_scope": "INTEGER",
    "claim_key": "TEXT",
    "takes_place": "BOOLEAN",
}
"""The parameters of the function. Without ``places_limit`` the account may hold any number of places; without its kind
or key, no email or claim is written. ``chosen`` has the options of each answer as JSON."""

_NAME = re.compile(r":(\w+)")
FUNCTION = "book_ticket"
CALL = f"SELECT {FUNCTION}({', '.join(f':{name}' for name in PARAMETERS)})"


def bind(text: str, values: Mapping[str, object]) -> Sql:
    """Return a statement with the values of its named parameters."""
    return Sql(_NAME.sub("?", text), tuple(values[name] for name in _NAME.findall(text)))


def function() -> str:
    """Return the statement that creates the function, or replaces it."""
    return _NAME.sub(
        r"_\1",
        f"""
CREATE OR REPLACE FUNCTION {FUNCTION}({", ".join(f":{name} {kind}" for name, kind in PARAMETERS.items())})
RETURNS INTEGER LANGUAGE plpgsql AS $$
DECLARE
    :ticket_id INTEGER;
    :field_id INTEGER;
    :value TEXT;
    :choices JSONB;
BEGIN
    IF :places_limit IS NOT NULL THEN
        PERFORM {FIND_ACCOUNT.removeprefix("SELECT ")}{LOCK};
        IF NOT FOUND THEN RETURN {ACCOUNT_DELETED}; END IF;
        IF ({COUNT_PLACES}) >= :places_limit THEN RETURN {TOO_MANY_PLACES}; END IF;
    END IF;
    {INSERT_TICKET}{RETURNING} INTO :ticket_id;
    FOR answer IN 1 .. CARDINALITY(:field_ids) LOOP
        :field_id = :field_ids[answer]; :value = :answers[answer]; :choices = :chosen[answer];
        {INSERT_ANSWER};
    END LOOP;
    IF :email_kind IS NOT NULL THEN {INSERT_EMAIL}; END IF;
    IF :claim_key IS NOT NULL THEN {INSERT_CLAIM}; END IF;
    IF :takes_place THEN
        {CLAIM_PLACE};
        IF NOT FOUND THEN {UNDO}; RETURN {SOLD_OUT}; END IF;
    END IF;
    RETURN :ticket_id;
END $$""",
    )
