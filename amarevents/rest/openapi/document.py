"""The OpenAPI 3.1 document as a whole."""

from collections.abc import Sequence

from amarevents import __version__
from amarevents.rest.openapi.error_responses import error_schema, shared_error_responses
from amarevents.rest.openapi.examples import EXAMPLES
from amarevents.rest.openapi.headers import shared_headers
from amarevents.rest.openapi.operations import operation, operation_ids
from amarevents.rest.openapi.parameters import shared_parameters
from amarevents.rest.openapi.schemas import Json, Schemas, schemas_of
from amarevents.rest.openapi.texts import INTRODUCTION, tags
from amarevents.rest.routing import Route
from amarevents.security.auth.sessions import COOKIE_NAME


def build_document(routes: Sequence[Route]) -> Json:
    """Return the OpenAPI document of ``routes`` on any server. Raises KeyError for a route without an example."""
    schemas = schemas_of(routes)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Amar Events API",
            "version": __version__,
            "description": INTRODUCTION,
            "contact": {"name": "Amar Events", "url": "https://amarevents.zone.id"},
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": servers(""),
        "tags": tags(),
        "paths": _paths(routes, schemas),
        "components": {
            "securitySchemes": _SECURITY_SCHEMES,
            "parameters": shared_parameters(),
            "headers": shared_headers(),
            "responses": shared_error_responses(routes),
            "schemas": {"Error": error_schema(), **schemas.shared},
        },
    }


def servers(base_url: str) -> list[Json]:
    """Return the ``servers`` of the document of a platform at ``base_url``."""
    return [{"url": f"{base_url}/api"}]


def _paths(routes: Sequence[Route], schemas: Schemas) -> Json:
    paths: Json = {}
    for route, operation_id in zip(routes, operation_ids(routes), strict=True):
        described = operation(route, operation_id, schemas, EXAMPLES[route.method, route.path])
        paths.setdefault(route.path, {})[route.method.lower()] = described
    return paths


_SECURITY_SCHEMES: Json = {
    "apiKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key (`ae_u_…`, `ae_o_…` or `ae_a_…`), or the token of a session (`ae_s_…`).",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE_NAME,
        "description": "The session cookie that `POST /auth/login` sets.",
    },
}
