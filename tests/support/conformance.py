"""Comparison of every REST answer in any test with the OpenAPI document."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote, unquote

import httpx
from jsonschema_rs import Draft202012Validator
from starlette.applications import Starlette

from amarevents import errors
from amarevents.rest.openapi.document import build_document
from amarevents.rest.routes import ROUTES
from amarevents.settings import Settings

Json = dict[str, Any]  # Any: JSON

RATE_LIMIT_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Type")
STATUSES_OF_HEADER = {"WWW-Authenticate": {401}, "Allow": {405}, "Retry-After": {429, 503}}
# Statuses of requests that are refused before their route is known.
UNROUTED = {401, 403, 429, 500}
COMMON_CODES = {error.code for error in errors.COMMON_ERRORS - {errors.NotFound, errors.UnknownRoute}}


def _path_below_api(url: httpx.URL) -> str:
    """Return the path without a trailing slash, with its segments trimmed; slashes within them remain encoded."""
    raw = url.raw_path.decode().partition("?")[0].removesuffix("/")
    return "".join(f"/{quote(unquote(segment).strip() or segment, safe='')}" for segment in raw.split("/")[2:])


class Drift(AssertionError):
    """An answer that the document does not describe."""


@cache
def conformance() -> "Conformance":
    """Return the checks of the application's document."""
    return Conformance(_closed(build_document(ROUTES)))


def _closed(part: Any) -> Any:  # Any: JSON
    """Return a part of the document in which objects have no properties but those that are documented."""
    if isinstance(part, list):
        return [_closed(one) for one in part]
    if not isinstance(part, dict):
        return part
    closed = {name: _closed(one) for name, one in part.items()}
    return {"additionalProperties": False, **closed} if closed.get("type") == "object" else closed


def conforming_client(app: Starlette, address: str = "127.0.0.1") -> httpx.AsyncClient:
    """Return a client with this address that raises Drift if an answer does not conform to the document."""

    async def check(answer: httpx.Response) -> None:
        await answer.aread()
        conformance().check(answer, app.state.services.settings)

    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(address, 40000))
    return httpx.AsyncClient(transport=transport, base_url="http://testserver", event_hooks={"response": [check]})


@dataclass
class Conformance:
    """The checks of a document; validators are compiled when first used."""

    document: Json
    _validators: dict[str, Draft202012Validator] = field(default_factory=dict)

    def check(self, answer: httpx.Response, settings: Settings) -> None:
        """Raise Drift if the answer does not conform; ``settings`` are those of the application."""
        request = answer.request
        is_preflight = request.method == "OPTIONS" and answer.status_code == 204
        if not re.match(r"/api(/|$)", request.url.path) or is_preflight:
            return
        problems = list(self._problems(answer, settings))
        if problems:
            summary = f"{request.method} {request.url.path} answered {answer.status_code}: {answer.text[:500]}"
            raise Drift("\n".join([summary, *problems]))

    def _problems(self, answer: httpx.Response, settings: Settings) -> Iterator[str]:
        operation, described = self._described(answer)
        if described is None:
            yield f"the document has no {answer.status_code} here"
            return
        yield from self._wrong_headers(answer, described)
        yield from _wrong_rate_limit_headers(answer, operation, settings)
        if answer.status_code == 304:
            return
        if answer.headers.get("content-type") != "application/json":
            yield f"the content type is {answer.headers.get('content-type')}"
        elif answer.request.method != "HEAD":
            yield from self._wrong_body(answer, operation, described)

    def _described(self, answer: httpx.Response) -> tuple[Json | None, Json | None]:
        """Return the operation, and the documented response of this status; None for what does not exist."""
        methods = self._methods(_path_below_api(answer.request.url))
        method = answer.request.method.lower()
        operation = (methods or {}).get("get" if method == "head" else method)
        if operation is not None:
            return operation, self._resolved(operation["responses"].get(str(answer.status_code)))
        possible = UNROUTED | {404 if methods is None else 405}
        return None, self._failure(answer.status_code) if answer.status_code in possible else None

    def _methods(self, path: str) -> Json | None:
        for template, methods in self.document["paths"].items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
                found: Json = methods
                return found
        return None

    def _failure(self, status: int) -> Json:
        found: Json = self.document["components"]["responses"][_name_of(status)]
        return found

    def _resolved(self, part: Json | None) -> Json | None:
        if part is None or "$ref" not in part:
            return part
        found: Json = self.document
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        return found

    def _wrong_body(self, answer: httpx.Response, operation: Json | None, described: Json) -> Iterator[str]:
        body = answer.json()
        for error in self._validator(described["content"]["application/json"]["schema"]).iter_errors(body):
            yield f"{'/'.join(map(str, error.instance_path)) or 'the body'}: {error.message}"
        yield from _undeclared_code(body, operation)
        yield from _code_of_another_status(body, described)

    def _wrong_headers(self, answer: httpx.Response, described: Json) -> Iterator[str]:
        shared = self.document["components"]["headers"]
        for name in described["headers"]:
            value = answer.headers.get(name)
            if value is None and shared[name].get("required"):
                yield f"{name} is missing"
            schema = shared[name]["schema"]
            if value is not None and not self._validator(schema).is_valid(_parsed(value, schema)):
                yield f"{name} is {value}"
        for name, statuses in STATUSES_OF_HEADER.items():
            if name in answer.headers and answer.status_code not in statuses:
                yield f"{name} is for {' and '.join(map(str, sorted(statuses)))}"

    def _validator(self, schema: Json) -> Draft202012Validator:
        """Return the validator of a schema, by identity: the document exists as long as its validators."""
        key = str(id(schema))
        if key not in self._validators:
            components = {"schemas": self.document["components"]["schemas"]}
            self._validators[key] = Draft202012Validator({**schema, "components": components}, validate_formats=True)
        return self._validators[key]


