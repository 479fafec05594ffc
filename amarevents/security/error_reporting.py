"""What callers and the log learn of an exception, the same for REST and GraphQL."""

import logging

from amarevents import errors
from amarevents.models.db.connection import DatabaseUnavailable

logger = logging.getLogger(__name__)


def public_error(failure: Exception) -> errors.AmarEventsError:
    """Return the error that callers see for an exception.

    Expected errors are returned unchanged. A database outage becomes TemporarilyUnavailable; everything else becomes
    InternalError, which reveals nothing about the exception.
    """
    if isinstance(failure, errors.AmarEventsError):
        return failure
    if isinstance(failure, DatabaseUnavailable):
        return errors.TemporarilyUnavailable()
    return errors.InternalError()


def log_failure(failure: Exception, request_id: str, where: str) -> None:
    """Log an exception: one line for a database outage, a traceback for an unexpected one.

    Errors of callers are not logged.
    """
    if isinstance(failure, errors.AmarEventsError):
        return
    if isinstance(failure, DatabaseUnavailable):
        logger.error("Request %s, %s: %s", request_id, where, failure)
        return
    logger.error("Request %s failed, %s", request_id, where, exc_info=failure)
