"""Errors of asyncpg, translated into those that callers of the engine handle."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from tortoise.exceptions import DBConnectionError, IntegrityError

from amarevents.models.db.engines.errors import DatabaseBusy, DatabaseUnavailable

BUSY = (
    asyncpg.exceptions.TransactionRollbackError,  # deadlocks, serialization failures
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,  # by statement_timeout
    asyncpg.exceptions.InsufficientResourcesError,  # too many connections, disk full, out of memory
)
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,  # shutdown, starting up
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InternalClientError,  # when the server has closed the connection, but asyncpg has not noticed it yet
    DBConnectionError,
    OSError,
)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise IntegrityError, and DatabaseBusy or DatabaseUnavailable for errors of the server, not of the statement."""
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as error:
        raise IntegrityError(error) from error
    except BUSY as error:
        raise DatabaseBusy(f"PostgreSQL gave up on a statement: {error}") from error
    except TimeoutError as error:  # before LOST: it is an OSError
        raise DatabaseBusy("PostgreSQL did not respond in time, or all connections of the pool were in use") from error
    except LOST as error:
        raise _unavailable(error) from error
    except asyncpg.InterfaceError as error:
        if "clos" not in str(error) and "released" not in str(error):
            raise  # a misuse of the driver
        raise _unavailable(error) from error


def _unavailable(error: Exception) -> DatabaseUnavailable:
    return DatabaseUnavailable(
        f"PostgreSQL cannot be reached ({str(error) or type(error).__name__}): "
        "check that it is running and that AMAREVENTS_DATABASE_URL is correct"
    )
