"""One route as an operation of the document."""

from collections.abc import Iterable
from http import HTTPStatus

from amarevents.models.enums import KeyType
from amarevents.rest.docs_page.badges import badges
from amarevents.rest.docs_page.samples import Call, code_samples
from amarevents.rest.openapi.examples.example import Example
from amarevents.rest.openapi.failures import references
from amarevents.rest.openapi.headers import FOR_CREDENTIALS, ON_EVERY_ANSWER, headers
from amarevents.rest.openapi.parameters import parameters
from amarevents.rest.openapi.schemas import Json, Schemas, answered, closed_object, is_paged, takes_body
from amarevents.rest.openapi.texts import access_text, address_limit_text, tag_of
from amarevents.rest.routing import Route

_CREDENTIALS: list[Json] = [{"apiKey": []}, {"session": []}]


def operation_ids(routes: Iterable[Route]) -> list[str]:
    """The operations' names; a further route of the same operation adds its path, for an id names one route."""
    ids: list[str] = []
    for route in routes:
        name = route.operation.name
        ids.append("_".join([name, "at", *_words(route.path)]) if name in ids else name)
    return ids


def _words(path: str) -> list[str]:
    return [part.strip("{}").replace("-", "_") for part in path.split("/") if part]


def operation(route: Route, operation_id: str, schemas: Schemas, example: Example) -> Json:
    """The OpenAPI operation of a route."""
    made: Json = {
        "operationId": operation_id,
        "tags": [tag_of(route.path)],
        "summary": _summary(route),
        "description": _description(route, schemas),
        "security": [{}, *_CREDENTIALS] if route.operation.policy.is_public else _CREDENTIALS,
        "parameters": parameters(route, schemas, example),
        "responses": {str(route.status): _success(route, schemas, example), **references(route)},
        "x-key-types": [key_type for key_type in KeyType if key_type in route.operation.policy.key_types],
        "x-scope": route.operation.policy.scope,
        "x-error-codes": [kind.code for kind in route.operation.raises],
        "x-badges": badges(route.operation.policy),
        "x-codeSamples": code_samples(_call(route, example)),
    }
    if takes_body(route):
        made["requestBody"] = _request_body(route, schemas, example)
    return made


def _summary(route: Route) -> str:
    return _said(route)[0]


def _said(route: Route) -> tuple[str, str]:
    """What the operation says of itself: the first sentence, which ends with its paragraph at the latest; the rest."""
    text = route.operation.description
    first = text.partition("\n")[0].partition(". ")[0].removesuffix(".")
    return first, text.removeprefix(first).removeprefix(".").strip()


def _description(route: Route, schemas: Schemas) -> str:
    codes = ", ".join(f"`{kind.code}`" for kind in route.operation.raises)
    parts = [
        _said(route)[1],
        _query_text(route, schemas),
        access_text(route.operation.policy),
        address_limit_text(route.operation.address_limit),
        f"Can fail with {codes}." if codes else "",
    ]
    return "\n\n".join(filter(None, parts))


def _query_text(route: Route, schemas: Schemas) -> str:
    """What a query's Input says of itself; of a body it stands in the body's own schema."""
    input_type = route.operation.input_type
    if input_type is None or route.method != "GET":
        return ""
    return str(schemas.inputs[input_type].get("description", ""))


def _call(route: Route, example: Example) -> Call:
    """The example's request, for the code samples."""
    return Call(
        method=route.method,
        path=route.path,
        needs_key=not route.operation.policy.is_public,
        path_values=example.path,
        query=example.query,
        body=example.body,
    )


def _request_body(route: Route, schemas: Schemas, example: Example) -> Json:
    assert route.operation.input_type is not None  # noqa: S101 - for the type checker; takes_body has looked
    schema = schemas.inputs[route.operation.input_type]
    return {
        "required": bool(schemas.resolved(schema).get("required")),
        "content": {"application/json": {"schema": schema, "example": example.body}},
    }


def _success(route: Route, schemas: Schemas, example: Example) -> Json:
    """Decisions 1.1 and 1.2."""
    properties: Json = {
        "success": {"type": "boolean", "const": True, "description": "Always true: the request succeeded."},
        "data": {"description": "The result of the request.", **schemas.views[answered(route)]},
    }
    shown: Json = {"success": True, "data": example.data}
    if is_paged(route):
        properties["pagination"] = {"description": "The position of this page in the list.", **schemas.pagination}
        shown["pagination"] = {"total": len(example.data), "page": 1, "limit": 20, "pages": 1}
    return {
        "description": HTTPStatus(route.status).phrase,
        "headers": headers(*ON_EVERY_ANSWER, *FOR_CREDENTIALS),
        "content": {"application/json": {"schema": closed_object(properties), "example": shown}},
    }
