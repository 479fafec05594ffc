"""The schema as text, for those who read it and for tools that compare versions."""

from graphql import build_schema

from amarevents.schema.__main__ import SNAPSHOT, schema_text
from amarevents.schema.schema import schema


def test_snapshot_is_the_schema_of_the_code() -> None:
    assert SNAPSHOT.read_text(encoding="utf-8") == schema_text(), "write it anew: python -m amarevents.schema"


def test_snapshot_is_a_schema() -> None:
    written = build_schema(SNAPSHOT.read_text(encoding="utf-8"))
    assert written.query_type is not None
    assert written.description == schema.graphql_schema.description
