"""How failures look in GraphQL (decisions 9.4): the codes of REST in ``extensions``, nothing of the unforeseen."""

import re
from typing import Any

from graphql import GraphQLError

from amarevents import errors
from amarevents.security.error_reporting import log_failure, public_error

_MAX_MESSAGE = 300
_MAX_LOCATIONS = 3
_SUGGESTION = " Did you mean "


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
    shown["locations"] = (shown.get("locations") or [])[:_MAX_LOCATIONS]
    if cause is None:
        shown["message"] = _shortened(shown["message"])
        return {**shown, "extensions": {**(error.extensions or {}), "code": "GRAPHQL_INVALID", "status": 400}}
    known = public_error(cause)
    return {**shown, "message": message_of(known), "extensions": extensions_of(known)}


def _shortened(message: str) -> str:
    """Messages about a document may quote all of it."""
    return message if len(message) <= _MAX_MESSAGE else f"{message[:_MAX_MESSAGE]}…"


def without_suggestion(message: str) -> str:
    """A message about a document without the names that the schema has instead."""
    return message.partition(_SUGGESTION)[0]


def message_of(error: errors.AmarEventsError) -> str:
    """What is wrong, with fields named as the schema names them."""
    if isinstance(error, errors.ValidationFailed):
        return error.summary(_fields(error))
    return error.text


def extensions_of(error: errors.AmarEventsError) -> dict[str, Any]:  # Any: JSON
    extensions: dict[str, Any] = {"code": error.code, "status": error.status}
    if error.fields:
        extensions["fields"] = _fields(error)
    if isinstance(error, errors.RateLimited):
        extensions["retryAfter"] = error.retry_after
    return extensions


def refusal(error: errors.AmarEventsError) -> dict[str, Any]:  # Any: JSON
    """A failure of the whole request, as one of its ``errors``."""
    return {"message": message_of(error), "extensions": extensions_of(error)}


def _fields(error: errors.AmarEventsError) -> dict[str, str]:
    return {_camel_case(path): problem for path, problem in error.fields.items()}


def _camel_case(path: str) -> str:
    """A field's path in the names of the schema; what callers have named themselves stays as it is."""
    head, dot, answer = path.partition("custom_fields.")
    return re.sub(r"_([a-z0-9])", lambda match: match.group(1).upper(), head + ("custom_fields" if dot else "")) + (
        f".{answer}" if dot else ""
    )


def log_unforeseen(error: GraphQLError, request_id: str) -> None:
    """What no caller is told goes into the log under the request's id; expected failures do not."""
    cause = cause_of(error)
    if cause is not None:
        log_failure(cause, request_id, f"GraphQL {error.path}")
