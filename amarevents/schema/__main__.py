"""The command ``python -m amarevents.schema``, which writes the schema to ``schema.graphql``.

With ``--release`` it also writes ``released.graphql``, with which later schemas are compared.
"""

import sys
from pathlib import Path

from graphql.utilities.print_schema import print_schema_definition

from amarevents.schema.breaking_changes import RELEASED
from amarevents.schema.schema import schema

SNAPSHOT = Path(__file__).with_name("schema.graphql")


def schema_text() -> str:
    """Return the schema in the schema definition language."""
    # Strawberry leaves out the description of the schema itself.
    return f"{print_schema_definition(schema.graphql_schema)}\n\n{schema.as_str()}\n"


if __name__ == "__main__":
    for file in [SNAPSHOT, RELEASED] if "--release" in sys.argv[1:] else [SNAPSHOT]:
        file.write_text(schema_text(), encoding="utf-8")
