"""Parameters of operations: path, query and the ``Idempotency-Key`` header."""

from amarevents.models.columns import MAX_ID
from amarevents.rest.openapi.examples.example import Example
from amarevents.rest.openapi.schemas import Json, Schemas, named_in_path
from amarevents.rest.routing import Route

_ID: Json = {"type": "integer", "minimum": 1, "maximum": MAX_ID}
_IDEMPOTENCY_KEY = "#/components/parameters/IdempotencyKey"
_NUMBERED_FLAGS = frozenset({"active", "admin"})
"""The flags that the contract writes as 0 and 1. Requests may write any flag either way (decisions 1.6)."""


def parameters(route: Route, schemas: Schemas, example: Example) -> list[Json]:
    """Return the parameters of a route: path, query, header."""
    found = _in_path(route, schemas, example)
    input_type = route.operation.input_type
    if route.method == "GET" and input_type is not None:
        hidden: frozenset[str] = getattr(input_type, "GRAPHQL_ONLY", frozenset())
        found += [one for one in _in_query(schemas.inputs[input_type], example) if one["name"] not in hidden]
    if route.operation.creates:
        found.append({"$ref": _IDEMPOTENCY_KEY})
    return found


def _in_path(route: Route, schemas: Schemas, example: Example) -> list[Json]:
    names = {"id": {**_ID, "description": route.operation.id_description}} if route.operation.takes_id else {}
    input_type = route.operation.input_type
    if input_type is not None:
        fields = schemas.inputs[input_type]["properties"] if named_in_path(route) else {}
        names |= {name: {**_without_null(fields[name]), "minLength": 1} for name in named_in_path(route)}
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": schema["description"],
            "schema": _without_description(schema),
            "example": example.path[name],
        }
        for name, schema in names.items()
    ]


def _in_query(described: Json, example: Example) -> list[Json]:
    return [
        {
            "name": name,
            "in": "query",
            "required": name in described.get("required", ()),
            "description": _query_description(name, schema),
            "schema": {"type": "integer", "enum": [0, 1]}
            if name in _NUMBERED_FLAGS
            else _without_description(_without_null(schema)),
            **({"example": example.query[name]} if name in example.query else {}),
        }
        for name, schema in described["properties"].items()
    ]


def _without_null(schema: Json) -> Json:
    """Return a schema without its null option: a URL cannot contain null."""
    present = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**present[0], **rest} if len(present) == 1 else schema


def _without_description(schema: Json) -> Json:
    """Return the schema without its description, which the parameter has instead."""
    return {name: value for name, value in schema.items() if name != "description"}


def _query_description(name: str, schema: Json) -> str:
    """Return the description of a query parameter, with the numbers that represent flags."""
    description = str(schema["description"])
    return f"{description} 1 is true and 0 is false." if name in _NUMBERED_FLAGS else description


def shared_parameters() -> Json:
    """Return the parameters that several operations share."""
    return {
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "A unique value of your choice, such as a UUID. If you send the request again with the "
            "same key and body, you get the first response and nothing is created twice.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            "example": "0b8f4a52-6d1e-4c39-9a57-2f6f0c1d7e84",
        }
    }
