"""Parsing and validation of documents, with a cache of small valid ones and of what is known about them."""

from collections import OrderedDict
from dataclasses import dataclass, field

from graphql import DocumentNode, GraphQLError, GraphQLSchema, get_operation_ast, parse, validate

from amarevents.schema.execution.limits import MAX_TOKENS, DocumentTooLarge
from amarevents.schema.execution.operations import Operation

# The syntax tree of a document takes about 250 times the memory of its text.
_MAX_CACHED = 128
_MAX_CACHED_CHARACTERS = 3_000
# Each error may quote much of the document: 100 of them, the default of graphql-core, can be megabytes.
MAX_ERRORS = 5


@dataclass(slots=True)
class Document:
    """A parsed document. Of one that ``is_valid`` it is known that it is within the limits and has no errors."""

    text: str
    node: DocumentNode
    is_valid: bool = False
    _operations: dict[str | None, Operation | None] = field(default_factory=dict)

    def operation(self, name: str | None) -> Operation | None:
        """Return the operation with this name, the only one without a name; None if there is no such operation."""
        if name not in self._operations:
            node = get_operation_ast(self.node, name)
            if node is None:
                return None
            self._operations[name] = Operation(self.node, node)
        return self._operations[name]


_cache: OrderedDict[str, Document] = OrderedDict()
"""Valid documents by their text, the most recently used ones last."""


def parse_document(text: str) -> Document:
    """Return the parsed document.

    Raises GraphQLSyntaxError, or DocumentTooLarge if it is nested too deeply.
    """
    known = _cache.get(text)
    if known is not None:
        _cache.move_to_end(text)
        return known
    try:
        return Document(text, parse(text, max_tokens=MAX_TOKENS))
    except RecursionError:
        raise DocumentTooLarge("The document is nested too deeply") from None


def validation_errors(schema: GraphQLSchema, document: Document) -> list[GraphQLError]:
    """Return the first few errors of a document. Small documents without errors are validated only once."""
    if document.is_valid:
        return []
    errors = validate(schema, document.node, max_errors=MAX_ERRORS)
    if not errors and len(document.text) <= _MAX_CACHED_CHARACTERS:
        document.is_valid = True
        _cache[document.text] = document
        if len(_cache) > _MAX_CACHED:
            _cache.popitem(last=False)
    return errors
