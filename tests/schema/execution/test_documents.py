"""What is remembered of documents, and how little a bad one can make the platform say."""

from collections.abc import Callable

import pytest
from graphql import DocumentNode
from starlette.applications import Starlette

from amarevents.schema.execution import documents
from amarevents.schema.schema import schema
from tests.support.world import World

LIST_OF_NUMBERS = "mutation { register(input: { z: [%s] %s }) { id } }" % (
    " ".join("1" for _ in range(3000)),
    " ".join(f"k{number}: 1" for number in range(100)),
)


def accepted(text: str) -> DocumentNode:
    """A document that was parsed and found good."""
    document = documents.parse_document(text)
    assert documents.validation_errors(schema.graphql_schema, document) == []
    return document


def test_small_good_documents_are_parsed_once() -> None:
    text = "{ me { id username } }"
    assert accepted(text) is documents.parse_document(text)


@pytest.mark.parametrize("text", ["{ me { id %s } }" % ("#" * 5000 + "\n"), "{ me { nothing } }"])
def test_large_and_bad_documents_are_not_kept(text: str) -> None:
    first = documents.parse_document(text)
    documents.validation_errors(schema.graphql_schema, first)
    assert documents.parse_document(text) is not first


def test_no_more_documents_are_kept_than_fit() -> None:
    first = accepted("{ me { first: id } }")
    for number in range(200):
        accepted(f"{{ me {{ id{number}: id }} }}")
    assert documents.parse_document("{ me { first: id } }") is not first


async def test_a_bad_document_is_answered_briefly(world: World) -> None:
    answer = await world.anonymous.graphql_response(LIST_OF_NUMBERS)
    assert answer.status_code == 400
    assert len(answer.json()["errors"]) <= 6
    assert len(answer.content) < 4_000


async def test_a_document_nested_beyond_all_bounds_is_400(world: World) -> None:
    answer = await world.anonymous.graphql_response("{ a" * 1900 + " }" * 1900)
    assert answer.status_code == 400


async def test_who_is_over_the_limit_costs_no_validation(
    world: World, app: Starlette, configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(rate_limit_anonymous=1)
    await world.anonymous.graphql_response("{ events { items { id } } }")
    validated: list[str] = []
    monkeypatch.setattr(
        "amarevents.schema.execution.validation.validation_errors", lambda _schema, document: validated.append(document)
    )
    answer = await world.anonymous.graphql_response("{ events { items { name } } }")
    assert (answer.status_code, validated) == (429, [])
