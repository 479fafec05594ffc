"""Who may call a route, as labels beside its title: ``x-badges`` of an operation."""

from amarevents.models.enums import KeyType
from amarevents.security.policy import Policy


def badges(policy: Policy) -> list[dict[str, str]]:
    """The key types of the contract's badges and the scope (decisions 2.6), or that it is public."""
    if policy.is_public:
        return [{"name": "public", "color": _COLORS["public"]}]
    shown = [{"name": str(kind), "color": _COLORS[kind]} for kind in KeyType if kind in policy.key_types]
    return shown if policy.scope is None else [*shown, {"name": str(policy.scope), "color": _COLORS["scope"]}]


# Dark enough for white letters.
_COLORS = {
    "public": "#4b5563",
    KeyType.USER: "#1d4ed8",
    KeyType.ORGANIZER: "#0f766e",
    KeyType.ADMIN: "#b91c1c",
    "scope": "#6d28d9",
}
