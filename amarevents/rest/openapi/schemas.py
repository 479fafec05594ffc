"""Inputs and views as JSON Schema: what REST takes and what it answers, nothing left open that the code closes."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, get_args, get_origin

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from amarevents.resolvers.core.descriptions import description_of, public_text
from amarevents.resolvers.core.inputs import Input
from amarevents.resolvers.core.pagination import Page, Pagination
from amarevents.rest.routing import Route

# Any throughout: JSON Schema, and annotations, have no narrower type.
Json = dict[str, Any]

_PREFIX = "#/components/schemas/"
# No multipleOf: validators that divide doubles find that 0.07 is no multiple of 0.01. The fields' texts say it.
_MONEY: Json = {"type": "number", "minimum": 0}


@dataclass(frozen=True, slots=True)
class Schemas:
    """Each input's and view's own schema; what they refer to, and nothing that only describes a query, is shared."""

    shared: dict[str, Json]
    inputs: dict[type[Input], Json]
    views: dict[Hashable, Json]

    @property
    def pagination(self) -> Json:
        return self.views[Pagination]

    def resolved(self, schema: Json) -> Json:
        """The schema itself, where it is a reference to a shared one."""
        reference = schema.get("$ref")
        return self.shared[reference.removeprefix(_PREFIX)] if reference else schema


def schemas_of(routes: Iterable[Route]) -> Schemas:
    """The schemas of all that the routes take and answer."""
    routes = list(routes)
    taken = {route.operation.input_type: route for route in routes if route.operation.input_type}
    shown = list(dict.fromkeys([Pagination, *(answered(route) for route in routes)]))
    made, shared = TypeAdapter.json_schemas(
        [(kind, "validation", TypeAdapter(kind)) for kind in [*taken, *shown]],
        ref_template=_PREFIX + "{model}",
        schema_generator=_Schema,
    )
    found = Schemas(
        shared={name: _as_read(schema) for name, schema in shared["$defs"].items()},
        inputs={kind: made[kind, "validation"] for kind in taken},
        views={kind: made[kind, "validation"] for kind in shown},
    )
    return _without_queries(found, [kind for kind, route in taken.items() if not takes_body(route)])


def _without_queries(found: Schemas, queries: Iterable[type[Input]]) -> Schemas:
    """A query has no object of its own in the document: its fields are parameters."""
    inputs = {**found.inputs, **{kind: found.resolved(found.inputs[kind]) for kind in queries}}
    hidden = {found.inputs[kind]["$ref"].removeprefix(_PREFIX) for kind in queries}
    return Schemas({name: one for name, one in found.shared.items() if name not in hidden}, inputs, found.views)


def answered(route: Route) -> Any:
    """What stands in ``data``: of a page its items, as a list."""
    view = route.operation.view
    return list[get_args(view)[0]] if is_paged(route) else view  # type: ignore[misc] # made at run time


def is_paged(route: Route) -> bool:
    return get_origin(route.operation.view) is Page


def takes_body(route: Route) -> bool:
    """Whether the Input comes in the body; not where the path already names what the operation is about."""
    input_type = route.operation.input_type
    return input_type is not None and route.method != "GET" and not named_in_path(route)


def named_in_path(route: Route) -> list[str]:
    """The fields of the Input that stand in the path, such as the ``ticket`` to be verified."""
    input_type = route.operation.input_type
    return [name for name in (input_type.model_fields if input_type else ()) if f"{{{name}}}" in route.path]


def closed_object(properties: Json, *, optional: Sequence[str] = ()) -> Json:
    """An object with these fields and no other."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


class _Schema(GenerateJsonSchema):
    """Pydantic's schemas as callers read them: without titles, which only repeat the names."""

    def normalize_name(self, name: str) -> str:
        return super().normalize_name(name).removesuffix("View")

    def field_title_should_be_set(self, _schema: Any) -> bool:
        return False

    def decimal_schema(self, _schema: core_schema.DecimalSchema) -> Json:
        return dict(_MONEY)

    def model_schema(self, schema: core_schema.ModelSchema) -> Json:
        """An Input. An empty text counts as missing (decisions 1.9), so one that is required has a character."""
        shown = _with_descriptions(schema["cls"], super().model_schema(schema))
        for name in shown.get("required", ()):
            if shown["properties"][name].get("type") == "string":
                shown["properties"][name].setdefault("minLength", 1)
        return shown

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> Json:
        """A view: it has all its fields and no other. Pydantic leaves out what dataclasses say of themselves."""
        shown = {**_with_descriptions(schema["cls"], super().dataclass_schema(schema)), "additionalProperties": False}
        text = schema["cls"].__doc__ or ""
        is_signature = text.startswith(f"{schema['cls'].__name__}(")
        return shown if is_signature else {**shown, "description": text}

    def field_is_required(self, field: Any, total: bool) -> bool:
        return field["type"] == "dataclass-field" or super().field_is_required(field, total)

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Json:
        """Null as a default says no more than that the field is optional."""
        shown = super().default_schema(schema)
        return {name: value for name, value in shown.items() if name != "default" or value is not None}

    def encode_default(self, dft: Any) -> Any:
        return float(dft) if isinstance(dft, Decimal) else super().encode_default(dft)


def _with_descriptions(owner: type, shown: Json) -> Json:
    """Return an object's schema with the description of each field. Raises KeyError for a field without one."""
    fields = shown.get("properties", {})
    return {
        **shown,
        "properties": {name: {"description": description_of(owner, name), **fields[name]} for name in fields},
    }


def _as_read(schema: Json) -> Json:
    """A shared schema without its title, which only repeats its name, its description as callers read it."""
    shown = {name: value for name, value in schema.items() if name not in {"title", "description"}}
    text = public_text(schema.get("description"))
    return {**shown, "description": text} if text else shown
