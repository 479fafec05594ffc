"""The operations that stand ready in tabs: files in ``operations/``, in the order of their names.

Beside each document lies a JSON file: ``variables`` to begin with, in which ``""`` stands for what an earlier answer
brings, and what the operation itself ``provides``: the name of a variable, and where its value stands in the answer.
In a list that is a number, ``where(field=value)``, the first of which that is true, or ``most(field)``. What it
``offers`` gives way to what any other provides: an answer of many events means none of them in particular.
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
class ReadyOperation:
    """One tab. ``variables`` is JSON as a person would write it; the others lead from names to dotted paths."""

    query: str
    variables: str
    provides: dict[str, str]
    offers: dict[str, str]


def ready_operations(now: datetime.datetime) -> list[ReadyOperation]:
    """All of them, with dates of the weeks to come, and a transaction that is unlikely to have been named before."""
    today = now.date()
    values = {
        "date": today + datetime.timedelta(days=_DAYS_TO_EVENT),
        "deadline": today + datetime.timedelta(days=_DAYS_TO_DEADLINE),
        "transaction": f"BK{now:%y%m%d%H%M%S}",
    }
    return [dataclasses.replace(one, variables=Template(one.variables).substitute(values)) for one in _templates()]


@cache
def _templates() -> tuple[ReadyOperation, ...]:
    return tuple(_read(document) for document in sorted(_FOLDER.glob("*.graphql")))


def _read(document: Path) -> ReadyOperation:
    beside = json.loads(document.with_suffix(".json").read_text(encoding="utf-8"))
    return ReadyOperation(
        query=document.read_text(encoding="utf-8"),
        variables=json.dumps(beside["variables"], indent=2, ensure_ascii=False) if beside["variables"] else "",
        provides=beside["provides"],
        offers=beside.get("offers", {}),
    )
