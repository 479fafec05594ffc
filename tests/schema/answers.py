"""What GraphQL answers with: the one field that was asked for, or why it was refused."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import httpx

from tests.world import Caller, snapshot

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
    [failure] = answer["errors"]
    assert failure["extensions"]["code"] == code
    assert await snapshot() == before
    fields: dict[str, str] = failure["extensions"].get("fields", {})
    return fields


def code_of(response: httpx.Response) -> str | None:
    failures = response.json().get("errors")
    return failures[0]["extensions"]["code"] if failures else None


async def at_once(*requests: Request) -> Counter[str | None]:
    """How often each code was answered; None is success."""
    return Counter(code_of(response) for response in await asyncio.gather(*requests))
