"""GraphQL documents in the guide, which have to be valid."""

import re
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from amarevents.schema.schema import schema

GUIDE = Path(__file__).parents[2] / "docs" / "graphql.md"
DOCUMENTS = re.findall(r"```graphql\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def test_guide_has_documents() -> None:
    assert any("checkInTicket" in document for document in DOCUMENTS)
    assert any("rejectPayments" in document for document in DOCUMENTS)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_document_of_the_guide_is_valid(document: str) -> None:
    assert validate(build_schema(schema.as_str()), parse(document)) == []
