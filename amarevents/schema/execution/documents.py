"""Parsing and validating documents, remembering small good ones: others would fill the memory of the process."""

from collections import OrderedDict

from graphql import DocumentNode, GraphQLError, GraphQLSchema, parse, validate

from amarevents.schema.execution.limits import MAX_TOKENS, DocumentTooLarge

# A syntax tree takes some 250 times the memory of its text.
_REMEMBERED = 128
_REMEMBERED_CHARACTERS = 3_000
# Each error may quote a good part of the document: one hundred of them, the default, are megabytes.
MAX_ERRORS = 5

_good: OrderedDict[str, DocumentNode] = OrderedDict()


def parse_document(text: str) -> DocumentNode:
    """Raises GraphQLSyntaxError, or DocumentTooLarge for one that is nested too deeply to be parsed."""
    if text in _good:
        _good.move_to_end(text)
        return _good[text]
    try:
        return parse(text, max_tokens=MAX_TOKENS)
    except RecursionError:
        raise DocumentTooLarge("The document is nested too deeply") from None


def validation_errors(schema: GraphQLSchema, document: DocumentNode) -> list[GraphQLError]:
    """What is wrong with a document, the first few faults; empty where nothing is, now and whenever it comes again."""
    if is_remembered(document):
        return []
    errors = validate(schema, document, max_errors=MAX_ERRORS)
    if not errors:
        _remember(_text(document), document)
    return errors


def is_remembered(document: DocumentNode) -> bool:
    """Whether it has been found good before: bounded and valid."""
    return _good.get(_text(document)) is document


def _text(document: DocumentNode) -> str:
    return document.loc.source.body if document.loc else ""


def _remember(text: str, document: DocumentNode) -> None:
    if len(text) > _REMEMBERED_CHARACTERS:
        return
    _good[text] = document
    if len(_good) > _REMEMBERED:
        _good.popitem(last=False)
