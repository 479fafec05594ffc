"""What GraphQL answers with: the one field that was asked for, or why it was refused."""

from typing import Any

from tests.world import Caller, snapshot

# Any throughout: JSON.


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
