"""A parser for the text of the contract: its routes, their badges and its JSON examples."""

import itertools
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from amarevents.models.enums import KeyType

TEXT = Path(__file__).parents[2] / "docs" / "contract" / "amar-events-api.txt"

DECIDED_BADGES = {("PUT", "/users/me"): frozenset(KeyType)}
"""Routes for which the badges and the permission table of the contract differ (decisions 2.7)."""

_LINE = re.compile(r"(GET|POST|PUT|DELETE|PATCH) (/[^\s?]*)\S* \S.*")
_EXAMPLE = re.compile(r"^\{(?:[^\n]+|\n.*?\n)\}$", re.MULTILINE | re.DOTALL)
_BADGES = re.compile(r"Public|(?:User)?(?:Organizer)?(?:Admin)?")


@dataclass(frozen=True, order=True)
class ContractRoute:
    """A route of the contract; its path parameters are all written ``{id}``."""

    method: str
    path: str
    badges: frozenset[KeyType]  # none: public

    @property
    def key_types(self) -> frozenset[KeyType]:
        """Return the key types that may call the route: its badges, unless decisions differ."""
        return DECIDED_BADGES.get((self.method, self.path), self.badges)


@cache
def contract_routes() -> tuple[ContractRoute, ...]:
    """Return every ``METHOD /path Title`` line of the contract, with the badges from the next line."""
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
    """Return the JSON examples of the contract in order; ``[...]`` is read as an empty list."""
    text = TEXT.read_text(encoding="utf-8").replace("[...]", "[]")
    return [json.loads(found) for found in _EXAMPLE.findall(text)]


def with_contract_parameters(path: str) -> str:
    """Return the path with all parameters renamed to ``{id}``, as in the contract."""
    return re.sub(r"\{\w+\}", "{id}", path)
