"""How the database can fail without any fault of the statement: one name each, whatever the driver calls it."""

from amarevents.errors import OperatorError


class DatabaseUnavailable(OperatorError):
    """The database cannot be reached, or the connection to it broke; what was under way may or may not have happened.

    The message is for the operator: it says what to look at and holds no credentials.
    """


class DatabaseBusy(DatabaseUnavailable):
    """The database is there, but gave up on a statement: a lock, a time limit, a deadlock or too many connections.

    The transaction has been rolled back; doing it again may well succeed.
    """
