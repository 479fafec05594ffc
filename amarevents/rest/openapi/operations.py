"""Operations of the document, one for each route."""

from collections.abc import Iterable
from http import HTTPStatus

from amarevents.models.enums import KeyType
from amarevents.rest.docs_page.badges import badges
from amarevents.rest.docs_page.samples import Call, code_samples
from amarevents.rest.openapi.error_responses import error_responses
from amarevents.rest.openapi.examples.example import Example
from amarevents.rest.openapi.headers import CACHE_HEADERS, COMMON_HEADERS, RATE_LIMIT_HEADERS, headers
from amarevents.rest.openapi.parameters import parameters
from amarevents.rest.openapi.schemas import Json, Schemas, body_schema, data_type, is_paged, object_schema, takes_body
from amarevents.rest.openapi.texts import IDEMPOTENCY_TEXT, access_text, address_limit_text, tag_of
from amarevents.rest.routing import Route

_CREDENTIALS: list[Json] = [{"apiKey": []}, {"session": []}]
_NOT_MODIFIED: Json = {
    "description": "The client already has this answer: `If-None-Match` contains its ETag.",
    "headers": headers(*COMMON_HEADERS, *CACHE_HEADERS),
}


def operation_ids(routes: Iterable[Route]) -> list[str]:
    """Return a unique ID for each route: the name of its operation, with the path if the name is already used."""
    ids: list[str] = []
    for route in routes:
        name = route.operation.name
        ids.append("_".join([name, "at", *_words(route.path)]) if name in ids else name)
    return ids


def _words(path: str) -> list[str]:
    return [part.strip("{}").replace("-", "_") for part in path.split("/") if part]


def operation(route: Route, operation_id: str, schemas: Schemas, example: Example) -> Json:
    """Return the OpenAPI operation of a route."""
    summary, details = _summary_and_details(route.operation.description)
    described: Json = {
        "operationId": operation_id,
        "tags": [tag_of(route.path)],
        "summary": summary,
        "description": _description(route, schemas, details),
        "security": [{}, *_CREDENTIALS] if route.operation.policy.is_public else _CREDENTIALS,
        "parameters": parameters(route, schemas, example),
        "responses": {
            str(route.status): _success(route, schemas, example),
            **({"304": _NOT_MODIFIED} if route.operation.shared else {}),
            **error_responses(route),
        },
        "x-key-types": [key_type for key_type in KeyType if key_type in route.operation.policy.key_types],
        "x-scope": route.operation.policy.scope,
        "x-error-codes": [kind.code for kind in route.operation.raises],
        "x-badges": badges(route.operation.policy),
        "x-codeSamples": code_samples(_call(route, example)),
    }
    if takes_body(route):
        described["requestBody"] = _request_body(route, schemas, example)
    return described


def _summary_and_details(text: str) -> tuple[str, str]:
    """Return the first sentence of a description without its full stop, and the rest."""
    first = text.partition("\n")[0].partition(". ")[0].removesuffix(".")
    return first, text.removeprefix(first).removeprefix(".").strip()


def _description(route: Route, schemas: Schemas, details: str) -> str:
    codes = ", ".join(f"`{kind.code}`" for kind in route.operation.raises)
    parts = [
        details,
        _query_text(route, schemas),
        access_text(route.operation.policy),
        address_limit_text(route.operation.address_limit),
        IDEMPOTENCY_TEXT if route.operation.creates else "",
        f"Error codes: {codes}." if codes else "",
    ]
    return "\n\n".join(filter(None, parts))


def _query_text(route: Route, schemas: Schemas) -> str:
    """Return the details in the description of a query's input, whose first sentence only says what it is."""
    input_type = route.operation.input_type
    if input_type is None or route.method != "GET":
        return ""
    return _summary_and_details(schemas.inputs[input_type].get("description", ""))[1]


def _call(route: Route, example: Example) -> Call:
    """Return the request of an example, for the code samples."""
    return Call(
        method=route.method,
        path=route.path,
        needs_key=not route.operation.policy.is_public,
        path_values=example.path,
        query=example.query,
        body=example.body,
    )


def _request_body(route: Route, schemas: Schemas, example: Example) -> Json:
    schema = body_schema(route, schemas)
    return {
        "required": bool(schemas.resolved(schema).get("required")),
        "content": {"application/json": {"schema": schema, "example": example.body}},
    }


def _success(route: Route, schemas: Schemas, example: Example) -> Json:
    """Return the successful response of a route (decisions 1.1 and 1.2)."""
    properties: Json = {
        "success": {"type": "boolean", "const": True, "description": "Always true: the request succeeded."},
        "data": {"description": "The result of the request.", **schemas.views[data_type(route)]},
    }
    response: Json = {"success": True, "data": example.data}
    if is_paged(route):
        properties["pagination"] = {"description": "The position of this page in the list.", **schemas.pagination}
        limit = route.operation.input_type.model_fields["limit"].default if route.operation.input_type else None
        response["pagination"] = {"total": len(example.data), "page": 1, "limit": limit, "pages": 1}
    replayed = ("Idempotency-Replayed",) if route.operation.creates else ()
    cached = CACHE_HEADERS if route.operation.shared else ()
    return {
        "description": HTTPStatus(route.status).phrase,
        "headers": headers(*COMMON_HEADERS, *RATE_LIMIT_HEADERS, *replayed, *cached),
        "content": {"application/json": {"schema": object_schema(properties), "example": response}},
    }
