"""How failures look in GraphQL (decisions 9.4): the codes of REST in ``extensions``, nothing of the unforeseen."""

import logging
import re
from typing import Any

from graphql import GraphQLError

from amarevents import errors

logger = logging.getLogger(__name__)


def cause_of(error: GraphQLError) -> Exception | None:
    """What was raised in a resolver; None for what is wrong with the document or its variables."""
    cause: Exception | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def presented(error: GraphQLError) -> dict[str, Any]:  # Any: JSON
    """The error as the caller sees it."""
    cause = cause_of(error)
    shown = error.formatted
    if cause is None:
        return {**shown, "extensions": {**(error.extensions or {}), "code": "GRAPHQL_INVALID", "status": 400}}
    known = cause if isinstance(cause, errors.AmarEventsError) else errors.InternalError()
    return {**shown, "message": known.text, "extensions": extensions_of(known)}


def extensions_of(error: errors.AmarEventsError) -> dict[str, Any]:  # Any: JSON
    extensions: dict[str, Any] = {"code": error.code, "status": error.status}
    if error.fields:
        extensions["fields"] = {_camel_case(path): problem for path, problem in error.fields.items()}
    if isinstance(error, errors.RateLimited):
        extensions["retryAfter"] = error.retry_after
    return extensions


def _camel_case(path: str) -> str:
    """A field's path in the names of the schema; what callers have named themselves stays as it is."""
    head, dot, answer = path.partition("custom_fields.")
    return re.sub(r"_([a-z0-9])", lambda match: match.group(1).upper(), head + ("custom_fields" if dot else "")) + (
        f".{answer}" if dot else ""
    )


def log_unforeseen(error: GraphQLError, request_id: str) -> None:
    """What no caller is told goes into the log under the request's id; expected failures do not."""
    cause = cause_of(error)
    if cause is not None and not isinstance(cause, errors.AmarEventsError):
        logger.error("Request %s failed at %s", request_id, error.path, exc_info=cause)
