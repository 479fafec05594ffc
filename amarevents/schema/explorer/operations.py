"""The example operations in the tabs of GraphiQL: the files in ``operations/``, in the order of their names.

Each ``.graphql`` document has a ``.json`` file of the same name with these keys:

- ``variables``: the initial variables. The page replaces ``""`` by values from earlier responses.
- ``provides``: variables that later operations get from the response, as names and paths into its data. In a list, the
  path contains an index, ``where(field=value)`` for the first matching item, or ``most(field)`` for the item with the
  largest value.
- ``offers`` (optional): the same, but with lower priority than any ``provides``. For example, a list of events offers
  its first event, which is used until an event has been created.
"""

import dataclasses
import datetime
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template

_FOLDER = Path(__file__).with_name("operations")
_DAYS_TO_EVENT = 30
_DAYS_TO_DEADLINE = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleOperation:
    """One tab: a document, its variables as indented JSON, and the dotted paths of the values that it brings."""

    query: str
    variables: str
    provides: dict[str, str]
    offers: dict[str, str]


def example_operations(now: datetime.datetime) -> list[ExampleOperation]:
    """Return all operations, with dates in the coming weeks and a transaction ID that is unlikely to be in use."""
    today = now.date()
    values = {
        "date": today + datetime.timedelta(days=_DAYS_TO_EVENT),
        "deadline": today + datetime.timedelta(days=_DAYS_TO_DEADLINE),
        "transaction": f"BK{now:%y%m%d%H%M%S}",
    }
    return [
        dataclasses.replace(template, variables=Template(template.variables).substitute(values))
        for template in _templates()
    ]


@cache
def _templates() -> tuple[ExampleOperation, ...]:
    return tuple(_read(document) for document in sorted(_FOLDER.glob("*.graphql")))


def _read(document: Path) -> ExampleOperation:
    properties = json.loads(document.with_suffix(".json").read_text(encoding="utf-8"))
    return ExampleOperation(
        query=document.read_text(encoding="utf-8"),
        variables=json.dumps(properties["variables"], indent=2, ensure_ascii=False) if properties["variables"] else "",
        provides=properties["provides"],
        offers=properties.get("offers", {}),
    )
