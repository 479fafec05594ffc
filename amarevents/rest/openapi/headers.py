"""The headers of answers: the request's id, the rate limit (decisions 3.2), what some failures carry."""

from amarevents.rest.openapi.schemas import Json

ON_EVERY_ANSWER = ("X-Request-ID",)
FOR_CREDENTIALS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Type")
"""On answers to callers with a valid key or session."""

_COUNT: Json = {"type": "integer", "minimum": 0}


def headers(*names: str) -> Json:
    """References to the shared descriptions."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def shared_headers() -> Json:
    return {
        "X-Request-ID": {
            "description": "The name of this request; quote it when you report a problem.",
            "required": True,
            "schema": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
        },
        "X-RateLimit-Limit": {
            "description": "How many requests a minute the key or session has. Like the three beside it, only on "
            "answers to callers with a valid credential, and not where the operator has switched the limit off.",
            "schema": _COUNT,
        },
        "X-RateLimit-Remaining": {"description": "How many of them are left now.", "schema": _COUNT},
        "X-RateLimit-Reset": {
            "description": "Unix time in seconds at which all are there again if nothing more is sent.",
            "schema": _COUNT,
        },
        "X-RateLimit-Type": {
            "description": "The key's type, or for a session the role of its account.",
            "schema": {"$ref": "#/components/schemas/KeyType"},
        },
        "Retry-After": {
            "description": "Whole seconds after which the request does succeed.",
            "required": True,
            "schema": {"type": "integer", "minimum": 1},
        },
        "WWW-Authenticate": {"description": "How to authenticate.", "required": True, "schema": {"const": "Bearer"}},
        "Allow": {"description": "The methods that the address knows.", "required": True, "schema": {"type": "string"}},
    }
