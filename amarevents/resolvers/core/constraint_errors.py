"""Violated constraints of the database, as the errors that callers get."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tortoise.exceptions import IntegrityError

from amarevents import errors
from amarevents.models.db.connection import violates


@contextmanager
def integrity_errors(
    by_column: Mapping[str, errors.AmarEventsError | None], *, otherwise: errors.AmarEventsError | None = None
) -> Iterator[None]:
    """Raise the API's error when a statement in the block violates a constraint.

    ``by_column`` has the error for each column that must be unique. ``otherwise`` is the error for any other
    violation, usually a reference to a row that has just been deleted. Where the error is None, IntegrityError is
    raised.
    """
    try:
        yield
    except IntegrityError as error:
        api_error = next((found for column, found in by_column.items() if violates(error, column)), otherwise)
        if api_error is None:
            raise
        raise api_error from error
