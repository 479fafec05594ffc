"""Response headers: request ID, rate limit (decisions 3.2), and those of particular errors."""

from amarevents.rest.openapi.schemas import Json

COMMON_HEADERS = ("X-Request-ID",)
RATE_LIMIT_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Type")
"""Headers of responses to callers with a valid API key or session."""

CACHE_HEADERS = ("ETag",)
"""Headers of answers that are the same for all anonymous callers."""

_COUNT: Json = {"type": "integer", "minimum": 0}


def headers(*names: str) -> Json:
    """Return references to shared header descriptions."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def shared_headers() -> Json:
    """Return the descriptions of all headers, by name."""
    return {
        "X-Request-ID": {
            "description": "The ID of this request; quote it when you report a problem.",
            "required": True,
            "schema": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
        },
        **_rate_limit_headers(),
        "Idempotency-Replayed": {
            "description": "Present if this is the response to an earlier request with the same `Idempotency-Key`.",
            "schema": {"const": "true"},
        },
        "ETag": {
            "description": "The version of this answer, on answers to requests without credentials. Send it as "
            "`If-None-Match` to get 304 without a body as long as the answer is the same.",
            "schema": {"type": "string"},
        },
        "Retry-After": {
            "description": "The number of seconds to wait before sending the request again.",
            "required": True,
            "schema": {"type": "integer", "minimum": 1},
        },
        "WWW-Authenticate": {
            "description": "The authentication scheme.",
            "required": True,
            "schema": {"const": "Bearer"},
        },
        "Allow": {
            "description": "The methods that this path supports.",
            "required": True,
            "schema": {"type": "string"},
        },
    }


def _rate_limit_headers() -> Json:
    return {
        "X-RateLimit-Limit": {
            "description": "The number of requests per minute that the key or session may send. The four "
            "`X-RateLimit-…` headers are present only if the caller has a valid API key or session and the limit is "
            "enabled.",
            "schema": _COUNT,
        },
        "X-RateLimit-Remaining": {"description": "The number of requests that may be sent now.", "schema": _COUNT},
        "X-RateLimit-Reset": {
            "description": "The Unix time in seconds at which the full limit is available again.",
            "schema": _COUNT,
        },
        "X-RateLimit-Type": {
            "description": "The type of the API key, or the role of the session's account.",
            "schema": {"$ref": "#/components/schemas/KeyType"},
        },
    }
