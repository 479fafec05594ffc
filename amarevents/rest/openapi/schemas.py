"""JSON Schemas of inputs and views."""

import dataclasses
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import UnionType
from typing import Any, get_args, get_origin

import orjson
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from amarevents.resolvers.core.descriptions import description_of, public_text
from amarevents.resolvers.core.inputs import Input
from amarevents.resolvers.core.pagination import Page, Pagination
from amarevents.rest.routing import Route

# Any below: a JSON Schema and a type annotation have no narrower type.
Json = dict[str, Any]

_PREFIX = "#/components/schemas/"
# No multipleOf: to validators that divide doubles, 0.07 is not a multiple of 0.01. The descriptions say it instead.
_MONEY: Json = {"type": "number", "minimum": 0}


@dataclass(frozen=True, slots=True)
class Schemas:
    """The schema of each input and view, and the shared schemas that they refer to."""

    shared: dict[str, Json]
    inputs: dict[type[Input], Json]
    views: dict[Hashable, Json]

    @property
    def pagination(self) -> Json:
        """The schema of the pagination of a list."""
        return self.views[Pagination]

    def resolved(self, schema: Json) -> Json:
        """Return the shared schema that ``schema`` refers to, or ``schema`` itself."""
        reference = schema.get("$ref")
        return self.shared[reference.removeprefix(_PREFIX)] if reference else schema


def schemas_of(routes: Iterable[Route]) -> Schemas:
    """Return the schemas of the inputs and views of ``routes``."""
    routes = list(routes)
    inputs = {route.operation.input_type: route for route in routes if route.operation.input_type}
    views = list(dict.fromkeys([Pagination, *(view for route in routes for view in _alternatives(data_type(route)))]))
    schemas, definitions = TypeAdapter.json_schemas(
        [(annotation, "validation", TypeAdapter(annotation)) for annotation in [*inputs, *views]],
        ref_template=_PREFIX + "{model}",
        schema_generator=_SchemaGenerator,
    )
    found = Schemas(
        shared={name: _with_public_text(schema) for name, schema in definitions["$defs"].items()},
        inputs={input_type: schemas[input_type, "validation"] for input_type in inputs},
        views={view: schemas[view, "validation"] for view in views},
    )
    found = _inline_queries(
        found, [one for one, route in inputs.items() if not takes_body(route) or named_in_path(route)]
    )
    bodies = {name: _without_defaults(schema) for name, schema in found.shared.items()}
    return _merge_alternatives(dataclasses.replace(found, shared=bodies), [data_type(route) for route in routes])


def _alternatives(annotation: Any) -> list[Any]:
    """Return the members of a union of views, or the type itself."""
    return list(get_args(annotation)) if isinstance(annotation, UnionType) else [annotation]


def _merge_alternatives(found: Schemas, data_types: Iterable[Any]) -> Schemas:
    """Give each union of a view and its extension the schema of the view, with optional additional properties.

    Generated clients would otherwise drop the additional properties, or make callers distinguish two types.
    """
    shared, views = dict(found.shared), dict(found.views)
    for union in {data_type for data_type in data_types if isinstance(data_type, UnionType)}:
        view, extension = get_args(union)
        name = views[view]["$ref"].removeprefix(_PREFIX)
        properties = found.resolved(views[extension])["properties"]
        shared[name] = {**shared[name], "properties": properties}
        views[union] = views[view]
    return Schemas(shared, found.inputs, views)


def _without_defaults(schema: Json) -> Json:
    """Return the schema of a request body with its defaults in the descriptions.

    Generated clients would otherwise make fields with a default required.
    """
    fields = {name: _with_default_described(field) for name, field in schema.get("properties", {}).items()}
    return {**schema, "properties": fields} if fields else schema


def _with_default_described(field: Json) -> Json:
    if "default" not in field:
        return field
    rest = {name: value for name, value in field.items() if name != "default"}
    return {**rest, "description": f"{field['description']} Defaults to {_text_of(field['default'])}."}


def _text_of(default: object) -> str:
    return f"`{orjson.dumps(default, option=orjson.OPT_PASSTHROUGH_DATACLASS).decode()}`"


