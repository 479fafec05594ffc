"""What a caller is told of a failure, and what the log is: one decision for both surfaces."""

import logging

from amarevents import errors
from amarevents.models.db.connection import DatabaseUnavailable

logger = logging.getLogger(__name__)


def public_error(failure: Exception) -> errors.AmarEventsError:
    """The failure as callers see it: expected ones as they are, a database that is away, and nothing of the rest."""
    if isinstance(failure, errors.AmarEventsError):
        return failure
    if isinstance(failure, DatabaseUnavailable):
        return errors.TemporarilyUnavailable()
    return errors.InternalError()


def log_failure(failure: Exception, request_id: str, where: str) -> None:
    """One line where the database is away, the traceback of what was not foreseen, nothing of callers' mistakes."""
    if isinstance(failure, errors.AmarEventsError):
        return
    if isinstance(failure, DatabaseUnavailable):
        logger.error("Request %s, %s: %s", request_id, where, failure)
        return
    logger.error("Request %s failed, %s", request_id, where, exc_info=failure)
