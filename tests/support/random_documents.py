"""Random valid documents for a schema, with fragments, aliases, directives and variables, determined by a seed."""

import random

from graphql import GraphQLObjectType, GraphQLSchema, get_named_type, is_leaf_type
from graphql.type import GraphQLField

_MAX_DEPTH = 4


class DocumentWriter:
    """A writer of random documents; the same seed gives the same documents."""

    def __init__(self, schema: GraphQLSchema, seed: int) -> None:
        self._schema = schema
        self._random = random.Random(seed)
        self._fragments: list[str] = []

    def write(self) -> str:
        """Return a query with the variables ``$yes`` and ``$no``, which have defaults."""
        self._fragments = []
        assert self._schema.query_type is not None
        body = self._selections(self._schema.query_type, 0)
        return "\n".join([f"query Random($yes: Boolean! = true, $no: Boolean! = false) {body}", *self._fragments])

    def _selections(self, parent: GraphQLObjectType, depth: int) -> str:
        count = self._random.randint(1, 4)
        parts = [self._selection(parent, depth) for _ in range(count)]
        return "{ " + " ".join(parts) + " }"

    def _selection(self, parent: GraphQLObjectType, depth: int) -> str:
        choice = self._random.random()
        if choice < 0.08:
            return f"__typename{self._directive()}"
        if choice < 0.18 and depth < _MAX_DEPTH:
            return f"... on {parent.name}{self._directive()} {self._selections(parent, depth + 1)}"
        if choice < 0.26 and depth < _MAX_DEPTH:
            return self._spread(parent, depth)
        return self._field(parent, depth)

    def _spread(self, parent: GraphQLObjectType, depth: int) -> str:
        inner = self._selections(parent, depth + 1)
        name = f"F{len(self._fragments)}"
        self._fragments.append(f"fragment {name} on {parent.name} {inner}")
        return f"...{name}{self._directive()}"

    def _field(self, parent: GraphQLObjectType, depth: int) -> str:
        fields = [
            (name, field) for name, field in parent.fields.items() if depth < _MAX_DEPTH or is_leaf_type(_inner(field))
        ]
        if not fields:
            return "__typename"
        name, field = self._random.choice(fields)
        inner = _inner(field)
        nested = f" {self._selections(inner, depth + 1)}" if isinstance(inner, GraphQLObjectType) else ""
        # The alias depends on the field alone, because two fields with the same response name would not be valid.
        alias = f"my_{name}: " if self._random.random() < 0.2 else ""
        return f"{alias}{name}{self._directive()}{nested}"

    def _directive(self) -> str:
        if self._random.random() < 0.85:
            return ""
        name = self._random.choice(["skip", "include"])
        return f" @{name}(if: {self._random.choice(['true', 'false', '$yes', '$no'])})"


def _inner(field: GraphQLField) -> object:
    return get_named_type(field.type)
