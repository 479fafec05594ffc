"""Writes ``schema.graphql``, the schema as text: ``python -m amarevents.schema``."""

from pathlib import Path

from amarevents.schema.schema import schema

SNAPSHOT = Path(__file__).with_name("schema.graphql")


def schema_text() -> str:
    """What the snapshot is to hold."""
    return schema.as_str() + "\n"


if __name__ == "__main__":
    SNAPSHOT.write_text(schema_text(), encoding="utf-8")
