"""The OpenAPI document under test, and functions that find its parts."""

from collections.abc import Iterator
from typing import Any

from jsonschema_rs import Draft202012Validator

from amarevents.rest.openapi.document import build_document
from amarevents.rest.routes import ROUTES
from amarevents.rest.routing import Route

# Any below: JSON.
Json = dict[str, Any]

DOCUMENT: Json = build_document(ROUTES)
BY_LINE = {f"{route.method} {route.path}": route for route in ROUTES}


def operation(line: str) -> Json:
    """Return the operation of a line such as ``POST /tickets``."""
    method, path = line.split()
    found: Json = DOCUMENT["paths"][path][method.lower()]
    return found


def operation_of(route: Route) -> Json:
    return operation(f"{route.method} {route.path}")


def operations() -> Iterator[Json]:
    return (operation_of(route) for route in ROUTES)


def schema(name: str) -> Json:
    found: Json = DOCUMENT["components"]["schemas"][name]
    return found


def shapes(name: str) -> dict[str, Json]:
    """Return the fields of a shared schema without their descriptions."""
    return {field: _without_description(one) for field, one in schema(name)["properties"].items()}


def _without_description(described: Json) -> Json:
    return {name: value for name, value in described.items() if name != "description"}


def success(route: Route) -> Json:
    """Return the JSON content of the success response: schema and example."""
    found: Json = operation_of(route)["responses"][str(route.status)]["content"]["application/json"]
    return found


def parameters(line: str, location: str) -> dict[str, Json]:
    return {one["name"]: one for one in operation(line)["parameters"] if one.get("in") == location}


def validation_errors(described: Json, value: Any) -> list[str]:
    """Return the errors of a value that is validated against a schema of the document."""
    components = {"schemas": DOCUMENT["components"]["schemas"]}
    validator = Draft202012Validator({**described, "components": components}, validate_formats=True)
    return [error.message for error in validator.iter_errors(value)]
