"""Errors of GraphQL responses (decisions 9.4), with the error codes of the REST API in ``extensions``."""

import re
from typing import Any

from graphql import GraphQLError

from amarevents import errors
from amarevents.security.error_reporting import log_failure, public_error

_MAX_MESSAGE = 300
_MAX_LOCATIONS = 3
_SUGGESTION = " Did you mean "


def cause_of(error: GraphQLError) -> Exception | None:
    """Return the exception that a field raised, or None if the document or its variables are invalid."""
    cause: Exception | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def format_error(error: GraphQLError) -> dict[str, Any]:  # Any: JSON
    """Return an error as it is sent to the caller."""
    cause = cause_of(error)
    formatted = error.formatted
    formatted["locations"] = (formatted.get("locations") or [])[:_MAX_LOCATIONS]
    if cause is None:
        formatted["message"] = _truncate(formatted["message"])
        return {**formatted, "extensions": {**(error.extensions or {}), "code": "GRAPHQL_INVALID", "status": 400}}
    public = public_error(cause)
    return {**formatted, "message": message_of(public), "extensions": extensions_of(public)}


def _truncate(message: str) -> str:
    """Truncate a message, because messages about a document may quote all of it."""
    return message if len(message) <= _MAX_MESSAGE else f"{message[:_MAX_MESSAGE]}…"


def strip_suggestion(message: str) -> str:
    """Remove the suggested names from a message about a document, which reveal parts of the schema."""
    return message.partition(_SUGGESTION)[0]


def message_of(error: errors.AmarEventsError) -> str:
    """Return the message of an error, with the field names of the schema."""
    if isinstance(error, errors.ValidationFailed):
        return error.summary(_fields(error))
    return error.text


def extensions_of(error: errors.AmarEventsError) -> dict[str, Any]:  # Any: JSON
    """Return the ``extensions`` of an error: its code, its HTTP status and, if there are any, its fields."""
    extensions: dict[str, Any] = {"code": error.code, "status": error.status}
    if error.fields:
        extensions["fields"] = _fields(error)
    if error.retry_after is not None:
        extensions["retryAfter"] = error.retry_after
    return extensions


def format_request_error(error: errors.AmarEventsError) -> dict[str, Any]:  # Any: JSON
    """Return the error of a request that was not executed, as an entry of ``errors``."""
    return {"message": message_of(error), "extensions": extensions_of(error)}


def _fields(error: errors.AmarEventsError) -> dict[str, str]:
    return {_camel_case(path): problem for path, problem in error.fields.items()}


def _camel_case(path: str) -> str:
    """Return the path of a field with the names of the schema. The names of custom fields stay as they are."""
    names, dot, custom_field = path.partition("custom_fields.")
    in_camel_case = re.sub(r"_([a-z0-9])", lambda match: match.group(1).upper(), names)
    return f"{in_camel_case}customFields.{custom_field}" if dot else in_camel_case


def log_unexpected(error: GraphQLError, request_id: str) -> None:
    """Log an unexpected exception, which callers see as an internal error; expected errors are not logged."""
    cause = cause_of(error)
    if cause is not None:
        log_failure(cause, request_id, f"GraphQL {error.path}")
