"""The type of an example."""

from dataclasses import dataclass, field
from typing import Any

RouteKey = tuple[str, str]
"""The method and path of a route."""

Values = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A request to a route and the ``data`` of its response. ``body`` is None if the route takes none."""

    data: Any  # Any: JSON
    path: Values = field(default_factory=dict)
    query: Values = field(default_factory=dict)
    body: Values | None = None