def _name_of(status: int) -> str:
    return httpx.codes.get_reason_phrase(status).replace(" ", "")


def _code_of_another_status(body: object, described: Json) -> Iterator[str]:
    code = body.get("code") if isinstance(body, dict) else None
    if code is not None and code not in described["x-error-codes"]:
        yield f"{code} is not documented for this status"


def _undeclared_code(body: object, operation: Json | None) -> Iterator[str]:
    """Yield a problem if neither ``raises`` nor the common errors contain the error code."""
    code = body.get("code") if isinstance(body, dict) else None
    declared = {"UNKNOWN_ROUTE"} if operation is None else {"NOT_FOUND", *operation["x-error-codes"]}
    if code is not None and code not in (COMMON_CODES | declared):
        yield f"{code} is not declared: add it to raises= of the operation"


def _parsed(value: str, schema: Json) -> int | str:
    return int(value) if schema.get("type") == "integer" and value.isdecimal() else value


def _wrong_rate_limit_headers(answer: httpx.Response, operation: Json | None, settings: Settings) -> Iterator[str]:
    """Require all four headers for callers with a valid credential, and none for others (decisions 3.2)."""
    present = [name for name in RATE_LIMIT_HEADERS if name in answer.headers]
    if present and len(present) < len(RATE_LIMIT_HEADERS):
        yield f"only these rate limit headers are present: {present}"
    if present and not _carries_credential(answer.request):
        yield "rate limit headers for a caller without a credential"
    limits = [settings.rate_limit_user, settings.rate_limit_organizer, settings.rate_limit_admin]
    limits.append(settings.rate_limit_session)
    if not present and all(limits) and _is_authenticated(answer, operation):
        yield "the rate limit headers are missing"


def _carries_credential(request: httpx.Request) -> bool:
    return _carries_key(request) or "cookie" in request.headers


def _carries_key(request: httpx.Request) -> bool:
    return "authorization" in request.headers or "x-api-key" in request.headers


def _is_authenticated(answer: httpx.Response, operation: Json | None) -> bool:
    """Return whether the credential was valid, as far as the answer shows: public routes ignore unknown cookies."""
    is_accepted = answer.status_code not in {401, 429, 500}
    if _carries_key(answer.request):
        return is_accepted
    is_public = operation is not None and {} in operation["security"]
    return is_accepted and "cookie" in answer.request.headers and operation is not None and not is_public
