"""Parsing and validation of documents, with a cache of small valid ones."""

from collections import OrderedDict

from graphql import DocumentNode, GraphQLError, GraphQLSchema, parse, validate

from amarevents.schema.execution.limits import MAX_TOKENS, DocumentTooLarge

# The syntax tree of a document takes about 250 times the memory of its text.
_MAX_CACHED = 128
_MAX_CACHED_CHARACTERS = 3_000
# Each error may quote much of the document: 100 of them, the default of graphql-core, can be megabytes.
MAX_ERRORS = 5

_cache: OrderedDict[str, DocumentNode] = OrderedDict()
"""Valid documents by their text, the most recently used ones last."""


def parse_document(text: str) -> DocumentNode:
    """Return the syntax tree of a document.

    Raises GraphQLSyntaxError, or DocumentTooLarge if it is nested too deeply.
    """
    if text in _cache:
        _cache.move_to_end(text)
        return _cache[text]
    try:
        return parse(text, max_tokens=MAX_TOKENS)
    except RecursionError:
        raise DocumentTooLarge("The document is nested too deeply") from None


def validation_errors(schema: GraphQLSchema, document: DocumentNode) -> list[GraphQLError]:
    """Return the first few errors of a document. Small documents without errors are validated only once."""
    if is_cached(document):
        return []
    errors = validate(schema, document, max_errors=MAX_ERRORS)
    if not errors:
        _add_to_cache(_text(document), document)
    return errors


def is_cached(document: DocumentNode) -> bool:
    """Return whether a document is known to be valid and within the limits."""
    return _cache.get(_text(document)) is document


def _text(document: DocumentNode) -> str:
    return document.loc.source.body if document.loc else ""


def _add_to_cache(text: str, document: DocumentNode) -> None:
    if len(text) > _MAX_CACHED_CHARACTERS:
        return
    _cache[text] = document
    if len(_cache) > _MAX_CACHED:
        _cache.popitem(last=False)
