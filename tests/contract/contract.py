"""The text of the contract, read."""

import itertools
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from amarevents.models.enums import KeyType

TEXT = Path(__file__).parents[2] / "docs" / "contract" / "amar-events-api.txt"

DECIDED_BADGES = {("PUT", "/users/me"): frozenset({KeyType.USER, KeyType.ADMIN})}
"""Where the badge and the permission table of the contract contradict each other (decisions 2.7)."""

_LINE = re.compile(r"(GET|POST|PUT|DELETE|PATCH) (/[^\s?]*)\S* \S.*")
_EXAMPLE = re.compile(r"^\{(?:[^\n]+|\n.*?\n)\}$", re.MULTILINE | re.DOTALL)
_BADGES = re.compile(r"Public|(?:User)?(?:Organizer)?(?:Admin)?")


@dataclass(frozen=True, order=True)
class ContractRoute:
    """A route as the contract announces it; what stands in braces is always ``{id}`` there."""

    method: str
    path: str
    badges: frozenset[KeyType]  # none: public

    @property
    def key_types(self) -> frozenset[KeyType]:
        """The key types that may call it: its badges, but where decisions say otherwise."""
        return DECIDED_BADGES.get((self.method, self.path), self.badges)


@cache
def contract_routes() -> tuple[ContractRoute, ...]:
    """Every ``METHOD /path Title`` line of the contract, with the badges of the line after it."""
    lines = TEXT.read_text(encoding="utf-8").splitlines()
    return tuple(
        ContractRoute(match[1], match[2], _badges(following))
        for line, following in itertools.pairwise(lines)
        if (match := _LINE.fullmatch(line.strip()))
    )


def _badges(line: str) -> frozenset[KeyType]:
    if not _BADGES.fullmatch(line) or not line:
        raise ValueError(f"expected badges, not {line!r}")
    return frozenset(key_type for key_type in KeyType if key_type.capitalize() in line)


def examples() -> list[dict[str, Any]]:  # Any: JSON
    """The JSON objects that the contract shows, in their order; what it leaves out with three dots is an empty list."""
    text = TEXT.read_text(encoding="utf-8").replace("[...]", "[]")
    return [json.loads(found) for found in _EXAMPLE.findall(text)]


def same_for_all_names(path: str) -> str:
    """A path whose parameters are called alike, as the contract does."""
    return re.sub(r"\{\w+\}", "{id}", path)