def _inline_queries(found: Schemas, queries: Iterable[type[Input]]) -> Schemas:
    """Inline the schemas of queries: their fields are parameters, so no shared object is needed."""
    inputs = {**found.inputs, **{query: found.resolved(found.inputs[query]) for query in queries}}
    inlined = {found.inputs[query]["$ref"].removeprefix(_PREFIX) for query in queries}
    shared = {name: schema for name, schema in found.shared.items() if name not in inlined}
    return Schemas(shared, inputs, found.views)


def data_type(route: Route) -> Any:
    """Return the type of ``data`` in the response of a route: the list of its items if it is a page."""
    view = route.operation.view
    return list[get_args(view)[0]] if is_paged(route) else view  # type: ignore[misc] # a type known only at run time


def is_paged(route: Route) -> bool:
    """Return whether a route answers with a page of a list."""
    return get_origin(route.operation.view) is Page


def takes_body(route: Route) -> bool:
    """Return whether the request body is the input, or what the path leaves of it."""
    return route.operation.input_type is not None and route.method != "GET"


def body_schema(route: Route, schemas: Schemas) -> Json:
    """Return the schema of the request body of a route that takes one."""
    input_type = route.operation.input_type
    assert input_type is not None  # noqa: S101 - for the type checker: takes_body has checked it
    schema = schemas.inputs[input_type]
    if not named_in_path(route):
        return schema
    elsewhere: set[str] = {*named_in_path(route), *getattr(input_type, "GRAPHQL_ONLY", ())}
    rest = {name: field for name, field in schema["properties"].items() if name not in elsewhere}
    return {"type": "object", "properties": rest, "additionalProperties": False}


def named_in_path(route: Route) -> list[str]:
    """Return the fields of the input that are path parameters, such as the ``ticket`` to verify."""
    input_type = route.operation.input_type
    return [name for name in (input_type.model_fields if input_type else ()) if f"{{{name}}}" in route.path]


def object_schema(properties: Json, *, optional: Sequence[str] = ()) -> Json:
    """Return the schema of an object of a response. It is open: later versions may add properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }


class _SchemaGenerator(GenerateJsonSchema):
    """Pydantic's schema generator without titles, which only repeat names, and with our types and descriptions."""

    def normalize_name(self, name: str) -> str:
        return super().normalize_name(name).removesuffix("View")

    def field_title_should_be_set(self, _schema: Any) -> bool:
        return False

    def decimal_schema(self, _schema: core_schema.DecimalSchema) -> Json:
        return dict(_MONEY)

    def model_schema(self, schema: core_schema.ModelSchema) -> Json:
        """Describe an input. Empty text counts as missing (decisions 1.9), so required text has a minimum length."""
        described = _with_descriptions(schema["cls"], super().model_schema(schema))
        for name in described.get("required", ()):
            if described["properties"][name].get("type") == "string":
                described["properties"][name].setdefault("minLength", 1)
        return described

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> Json:
        """Describe a view, an open object. Pydantic leaves out the docstrings of dataclasses."""
        described = _with_descriptions(schema["cls"], super().dataclass_schema(schema))
        text = schema["cls"].__doc__ or ""
        if not text.startswith(f"{schema['cls'].__name__}("):  # the signature, which dataclasses add
            described["description"] = text
        return described

    def field_is_required(self, field: Any, total: bool) -> bool:
        return field["type"] == "dataclass-field" or super().field_is_required(field, total)

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Json:
        """Omit null as a default: it only says that the field is optional."""
        described = super().default_schema(schema)
        return {name: value for name, value in described.items() if name != "default" or value is not None}

    def encode_default(self, dft: Any) -> Any:
        return float(dft) if isinstance(dft, Decimal) else super().encode_default(dft)


def _with_descriptions(owner: type, schema: Json) -> Json:
    """Return an object's schema with the description of each field. Raises KeyError for a field without one."""
    fields = schema.get("properties", {})
    described = {name: {"description": description_of(owner, name), **fields[name]} for name in fields}
    return {**schema, "properties": described}


def _with_public_text(schema: Json) -> Json:
    """Return a shared schema without its title, and with its description in the form for callers."""
    described = {name: value for name, value in schema.items() if name not in {"title", "description"}}
    text = public_text(schema.get("description"))
    return {**described, "description": text} if text else described
