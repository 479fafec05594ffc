"""What an example is."""

from dataclasses import dataclass, field
from typing import Any

Line = tuple[str, str]
"""A route's method and path."""

Values = dict[str, Any]  # Any: JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One request to a route and the ``data`` of its answer. ``body`` is None where the route takes none."""

    data: Any  # JSON
    path: Values = field(default_factory=dict)
    query: Values = field(default_factory=dict)
    body: Values | None = None
