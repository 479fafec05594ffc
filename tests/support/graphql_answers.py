"""Assertions on GraphQL responses: the value of the requested field, or the code of the error."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import httpx

from tests.support.world import Caller, snapshot

# Any throughout: JSON.
Request = Coroutine[Any, Any, httpx.Response]


async def answer_of(caller: Caller, document: str, **variables: Any) -> Any:
    """Send a request that must succeed, and return the value of its only root field."""
    answer = await caller.graphql(document, **variables)
    assert "errors" not in answer, answer["errors"]
    [value] = answer["data"].values()
    return value


async def refused(caller: Caller, document: str, code: str, **variables: Any) -> dict[str, str]:
    """Require that a request fails with ``code`` and changes nothing; return the fields that its error names."""
    before = await snapshot()
    answer = await caller.graphql(document, **variables)
    extensions = only_error(answer["errors"])
    assert extensions["code"] == code
    assert await snapshot() == before
    fields: dict[str, str] = extensions.get("fields", {})
    return fields


def only_error(failures: list[Any]) -> dict[str, Any]:
    """Return the extensions of the only error."""
    [failure] = failures
    extensions: dict[str, Any] = failure["extensions"]
    return extensions


def error_code_and_status(answer: dict[str, Any]) -> tuple[str, int]:
    """Return the code and the status of the only error."""
    extensions = only_error(answer["errors"])
    return extensions["code"], extensions["status"]


def error_code_and_fields(answer: dict[str, Any]) -> tuple[str, set[str]]:
    """Return the code of the only error and the fields that it names; the only root field must be null."""
    assert list(answer["data"].values()) == [None]
    extensions = only_error(answer["errors"])
    return extensions["code"], set(extensions.get("fields", {}))


def error_codes_by_path(answer: dict[str, Any]) -> dict[str, str]:
    """Return the error code for each path; no path may have two errors."""
    failures = answer.get("errors", [])
    codes = {".".join(map(str, failure["path"])): failure["extensions"]["code"] for failure in failures}
    assert len(codes) == len(failures), failures
    return codes


def error_code(response: httpx.Response) -> str | None:
    """Return the code of the only error, or None if the request succeeded."""
    failures = response.json().get("errors")
    return only_error(failures)["code"] if failures else None


def request_error_code(response: httpx.Response) -> str:
    """Return the code of an error that concerns the whole request, whose status is that of the response."""
    code, status = error_code_and_status(response.json())
    assert status == response.status_code
    return code


def error_code_of_message(message: dict[str, Any]) -> str:
    """Return the error code in the message that ends an operation over a WebSocket."""
    assert message["type"] == "error", message
    return str(only_error(message["payload"])["code"])


async def run_concurrently(*requests: Request) -> Counter[str | None]:
    """Send the requests concurrently and count their error codes; None stands for success."""
    return Counter(error_code(response) for response in await asyncio.gather(*requests))
