"""The schema as text, for those who read it and for tools that compare versions."""

from graphql import build_schema

from amarevents.schema.__main__ import SNAPSHOT, schema_text


def test_snapshot_is_the_schema_of_the_code() -> None:
    assert SNAPSHOT.read_text(encoding="utf-8") == schema_text(), "write it anew: python -m amarevents.schema"


def test_snapshot_is_a_schema() -> None:
    assert build_schema(SNAPSHOT.read_text(encoding="utf-8")).query_type is not None
