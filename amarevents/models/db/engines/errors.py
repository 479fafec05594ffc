"""Errors of the database itself, independent of the driver, as opposed to errors of a statement."""

from amarevents.errors import OperatorError


class DatabaseUnavailable(OperatorError):
    """The database cannot be reached or the connection was lost. The statement may or may not have been executed.

    The message is for the operator: it says what to check and contains no credentials.
    """


class DatabaseBusy(DatabaseUnavailable):
    """The database is available but gave up on a statement: a lock, a time limit, a deadlock or too many connections.

    The transaction has been rolled back and can be tried again.
    """
