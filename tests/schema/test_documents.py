"""What is remembered of documents, and how little a bad one can make the platform say."""

from collections.abc import Callable

import pytest
from starlette.applications import Starlette

from amarevents.schema import documents
from tests.world import World

LIST_OF_NUMBERS = "mutation { register(input: { z: [%s] %s }) { id } }" % (
    " ".join("1" for _ in range(3000)),
    " ".join(f"k{number}: 1" for number in range(100)),
)


def test_small_documents_are_parsed_once_and_large_ones_are_not_kept() -> None:
    small, large = "{ me { id } }", "{ me { id %s } }" % ("#" * 5000 + "\n")
    assert documents.parse_document(small) is documents.parse_document(small)
    assert documents.parse_document(large) is not documents.parse_document(large)


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
    monkeypatch.setattr("amarevents.schema.schema.validation_errors", lambda _schema, text: validated.append(text))
    answer = await world.anonymous.graphql_response("{ events { items { name } } }")
    assert (answer.status_code, validated) == (429, [])
