"""The compiler of plans: from a valid query to the fields of its objects."""

from collections.abc import Iterable
from functools import reduce
from operator import or_

from graphql import (
    GraphQLField,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_nullable_type,
    is_non_null_type,
)
from graphql.execution.collect_fields import (
    FieldDetailsList,
    FragmentDetails,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues
from graphql.type import GraphQLOutputType
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from amarevents.resolvers.core.operation import validate
from amarevents.schema.core.context import Wanted
from amarevents.schema.core.edges import Batch, EdgeField, PagedEdgeField
from amarevents.schema.core.fields import QueryField
from amarevents.schema.execution.executor import TYPENAME
from amarevents.schema.execution.leaves import Leaf, field_of, leaf_of, leaf_of_type
from amarevents.schema.execution.plans.arguments import Arguments
from amarevents.schema.execution.plans.objects import Field, Objects, Values
from amarevents.schema.execution.plans.plan import Plan, Root
from amarevents.schema.execution.plans.run import AnyLoad, Unplanned
from amarevents.schema.execution.plans.sources import FromBatch, FromSteps, Page

_ALL = Wanted()
# The fields of pages, connections and their edges, and those that contain the objects of the list.
_LISTS = ({"items", "pagination"}, {"edges", "nodes", "pageInfo", "totalCount"}, {"cursor", "node"})
_CONTENTS = {"items", "edges", "nodes", "node"}


def compile_plan(
    schema: GraphQLSchema,
    converter: GraphQLCoreConverter,
    operation: OperationDefinitionNode,
    fragments: dict[str, FragmentDetails],
    variables: VariableValues,
) -> Plan:
    """Return the plan of a query, which depends on the variables in its directives.

    Raises Unplanned for what plans do not handle, and what invalid arguments raise.
    """
    return _Compiler(schema, converter, operation, fragments, variables).compile()


class _Compiler:
    def __init__(
        self,
        schema: GraphQLSchema,
        converter: GraphQLCoreConverter,
        operation: OperationDefinitionNode,
        fragments: dict[str, FragmentDetails],
        variables: VariableValues,
    ) -> None:
        self._schema = schema
        self._converter = converter
        self._operation = operation
        self._fragments = fragments
        self._variables = variables
        self._wanted: dict[AnyLoad, Wanted] = {}
        self._has_steps = False

    def compile(self) -> Plan:
        root = self._schema.query_type
        if root is None:
            raise Unplanned
        collected = collect_fields(self._schema, self._fragments, self._variables, root, self._operation)
        roots = {name: self._root(name, root, details) for name, details in collected.grouped_field_set.items()}
        # Edges of several steps may need anything of what others have loaded.
        wanted = dict.fromkeys(self._wanted, _ALL) if self._has_steps else self._wanted
        return Plan(root.name, roots, wanted)

    def _root(self, name: str, parent: GraphQLObjectType, details: FieldDetailsList) -> Root | None:
        if details[0].node.name.value == TYPENAME:
            return None
        definition, field = _definition(parent, details)
        query = next((one for one in field.extensions if isinstance(one, QueryField)), None)
        if query is None:
            raise Unplanned
        arguments = self._arguments(definition, field, details)
        constant = None
        if arguments.is_constant:
            record_id, data = query.take(arguments.values(self._variables))
            input_type = query.operation.input_type
            constant = (record_id, None if input_type is None else validate(input_type, data or {}))
        values = self._values(definition.type, details)
        return Root(name, query, arguments, constant, values, _wanted_of(values))

    def _arguments(self, definition: GraphQLField, field: StrawberryField, details: FieldDetailsList) -> Arguments:
        return Arguments(field, definition, details[0].node, self._converter)

    def _values(self, declared: GraphQLOutputType, details: FieldDetailsList) -> Values:
        nullable, kind = not is_non_null_type(declared), get_nullable_type(declared)
        if not isinstance(kind, GraphQLList):
            return Values(self._single(declared, details), nullable)
        items = kind.of_type
        return Values(self._single(items, details), nullable, is_list=True, items_nullable=not is_non_null_type(items))

    def _single(self, declared: GraphQLOutputType, details: FieldDetailsList) -> Leaf | Objects:
        leaf, kind = leaf_of_type(declared), get_nullable_type(declared)
        if leaf is not None:
            return leaf
        if not isinstance(kind, GraphQLObjectType):
            raise Unplanned
        collected = collect_subfields(self._schema, self._fragments, self._variables, self._operation, kind, details)
        fields = {name: self._field(kind, one) for name, one in collected.grouped_field_set.items()}
        return Objects(kind.name, fields, _wanted_of_objects(kind, fields.values()))

    def _field(self, parent: GraphQLObjectType, details: FieldDetailsList) -> Leaf | Field | None:
        if details[0].node.name.value == TYPENAME:
            return None
        definition, field = _definition(parent, details)
        leaf = leaf_of(definition, parent.name)
        if leaf is not None and not leaf.optional:
            return leaf
        values = self._values(definition.type, details)
        if field.is_basic_field:
            return Field(values, attribute=field.python_name)
        for extension in field.extensions:
            if isinstance(extension, EdgeField):
                self._has_steps |= not isinstance(extension.load, Batch) and parent.fields.keys() not in _LISTS
                return Field(values, extension.attribute, self._source(extension, values), leaf)
            if isinstance(extension, PagedEdgeField):
                page = self._page(extension, self._arguments(definition, field, details))
                self._want(extension.load, values)
                return Field(values, source=FromBatch(extension.load, extension.access, page))
        raise Unplanned

    def _source(self, edge: EdgeField, values: Values) -> FromBatch | FromSteps:
        if isinstance(edge.load, Batch):
            self._want(edge.load, values)
            return FromBatch(edge.load, edge.access)
        return FromSteps(edge.load, edge.access)

    def _page(self, edge: PagedEdgeField, arguments: Arguments) -> Page:
        constant = edge.input_of(arguments.values(self._variables)) if arguments.is_constant else None
        return Page(edge, arguments, constant)

    def _want(self, batch: Batch, values: Values) -> None:
        wanted = _wanted_of(values) if batch.pick is None else _ALL
        if batch.field is not None:
            wanted = Wanted(frozenset({"id", batch.field}), total=False)
        self._wanted[batch.load] = self._wanted.get(batch.load, wanted) | wanted


def _definition(parent: GraphQLObjectType, details: FieldDetailsList) -> tuple[GraphQLField, StrawberryField]:
    """Return the definition of a field. Raises Unplanned for introspection."""
    definition = parent.fields.get(details[0].node.name.value)
    field = None if definition is None else field_of(definition)
    if definition is None or field is None:
        raise Unplanned
    return definition, field


# What is needed of views -------------------------------------------------------------------------------------------


def _wanted_of(values: Values) -> Wanted:
    return values.of.wanted if isinstance(values.of, Objects) else _ALL


def _wanted_of_objects(kind: GraphQLObjectType, fields: Iterable[Leaf | Field | None]) -> Wanted:
    """Return what is needed of objects; of pages and connections, what is needed of the objects that they list."""
    if kind.fields.keys() in _LISTS:
        within = [one for one in fields if isinstance(one, Field)]
        contents = (_wanted_of(one.values) for one in within if one.attribute in _CONTENTS)
        total = any(one.attribute == "pagination" for one in within)
        return reduce(or_, contents, Wanted(frozenset(), total))
    needed: set[str | None] = set()
    for one in fields:
        if one is not None:
            needed.add(one.attribute)
        if not isinstance(one, Field):
            continue
        if isinstance(one.source, FromSteps):
            return _ALL
        if one.source is not None:
            needed.add(one.source.batch.key)
    return Wanted(frozenset({"id", *filter(None, needed)}), total=False)
