"""Descriptions of fields and parameters, taken from the docstrings at their declarations."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import TypeAdapter

from amarevents.resolvers.core import descriptions
from amarevents.resolvers.core.inputs import Input
from amarevents.rest.openapi.document import build_document
from amarevents.rest.openapi.schemas import _SchemaGenerator
from amarevents.rest.routes import ROUTES
from tests.rest.openapi.document import DOCUMENT, Json, operations, parameters, schema

MONEY = {"price", "amount", "revenue", "total_amount", "pending_amount"}


def _properties(part: Any, location: str) -> Iterator[tuple[str, str, Json]]:  # Any: JSON
    """Yield each property of the schemas in a part of the document: its location, name and schema."""
    if isinstance(part, list):
        for one in part:
            yield from _properties(one, location)
    if isinstance(part, dict):
        if part.get("type") == "object":
            yield from ((location, name, one) for name, one in part.get("properties", {}).items())
        for key, one in part.items():
            if key not in {"example", "x-codeSamples"}:
                yield from _properties(one, f"{location}/{key}")


def _parameters() -> Iterator[tuple[str, str, Json]]:
    for operation in operations():
        yield from ((operation["operationId"], one["name"], one) for one in operation["parameters"] if "name" in one)


def _described() -> list[tuple[str, str, Json]]:
    return [*_properties(DOCUMENT, ""), *_parameters()]


def test_every_field_and_parameter_has_a_description_of_at_least_three_words() -> None:
    described = _described()
    assert len(described) > 400
    assert [(location, name) for location, name, one in described if len(one.get("description", "").split()) < 3] == []


def test_every_description_is_a_sentence() -> None:
    texts = {one["description"] for _, _, one in _described()}
    assert {text for text in texts if not re.match(r"[A-Z0-9`]", text) or not text.endswith((".", ")"))} == set()


def test_descriptions_of_money_name_the_unit() -> None:
    texts = {(location, name): one["description"] for location, name, one in _described() if name in MONEY}
    assert len(texts) > 10
    assert {field for field, text in texts.items() if not re.search(r"\btaka\b|\bcurrency\b", text)} == set()


def test_descriptions_of_ids_say_id() -> None:
    texts = {
        (location, name): one["description"] for location, name, one in _described() if re.search(r"^id$|_id$", name)
    }
    assert len(texts) > 50
    assert {field for field, text in texts.items() if not re.search(r"\bIDs?\b", text)} == set()


def test_descriptions_of_flags_explain_true_or_false() -> None:
    texts = {
        (location, name): one["description"] for location, name, one in _described() if one.get("type") == "boolean"
    }
    assert len(texts) > 10
    assert {field for field, text in texts.items() if not re.search(r"[Ww]hether|[Tt]rue|[Ff]alse", text)} == set()


def test_descriptions_of_query_flags_explain_0_and_1() -> None:
    flags = [one for _, _, one in _parameters() if one["schema"].get("enum") == [0, 1]]
    assert parameters("GET /admin/users", "query")["admin"] in flags
    assert {one["description"].endswith("1 is true and 0 is false.") for one in flags} == {True}


def test_fields_of_one_name_can_have_different_descriptions() -> None:
    assert "whole taka" in schema("Donation")["properties"]["amount"]["description"]
    assert "whole taka" not in schema("Ticket")["properties"]["amount"]["description"]


@dataclass
class _View:
    undescribed: int


class _Undescribed(Input):
    undescribed: int


@pytest.mark.parametrize("owner", [_View, _Undescribed])
def test_field_without_a_docstring_is_an_error(owner: type) -> None:
    with pytest.raises(KeyError, match=rf"{owner.__name__}\.undescribed .*docstring"):
        TypeAdapter(owner).json_schema(schema_generator=_SchemaGenerator)


def test_document_with_an_undescribed_field_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_deadlines(owner: type) -> dict[str, str]:
        return {name: text for name, text in found(owner).items() if name != "deadline"}

    found = descriptions.attribute_descriptions
    monkeypatch.setattr(descriptions, "attribute_descriptions", without_deadlines)
    with pytest.raises(KeyError, match="deadline"):
        build_document(ROUTES)
