"""Booking: a new ticket is written with everything that belongs to it, or nothing is (decisions 6.2 to 6.6).

``models.booking`` has the statements. On PostgreSQL they are one round trip, which commits by itself outside of a
transaction.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.mail.outbox import initial_status
from amarevents.mail.templates import NUMBER_PLACEHOLDER, EmailContent
from amarevents.models import booking
from amarevents.models.booking import bind
from amarevents.models.columns import SHORT_LENGTH, encode_json
from amarevents.models.db.connection import violated_table, violates
from amarevents.models.db.sql import dialect, execute, execute_many
from amarevents.models.enums import MailKind
from amarevents.resolvers.core.inputs import RecordId
from amarevents.resolvers.tickets.custom_answers import CheckedAnswer
from amarevents.resolvers.tickets.payment_claims import Claim
from amarevents.resolvers.tickets.queries import TicketDetailView
from amarevents.security.context import Context
from amarevents.text import email_key

Values = Mapping[str, Any]  # Any: the values of any columns
"""The values of all parameters of the statements, by name."""


def ticket_values(ticket: TicketDetailView) -> Values:
    """Return the values of a ticket, which takes a place of its type."""
    return {
        "code": ticket.code,
        "event_id": ticket.event_id,
        "user_id": ticket.user_id,
        "ticket_type_id": ticket.ticket_type_id,
        "name": ticket.name,
        "email": ticket.email,
        "email_key": email_key(ticket.email)[:SHORT_LENGTH],
        "number": ticket.number,
        "amount": ticket.amount,
        "due": ticket.due,
        "status": ticket.status,
        "transaction_id": ticket.transaction_id,
        "payment_method": ticket.payment_method,
        "note": ticket.note,
        "hold_expires_at": ticket.expires_at,
        "created_at": ticket.created_at,
        "takes_place": ticket.ticket_type_id is not None,
    }


def answer_values(answers: Mapping[int, CheckedAnswer]) -> Values:
    """Return the values of the answers by field ID."""
    chosen = [answer.choices for answer in answers.values()]
    return {
        "field_ids": list(answers),
        "answers": [answer.value for answer in answers.values()],
        "chosen": [None if choices is None else encode_json(choices) for choices in chosen],
    }


def email_values(ctx: Context, content: EmailContent | None, *, held_because: str | None) -> Values:
    """Return the values of the email that confirms a ticket, if there is one."""
    return {
        "email_kind": MailKind.TICKET_CONFIRMED if content else None,
        "email_status": initial_status(ctx.services.settings, held_because),
        "email_held_because": held_because,
        "email_subject": content.subject if content else None,
        "email_text": content.text if content else None,
        "number_placeholder": NUMBER_PLACEHOLDER,
    }


def claim_values(claim: Claim | None) -> Values:
    """Return the values of the claim of a ticket, if it has one."""
    return {"claim_scope": claim.scope if claim else None, "claim_key": claim.key if claim else None}


async def book(values: Values) -> RecordId:
    """Write a ticket, and return its ID.

    Raises SoldOut, TooManyPlaces, DuplicateTransaction, Unauthenticated if the account has been deleted, NotFound if
    the event has been, and ValidationFailed if a custom field has been.
    """
    if dialect() == "postgres":
        return await _book_at_once(values)
    async with in_transaction():
        return await _book_step_by_step(values)


async def _book_at_once(values: Values) -> RecordId:
    with _refusals():
        [[outcome]] = await execute(bind(booking.CALL, values))
    if outcome == booking.SOLD_OUT:
        raise errors.SoldOut
    _require_place_for_account(values, outcome)
    return RecordId(outcome)


async def _book_step_by_step(values: Values) -> RecordId:
    await lock_account(values)
    with _refusals("tickets"):
        [[ticket_id]] = await execute(bind(booking.INSERT_TICKET + booking.RETURNING, values))
    values = {**values, "ticket_id": ticket_id}
    await _write_answers(values)
    if values["email_kind"] is not None:
        await execute(bind(booking.INSERT_EMAIL, values))
    if values["claim_key"] is not None:
        with _refusals("payment_claims"):
            await execute(bind(booking.INSERT_CLAIM, values))
    if values["takes_place"] and not await execute(bind(booking.CLAIM_PLACE + booking.RETURNING, values)):
        raise errors.SoldOut
    return RecordId(ticket_id)


async def lock_account(values: Values) -> None:
    """Lock the account until the end of the transaction, and check that it may hold another place of the event.

    Raises Unauthenticated, TooManyPlaces. Does nothing without ``places_limit``.
    """
    if values["places_limit"] is None:
        return
    lock = booking.LOCK if dialect() == "postgres" else ""
    if not await execute(bind(booking.FIND_ACCOUNT + lock, values)):
        _require_place_for_account(values, booking.ACCOUNT_DELETED)
    [[held]] = await execute(bind(booking.COUNT_PLACES, values))
    _require_place_for_account(values, booking.TOO_MANY_PLACES if held >= values["places_limit"] else held)


def _require_place_for_account(values: Values, outcome: int) -> None:
    if outcome == booking.ACCOUNT_DELETED:
        raise errors.Unauthenticated
    if outcome == booking.TOO_MANY_PLACES:
        raise errors.TooManyPlaces(values["places_limit"])


async def _write_answers(values: Values) -> None:
    """Write the answers, if there are any, in one statement."""
    answers = zip(values["field_ids"], values["answers"], values["chosen"], strict=True)
    rows = [
        bind(booking.INSERT_ANSWER, {**values, "field_id": field_id, "value": text, "choices": chosen})
        for field_id, text, chosen in answers
    ]
    if rows:
        with _refusals("custom_values"):
            await execute_many(rows[0].text, [row.values for row in rows])


@contextmanager
def _refusals(table: str | None = None) -> Iterator[None]:
    """Raise the error of the API if a row of a table, by default the one that the error names, violates a constraint.

    Such a row refers to another one that has just been deleted, or is not unique.
    """
    try:
        yield
    except IntegrityError as error:
        refusal = _refusal(table or violated_table(error), error)
        if refusal is None:
            raise
        raise refusal from error


def _refusal(table: str | None, error: IntegrityError) -> errors.AmarEventsError | None:
    if table == "tickets":
        return errors.NotFound("Event")
    if table == "custom_values":
        return errors.ValidationFailed({"custom_fields": "have changed on the event; load them again"})
    if table == "payment_claims" and violates(error, "transaction_key"):
        return errors.DuplicateTransaction()
    return None
