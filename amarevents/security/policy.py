"""Scopes, principals and policies: who may call which operation (decisions 2).

Every operation declares one policy, which names the key types (the "badges" of the contract) and the scope that it
requires. Rules about single rows, such as who owns an event, are in ``resolvers.core.permissions``. This module
depends on neither a surface nor the database.
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from amarevents import errors
from amarevents.models.enums import AccountType, AnyCaseEnum, KeyType


class Scope(AnyCaseEnum):
    """A permission of an API key."""

    EVENTS_READ = "events:read"
    """View the private events that the account can see. Public events need no permission."""
    EVENTS_WRITE = "events:write"
    """Create and update events. Create, update and delete their ticket types, custom fields and gallery images."""
    EVENTS_DELETE = "events:delete"
    """Delete events with everything that belongs to them."""
    TICKETS_READ = "tickets:read"
    """View and verify tickets, view event statistics, and subscribe to changes of both."""
    TICKETS_WRITE = "tickets:write"
    """Register for events, update tickets, approve and reject payments, and check in attendees."""
    TICKETS_DELETE = "tickets:delete"
    """Delete tickets."""
    ORGANIZATIONS_READ = "organizations:read"
    """View organizations. They are public, so no operation requires this permission."""
    ORGANIZATIONS_WRITE = "organizations:write"
    """Update the organizations of the account. Admins can create organizations and update all of them."""
    DONATIONS_READ = "donations:read"
    """View donations to the organizations of the account. Admins can view all donations."""
    DONATIONS_WRITE = "donations:write"
    """Verify and reject donations to the organizations of the account. Admins can do so for all donations."""
    USERS_READ = "users:read"
    """View the profile, organizations and API keys of the account."""
    USERS_WRITE = "users:write"
    """Update the profile of the account."""
    ADMIN = "admin"
    """Manage accounts, API keys, plans and donations. View all events, outgoing emails and platform statistics."""
    EVERYTHING = "*"
    """All permissions."""


_USER_SCOPES = frozenset(
    {Scope.EVENTS_READ, Scope.TICKETS_READ, Scope.TICKETS_WRITE, Scope.USERS_READ, Scope.USERS_WRITE}
)
_ORGANIZER_SCOPES = frozenset(Scope) - {Scope.USERS_WRITE, Scope.ADMIN, Scope.EVERYTHING}

ALLOWED_SCOPES: dict[KeyType, frozenset[Scope]] = {
    KeyType.USER: _USER_SCOPES,
    KeyType.ORGANIZER: _ORGANIZER_SCOPES,
    KeyType.ADMIN: frozenset(Scope),
}
"""The scopes that a key of each type may have: the permission table of the contract."""


def sort_scopes(scopes: Iterable[Scope]) -> list[Scope]:
    """Return the scopes without duplicates, in the order of the contract's table."""
    held = set(scopes)
    return [scope for scope in Scope if scope in held]


def default_scopes(key_type: KeyType) -> list[Scope]:
    """Return all scopes that a key type may have; for admin keys, only the wildcard (decisions 2.5)."""
    return [Scope.EVERYTHING] if key_type is KeyType.ADMIN else sort_scopes(ALLOWED_SCOPES[key_type])


def expand_wildcard(scopes: Iterable[Scope]) -> frozenset[Scope]:
    """Return the scopes with the wildcard replaced by all scopes, so that sets can be compared."""
    held = frozenset(scopes)
    return frozenset(Scope) if Scope.EVERYTHING in held else held


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The account of a principal (decisions 2.4)."""

    id: int
    username: str
    email: str
    number: str
    type: AccountType
    admin: bool
    email_confirmed: bool

    @property
    def key_types(self) -> frozenset[KeyType]:
        """The key types that this account may create, and that its sessions act as (decisions 2.5, 2.6)."""
        if self.admin:
            return frozenset(KeyType)
        if self.type is AccountType.ORGANIZER:
            return frozenset({KeyType.USER, KeyType.ORGANIZER})
        return frozenset({KeyType.USER})

    @property
    def role(self) -> KeyType:
        """The highest key type that this account may create."""
        return max(self.key_types, key=lambda key_type: key_type.rank)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The caller of a request: anonymous, a session or an API key (decisions 2.1).

    ``key_types`` are the key types that it may act as. ``permissions`` are its scopes as granted, ``scopes`` the same
    with the wildcard expanded.
    """

    account: Account | None = None
    key_types: frozenset[KeyType] = frozenset()
    scopes: frozenset[Scope] = frozenset()
    key_id: int | None = None
    key_expires_at: datetime.datetime | None = None
    permissions: tuple[Scope, ...] = field(default=())
    session_id: int | None = None

    @property
    def is_anonymous(self) -> bool:
        return self.account is None

    @property
    def is_key(self) -> bool:
        return self.key_id is not None

    @property
    def highest_key_type(self) -> KeyType:
        """The type of the key, or the highest type that a session acts as."""
        return max(self.key_types, key=lambda key_type: key_type.rank)

    def may_act_as(self, key_type: KeyType) -> bool:
        return key_type in self.key_types

    def holds(self, scope: Scope) -> bool:
        return scope in self.scopes

    def require_account(self) -> Account:
        """Return the account of the caller. Raises Unauthenticated for an anonymous one."""
        if self.account is None:
            raise errors.Unauthenticated
        return self.account


