"""The example operations of the explorer, and the names of their tabs."""

import datetime
import re

from amarevents.schema.explorer.operations import ExampleOperation, example_operations

NOW = datetime.datetime(2026, 11, 23, 18, 30, tzinfo=datetime.UTC)
ALL = example_operations(NOW)


def name_of(operation: ExampleOperation) -> str:
    """Return the name of the operation's tab."""
    [name] = re.findall(r"^(?:query|mutation|subscription) (\w+)", operation.query, re.MULTILINE)
    return str(name)


NAMES = [name_of(operation) for operation in ALL]
