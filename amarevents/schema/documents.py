"""Parsing and validating documents, remembering small ones: large ones would fill the memory of the process."""

from functools import lru_cache

from graphql import DocumentNode, GraphQLError, GraphQLSchema, parse, validate

from amarevents.schema.limits import MAX_TOKENS, DocumentTooLarge

_REMEMBERED = 256
_REMEMBERED_CHARACTERS = 4_096
# Each error may quote a good part of the document: one hundred of them, the default, are megabytes.
_MAX_ERRORS = 5


def parse_document(text: str) -> DocumentNode:
    """Raises GraphQLSyntaxError, or DocumentTooLarge for one that is nested too deeply to be parsed."""
    return _parse_once(text) if len(text) <= _REMEMBERED_CHARACTERS else _parse(text)


def validation_errors(schema: GraphQLSchema, text: str) -> list[GraphQLError]:
    """What is wrong with a document that parses, the first few faults; empty where nothing is."""
    check = _validate_once if len(text) <= _REMEMBERED_CHARACTERS else _validate
    return list(check(schema, text))


def _parse(text: str) -> DocumentNode:
    try:
        return parse(text, max_tokens=MAX_TOKENS)
    except RecursionError:
        raise DocumentTooLarge("The document is nested too deeply") from None


def _validate(schema: GraphQLSchema, text: str) -> tuple[GraphQLError, ...]:
    return tuple(validate(schema, parse_document(text), max_errors=_MAX_ERRORS))


_parse_once = lru_cache(_REMEMBERED)(_parse)
_validate_once = lru_cache(_REMEMBERED)(_validate)