ANONYMOUS = Principal()


def session_principal(account: Account, session_id: int) -> Principal:
    """Return the principal of a session (decisions 2.9).

    It holds all scopes that its account's highest key type may have, and users:write.
    """
    permissions, scopes = _held((*default_scopes(account.role), Scope.USERS_WRITE))
    return Principal(
        account=account,
        key_types=account.key_types,
        scopes=scopes,
        permissions=permissions,
        session_id=session_id,
    )


@lru_cache(1000)
def _held(permissions: tuple[str, ...]) -> tuple[tuple[Scope, ...], frozenset[Scope]]:
    """Return the permissions in order, and the same as scopes; principals with the same ones share both."""
    held = sort_scopes(Scope(permission) for permission in permissions)
    return tuple(held), expand_wildcard(held)


def key_principal(
    account: Account,
    key_id: int,
    key_type: KeyType,
    permissions: Iterable[str],
    expires_at: datetime.datetime | None = None,
) -> Principal:
    """Return the principal of an API key.

    Raises RoleLost if the account may no longer have keys of this type (decisions 2.4).
    """
    if key_type not in account.key_types:
        raise errors.RoleLost(key_type)
    held, scopes = _held(tuple(permissions))
    return Principal(
        account=account,
        key_types=frozenset({key_type}),
        scopes=scopes,
        permissions=held,
        key_id=key_id,
        key_expires_at=expires_at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The key types and the scope that an operation requires; ``PUBLIC`` requires neither.

    ``without_scope`` are those of the key types that do not need the scope.
    """

    key_types: frozenset[KeyType] = frozenset()
    scope: Scope | None = None
    without_scope: frozenset[KeyType] = frozenset()

    @property
    def is_public(self) -> bool:
        return not self.key_types

    def check(self, principal: Principal) -> None:
        """Raise Unauthenticated, WrongKeyType or MissingScope if the principal may not call the operation."""
        refusal = self.refusal(principal)
        if refusal is not None:
            raise refusal

    def refusal(self, principal: Principal) -> errors.AmarEventsError | None:
        """Return the error that ``check`` would raise, or None if the principal may call the operation."""
        if self.is_public:
            return None
        if principal.is_anonymous:
            return errors.Unauthenticated()
        if not self.key_types & principal.key_types:
            return errors.WrongKeyType([key_type for key_type in KeyType if key_type in self.key_types])
        needs_scope = not principal.key_types <= self.without_scope
        if self.scope is not None and needs_scope and not principal.holds(self.scope):
            return errors.MissingScope(self.scope)
        return None


PUBLIC = Policy()


def allow(*key_types: KeyType, scope: Scope | None, without_scope: Iterable[KeyType] = ()) -> Policy:
    """Return a policy for these key types; ``scope=None`` states explicitly that no scope is required."""
    if not key_types:
        raise ValueError("Pass at least one key type, or use PUBLIC")
    return Policy(key_types=frozenset(key_types), scope=scope, without_scope=frozenset(without_scope))


USERS = (KeyType.USER, KeyType.ORGANIZER, KeyType.ADMIN)
ORGANIZERS = (KeyType.ORGANIZER, KeyType.ADMIN)
ADMINS = (KeyType.ADMIN,)
