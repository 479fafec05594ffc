"""The GraphQL guide: its documents are valid, and it names every operation that REST does not have."""

import re
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from amarevents.resolvers.core.operation import OPERATIONS
from amarevents.schema.schema import schema
from tests.contract.operations import GRAPHQL_ONLY, field_name
from tests.support.tables import check_rows

GUIDE = (Path(__file__).parents[2] / "docs" / "graphql.md").read_text(encoding="utf-8")
DOCUMENTS = re.findall(r"```graphql\n(.*?)```", GUIDE, re.DOTALL)


def test_guide_has_documents() -> None:
    assert any("checkInTicket" in document for document in DOCUMENTS)
    assert any("rejectPayments" in document for document in DOCUMENTS)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_document_of_the_guide_is_valid(document: str) -> None:
    assert validate(build_schema(schema.as_str()), parse(document)) == []


def test_guide_names_every_operation_without_a_route() -> None:
    names = {field_name(OPERATIONS[name]) for name in GRAPHQL_ONLY}
    check_rows("docs/graphql.md", names.intersection(re.findall(r"\w+", GUIDE)), names)
