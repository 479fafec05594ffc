"""Writes ``schema.graphql``, the schema as text: ``python -m amarevents.schema``.

With ``--release`` also ``released.graphql``, with which later changes are compared.
"""

import sys
from pathlib import Path

from graphql.utilities.print_schema import print_schema_definition

from amarevents.schema.breaking_changes import RELEASED
from amarevents.schema.schema import schema

SNAPSHOT = Path(__file__).with_name("schema.graphql")


def schema_text() -> str:
    """What the snapshot is to hold."""
    # Strawberry prints no description of the schema itself.
    return f"{print_schema_definition(schema.graphql_schema)}\n\n{schema.as_str()}\n"


if __name__ == "__main__":
    for file in [SNAPSHOT, RELEASED] if "--release" in sys.argv[1:] else [SNAPSHOT]:
        file.write_text(schema_text(), encoding="utf-8")
