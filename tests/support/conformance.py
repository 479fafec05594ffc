"""Every answer of REST, whatever test has asked for it, compared with the OpenAPI document."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
from jsonschema_rs import Draft202012Validator
from starlette.applications import Starlette

from amarevents import errors
from amarevents.rest.openapi.document import build_document
from amarevents.rest.routes import ROUTES
from amarevents.settings import Settings

Json = dict[str, Any]  # Any: JSON

RATE_LIMIT_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Type")
HEADERS_OF_STATUS = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After"}
# What is refused before a route has been found.
UNROUTED = {401, 403, 429, 500}
COMMON_CODES = {error.code for error in errors.COMMON_ERRORS - {errors.NotFound, errors.UnknownRoute}}


class Drift(AssertionError):
    """An answer that the document does not describe."""


@cache
def conformance() -> "Conformance":
    """The checks of this application's own document."""
    return Conformance(build_document(ROUTES))


def conforming_client(app: Starlette, address: str = "127.0.0.1") -> httpx.AsyncClient:
    """A client whose connection comes from ``address``, and that fails where an answer is not as documented."""

    async def check(answer: httpx.Response) -> None:
        await answer.aread()
        conformance().check(answer, app.state.services.settings)

    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(address, 40000))
    return httpx.AsyncClient(transport=transport, base_url="http://testserver", event_hooks={"response": [check]})


@dataclass
class Conformance:
    """The checks of a document; validators are compiled when they are first needed."""

    document: Json
    _validators: dict[str, Draft202012Validator] = field(default_factory=dict)

    def check(self, answer: httpx.Response, settings: Settings) -> None:
        """Raises Drift. ``settings``: what the application runs with, which may have switched limits off."""
        if not re.match(r"/api(/|$)", answer.request.url.path):
            return
        request = answer.request
        problems = list(self._problems(answer, settings))
        if problems:
            told = f"{request.method} {request.url.path} answered {answer.status_code}: {answer.text[:500]}"
            raise Drift("\n".join([told, *problems]))

    def _problems(self, answer: httpx.Response, settings: Settings) -> Iterator[str]:
        operation, described = self._described(answer)
        if described is None:
            yield f"the document has no {answer.status_code} here"
            return
        yield from self._wrong_headers(answer, described)
        yield from _wrong_rate_limit_headers(answer, operation, settings)
        if answer.headers.get("content-type") != "application/json":
            yield f"the content type is {answer.headers.get('content-type')}"
        elif answer.request.method != "HEAD":
            yield from self._wrong_body(answer, operation, described)

    def _described(self, answer: httpx.Response) -> tuple[Json | None, Json | None]:
        """The operation, None where there is none, and its response of this status, None where that is not foreseen."""
        methods = self._methods(answer.request.url.path.removeprefix("/api"))
        method = answer.request.method.lower()
        operation = (methods or {}).get("get" if method == "head" else method)
        if operation is not None:
            return operation, self._resolved(operation["responses"].get(str(answer.status_code)))
        foreseen = UNROUTED | {404 if methods is None else 405}
        return None, self._failure(answer.status_code) if answer.status_code in foreseen else None

    def _methods(self, path: str) -> Json | None:
        for template, methods in self.document["paths"].items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
                found: Json = methods
                return found
        return None

    def _failure(self, status: int) -> Json:
        shared = self.document["components"]["responses"].values()
        return next(one for one in shared if one["description"] == httpx.codes.get_reason_phrase(status))

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

    def _wrong_headers(self, answer: httpx.Response, described: Json) -> Iterator[str]:
        shared = self.document["components"]["headers"]
        for name in described["headers"]:
            value = answer.headers.get(name)
            if value is None and shared[name].get("required"):
                yield f"{name} is missing"
            schema = shared[name]["schema"]
            if value is not None and not self._validator(schema).is_valid(_parsed(value, schema)):
                yield f"{name} is {value}"
        for status, name in HEADERS_OF_STATUS.items():
            if name in answer.headers and answer.status_code != status:
                yield f"{name} is for {status}"

    def _validator(self, schema: Json) -> Draft202012Validator:
        """By the schema's identity: the document lives as long as its validators."""
        key = str(id(schema))
        if key not in self._validators:
            components = {"schemas": self.document["components"]["schemas"]}
            self._validators[key] = Draft202012Validator({**schema, "components": components}, validate_formats=True)
        return self._validators[key]


def _undeclared_code(body: object, operation: Json | None) -> Iterator[str]:
    """An error code that neither the operation's ``raises`` nor the errors of any request name."""
    code = body.get("code") if isinstance(body, dict) else None
    declared = {"UNKNOWN_ROUTE"} if operation is None else {"NOT_FOUND", *operation["x-error-codes"]}
    if code is not None and code not in (COMMON_CODES | declared):
        yield f"{code} is not declared: add it to raises= of the operation"


def _parsed(value: str, schema: Json) -> int | str:
    return int(value) if schema.get("type") == "integer" and value.isdecimal() else value


def _wrong_rate_limit_headers(answer: httpx.Response, operation: Json | None, settings: Settings) -> Iterator[str]:
    """All four for a caller with a valid credential, none for anybody else (decisions 3.2)."""
    shown = [name for name in RATE_LIMIT_HEADERS if name in answer.headers]
    if shown and len(shown) < len(RATE_LIMIT_HEADERS):
        yield f"of the rate limit's headers there are only {shown}"
    if shown and not _carries_credential(answer.request):
        yield "a caller without a credential is told of a rate limit"
    limits = (settings.rate_limit_user, settings.rate_limit_organizer, settings.rate_limit_admin)
    if not shown and all(limits) and _is_authenticated(answer, operation):
        yield "the rate limit's headers are missing"


def _carries_credential(request: httpx.Request) -> bool:
    return "authorization" in request.headers or "cookie" in request.headers


def _is_authenticated(answer: httpx.Response, operation: Json | None) -> bool:
    """Whether the credential was good, as far as the answer tells; a cookie that is none passes on public routes."""
    was_let_in = answer.status_code not in {401, 429, 500}
    if "authorization" in answer.request.headers:
        return was_let_in
    is_public = operation is not None and {} in operation["security"]
    return was_let_in and "cookie" in answer.request.headers and operation is not None and not is_public
