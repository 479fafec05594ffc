"""Parsed documents: which of them are cached, and how short the response to an invalid one is."""

from collections.abc import Callable

import pytest
from starlette.applications import Starlette

from amarevents.schema.execution import documents
from amarevents.schema.execution.documents import Document
from amarevents.schema.schema import schema
from tests.support.world import World

LIST_OF_NUMBERS = "mutation { register(input: { z: [%s] %s }) { id } }" % (
    " ".join("1" for _ in range(3000)),
    " ".join(f"k{number}: 1" for number in range(100)),
)


def parse_valid(text: str) -> Document:
    """Parse and validate a document, which must be valid."""
    document = documents.parse_document(text)
    assert documents.validation_errors(schema.graphql_schema, document) == []
    return document


def test_small_valid_documents_are_parsed_once() -> None:
    text = "{ me { id username } }"
    assert parse_valid(text) is documents.parse_document(text)


@pytest.mark.parametrize("text", ["{ me { id %s } }" % ("#" * 5000 + "\n"), "{ me { nothing } }"])
def test_large_and_invalid_documents_are_not_cached(text: str) -> None:
    first = documents.parse_document(text)
    documents.validation_errors(schema.graphql_schema, first)
    assert documents.parse_document(text) is not first


def test_oldest_documents_leave_the_full_cache() -> None:
    first = parse_valid("{ me { first: id } }")
    for number in range(200):
        parse_valid(f"{{ me {{ id{number}: id }} }}")
    assert documents.parse_document("{ me { first: id } }") is not first


async def test_response_to_an_invalid_document_is_short(world: World) -> None:
    answer = await world.anonymous.graphql_response(LIST_OF_NUMBERS)
    assert answer.status_code == 400
    assert len(answer.json()["errors"]) <= 6
    assert len(answer.content) < 4_000


async def test_extremely_nested_document_is_400(world: World) -> None:
    answer = await world.anonymous.graphql_response("{ a" * 1900 + " }" * 1900)
    assert answer.status_code == 400


async def test_documents_of_rate_limited_callers_are_not_validated(
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
