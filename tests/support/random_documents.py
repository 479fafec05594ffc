"""Random valid documents for a schema, with fragments, aliases, directives and variables, determined by a seed."""

import random
from collections.abc import Collection, Mapping, Sequence

from graphql import GraphQLObjectType, GraphQLSchema, get_named_type, is_leaf_type, is_required_argument
from graphql.type import GraphQLField

_MAX_DEPTH = 4


class DocumentWriter:
    """A writer of random documents; the same seed gives the same documents.

    ``arguments`` has the possible arguments of fields by their names, or by ``Type.field``; fields with required
    arguments are left out if they have none there. ``variables`` are the types of the variables that arguments use.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        seed: int,
        *,
        arguments: Mapping[str, Sequence[str]] | None = None,
        variables: Mapping[str, str] | None = None,
        left_out: Collection[str] = (),
        max_roots: int = 4,
    ) -> None:
        self._schema = schema
        self._random = random.Random(seed)
        self._arguments = arguments or {}
        self._variables = {"yes": "Boolean! = true", "no": "Boolean! = false", **(variables or {})}
        self._left_out = left_out
        self._max_roots = max_roots
        self._fragments: list[str] = []

    def write(self) -> str:
        """Return a query. Conditions in it are the variables ``$yes`` and ``$no``, which have defaults."""
        self._fragments = []
        assert self._schema.query_type is not None
        body = self._selections(self._schema.query_type, 0)
        text = "\n".join([body, *self._fragments])
        used = [f"${name}: {of}" for name, of in self._variables.items() if f"${name}" in text]
        definitions = f"({', '.join(used)})" if used else ""
        return f"query Random{definitions} {text}"

    def _selections(self, parent: GraphQLObjectType, depth: int) -> str:
        count = self._random.randint(1, 4 if depth else self._max_roots)
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
            (name, field)
            for name, field in parent.fields.items()
            if self._is_possible(parent, name, field) and (depth < _MAX_DEPTH or is_leaf_type(_inner(field)))
        ]
        if not fields:
            return "__typename"
        name, field = self._random.choice(fields)
        inner = _inner(field)
        nested = f" {self._selections(inner, depth + 1)}" if isinstance(inner, GraphQLObjectType) else ""
        # The alias depends on the field and its arguments alone, because two different fields with the same response
        # name would not be valid.
        possible = self._arguments_of(parent, name) or [""]
        number = self._random.randrange(len(possible))
        arguments = possible[number]
        is_renamed = number or self._random.random() < 0.2
        return f"{f'my_{name}{number}: ' if is_renamed else ''}{name}{arguments}{self._directive()}{nested}"

    def _arguments_of(self, parent: GraphQLObjectType, name: str) -> Sequence[str] | None:
        return self._arguments.get(f"{parent.name}.{name}", self._arguments.get(name))

    def _is_possible(self, parent: GraphQLObjectType, name: str, field: GraphQLField) -> bool:
        is_called_without = not any(is_required_argument(argument) for argument in field.args.values())
        is_leaf_or_object = isinstance(_inner(field), GraphQLObjectType) or is_leaf_type(_inner(field))
        return (
            name not in self._left_out
            and is_leaf_or_object
            and (is_called_without or self._arguments_of(parent, name) is not None)
        )

    def _directive(self) -> str:
        if self._random.random() < 0.85:
            return ""
        name = self._random.choice(["skip", "include"])
        return f" @{name}(if: {self._random.choice(['true', 'false', '$yes', '$no'])})"


def _inner(field: GraphQLField) -> object:
    return get_named_type(field.type)
