"""What a new or changed API key may have: its type and permissions, limited by those of the caller (decisions 2.5)."""

from amarevents import errors
from amarevents.models.enums import KeyType
from amarevents.security.policy import ALLOWED_SCOPES, Principal, Scope, default_scopes, expand_wildcard, sort_scopes


def require_allowed_type(principal: Principal, key_type: KeyType) -> None:
    """Raise WrongKeyType or KeyTooPowerful if the caller may not create keys of the type."""
    allowed = principal.require_account().key_types
    if key_type not in allowed:
        raise errors.WrongKeyType([one for one in KeyType if one in allowed], "This account can only have keys of")
    if key_type.rank > principal.highest_key_type.rank:
        raise errors.KeyTooPowerful(f"A key of type {principal.highest_key_type} cannot create {key_type} keys")


def choose_permissions(principal: Principal, key_type: KeyType, requested: list[Scope] | None) -> list[Scope]:
    """Return the permissions of a new key: those requested, or the default. Raises ValidationFailed, KeyTooPowerful."""
    if requested is None:
        return _default_permissions(principal, key_type)
    require_allowed_permissions(principal, key_type, requested)
    return sort_scopes(requested)


def _default_permissions(principal: Principal, key_type: KeyType) -> list[Scope]:
    """Return all permissions of the type or, if a key creates the key, those that it has as well (decisions 2.5)."""
    defaults = default_scopes(key_type)
    if not principal.is_key or expand_wildcard(defaults) <= principal.scopes:
        return defaults
    return sort_scopes(expand_wildcard(defaults) & principal.scopes)


def require_allowed_permissions(principal: Principal, key_type: KeyType, permissions: list[Scope]) -> None:
    """Raise ValidationFailed or KeyTooPowerful if the caller may not give a key of the type these permissions."""
    foreign = [scope for scope in sort_scopes(permissions) if scope not in ALLOWED_SCOPES[key_type]]
    if foreign:
        raise errors.ValidationFailed({"permissions": f"{key_type} keys cannot have {', '.join(foreign)}"})
    missing = expand_wildcard(permissions) - principal.scopes
    if principal.is_key and missing:
        raise errors.KeyTooPowerful(f"The key you are calling with does not have {', '.join(sort_scopes(missing))}")
