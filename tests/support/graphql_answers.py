"""What GraphQL answers with: the one field that was asked for, or why it was refused."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import httpx

from tests.support.world import Caller, snapshot

# Any throughout: JSON.
Request = Coroutine[Any, Any, httpx.Response]


async def answer_of(caller: Caller, document: str, **variables: Any) -> Any:
    """The value of the only root field, of a request that must succeed."""
    answer = await caller.graphql(document, **variables)
    assert "errors" not in answer, answer["errors"]
    [value] = answer["data"].values()
    return value


async def refused(caller: Caller, document: str, code: str, **variables: Any) -> dict[str, str]:
    """The fields that are named, of a request that must be refused and change nothing."""
    before = await snapshot()
    answer = await caller.graphql(document, **variables)
    why = only_failure(answer["errors"])
    assert why["code"] == code
    assert await snapshot() == before
    fields: dict[str, str] = why.get("fields", {})
    return fields


def only_failure(failures: list[Any]) -> dict[str, Any]:
    """The extensions of the one error there is."""
    [failure] = failures
    extensions: dict[str, Any] = failure["extensions"]
    return extensions


def refusal(answer: dict[str, Any]) -> tuple[str, int]:
    """Code and status of the one thing that was refused."""
    why = only_failure(answer["errors"])
    return why["code"], why["status"]


def refusal_of_all(answer: dict[str, Any]) -> tuple[str, set[str]]:
    """The code of the one error, and the fields that it names; nothing is shown beside it."""
    assert list(answer["data"].values()) == [None]
    why = only_failure(answer["errors"])
    return why["code"], set(why.get("fields", {}))


def refusals(answer: dict[str, Any]) -> dict[str, str]:
    """Where something was refused, and why; nowhere twice."""
    failures = answer.get("errors", [])
    codes = {".".join(map(str, one["path"])): one["extensions"]["code"] for one in failures}
    assert len(codes) == len(failures), failures
    return codes


def code_of(response: httpx.Response) -> str | None:
    """Of the one error; None is success."""
    failures = response.json().get("errors")
    return only_failure(failures)["code"] if failures else None


def code_with_status(response: httpx.Response) -> str:
    """Of the one error, which is that of the whole answer: they have one status."""
    code, status = refusal(response.json())
    assert status == response.status_code
    return code


def code_told(message: dict[str, Any]) -> str:
    """Of the one error in a message that ends an operation over a WebSocket."""
    assert message["type"] == "error", message
    return str(only_failure(message["payload"])["code"])


async def at_once(*requests: Request) -> Counter[str | None]:
    """How often each code was answered; None is success."""
    return Counter(code_of(response) for response in await asyncio.gather(*requests))
