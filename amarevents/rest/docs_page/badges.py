"""Badges that show who may call a route: the ``x-badges`` of an OpenAPI operation."""

from amarevents.models.enums import KeyType
from amarevents.security.policy import Policy


def badges(policy: Policy) -> list[dict[str, str]]:
    """Return a badge for each accepted key type and for the scope (decisions 2.6), or a single one if public."""
    if policy.is_public:
        return [{"name": "public", "color": _COLORS["public"]}]
    shown = [{"name": str(kind), "color": _COLORS[kind]} for kind in KeyType if kind in policy.key_types]
    return shown if policy.scope is None else [*shown, {"name": str(policy.scope), "color": _COLORS["scope"]}]


# Dark enough for white text.
_COLORS = {
    "public": "#4b5563",
    KeyType.USER: "#1d4ed8",
    KeyType.ORGANIZER: "#0f766e",
    KeyType.ADMIN: "#b91c1c",
    "scope": "#6d28d9",
}
