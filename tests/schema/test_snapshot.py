"""The snapshot of the schema, for readers and for tools that compare versions."""

from graphql import build_schema

from amarevents.schema.__main__ import SNAPSHOT, schema_text
from amarevents.schema.schema import schema


def test_snapshot_is_up_to_date() -> None:
    assert SNAPSHOT.read_text(encoding="utf-8") == schema_text(), "update it with: python -m amarevents.schema"


def test_snapshot_can_be_parsed_as_a_schema() -> None:
    parsed = build_schema(SNAPSHOT.read_text(encoding="utf-8"))
    assert parsed.query_type is not None
    assert parsed.description == schema.graphql_schema.description
