"""What is said of each field: of all of them, and of nothing that is not there."""

from collections.abc import Iterator
from typing import Any

import pytest

from amarevents.resolvers.core.descriptions import EXCEPTIONS, FIELDS
from amarevents.rest.openapi.descriptions import with_descriptions
from amarevents.rest.openapi.document import build_document
from amarevents.rest.routes import ROUTES
from tests.rest.openapi.reading import DOCUMENT, Json, operations, parameters, schema


def _properties(part: Any, where: str) -> Iterator[tuple[str, str, Json]]:  # Any: JSON
    """Each property of the schemas within a part of the document: where it stands, its name, its schema."""
    if isinstance(part, list):
        for one in part:
            yield from _properties(one, where)
    if isinstance(part, dict):
        if part.get("type") == "object":
            yield from ((where, name, one) for name, one in part.get("properties", {}).items())
        for key, one in part.items():
            if key not in {"example", "x-codeSamples"}:
                yield from _properties(one, f"{where}/{key}")


def _described() -> list[tuple[str, str, Json]]:
    in_requests = [
        (operation["operationId"], one["name"], one)
        for operation in operations()
        for one in operation["parameters"]
        if "name" in one
    ]
    return [*_properties(DOCUMENT, ""), *in_requests]


def test_every_field_and_parameter_says_more_than_its_name() -> None:
    bare = [(where, name) for where, name, one in _described() if len(one.get("description", "").split()) < 3]
    assert len(_described()) > 400
    assert bare == []


def test_every_sentence_of_the_table_is_used() -> None:
    said = {one["description"] for _, _, one in _described()}
    assert {*FIELDS.values(), *EXCEPTIONS.values()} <= said


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_a_name_of_the_table_is_used(name: str) -> None:
    assert FIELDS[name] in {one["description"] for _, field, one in _described() if field == name}


@pytest.mark.parametrize(("owner", "name"), sorted(EXCEPTIONS))
def test_an_exception_differs_and_is_used(owner: str, name: str) -> None:
    places = [one for where, field, one in _described() if field == name and _belongs(where, owner, one)]
    assert EXCEPTIONS[owner, name] != FIELDS.get(name)
    assert places
    assert {one["description"] for one in places} == {EXCEPTIONS[owner, name]}


def _belongs(where: str, owner: str, described: Json) -> bool:
    return owner in where.split("/") or owner == described.get("in")


def test_one_name_can_mean_two_things() -> None:
    assert "whole taka" in schema("Donation")["properties"]["amount"]["description"]
    assert "two decimals" in schema("Ticket")["properties"]["amount"]["description"]
    assert "1 or 0" in parameters("GET /admin/users", "query")["admin"]["description"]


def test_a_field_keeps_what_it_says_itself() -> None:
    assert with_descriptions("Event", {"name": {"description": "Its own."}}) == {"name": {"description": "Its own."}}


def test_a_field_of_which_nothing_is_said_cannot_be_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(FIELDS, "deadline")
    with pytest.raises(KeyError, match="deadline"):
        build_document(ROUTES)
