"""API keys: what an account may mint, see, change and revoke (decisions 2.2, 2.5, 8.3)."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.models import ApiKey, User
from amarevents.models.enums import KeyType
from amarevents.resolvers.core.ids import ApiKeyId
from amarevents.resolvers.core.inputs import DateTime, Expiry, Input, Name, NotNull, RecordId
from amarevents.resolvers.core.operation import operation
from amarevents.security.auth.api_keys import generate_key
from amarevents.security.context import Context
from amarevents.security.policy import (
    ALLOWED_SCOPES,
    USERS,
    Principal,
    Scope,
    allow,
    default_scopes,
    expand_wildcard,
    sort_scopes,
)
from amarevents.security.rate_limit.quotas import key_creation_quota, key_limit
from amarevents.settings import Settings

MAX_KEYS = 100
"""How many unrevoked keys an account may have: each has a rate limit of its own."""


@dataclass(slots=True, kw_only=True)
class ApiKeyView:
    """A key without its secret: ``key_prefix`` tells it from others, ``rate_limit`` is in requests a minute."""

    id: RecordId
    """The integer that names it in paths and in other fields."""
    name: str
    """The name that people read."""
    key_prefix: str
    """The first 12 characters of the raw key, to tell it from others."""
    key_type: KeyType
    """What the key may be used for at most."""
    permissions: list[Scope]
    """What the key may do."""
    rate_limit: int | None
    """How many requests a minute it may send; null is unlimited."""
    is_active: bool
    """False while the key is suspended, and for good once it is revoked; `expires_at` is apart from it."""
    expires_at: DateTime | None
    """When the key ends, in UTC; null if it does not."""
    last_used_at: DateTime | None
    """When the key was last used, up to a minute late; null if never."""
    created_at: DateTime
    """When it was created, in UTC."""


@dataclass(slots=True, kw_only=True)
class CreatedApiKeyView(ApiKeyView):
    """A new key. ``key`` is the raw key, shown this once; null where an Idempotency-Key repeats the answer."""

    key: Annotated[str | None, Field(exclude=True)] = None
    """The raw key, shown this once; null where an `Idempotency-Key` repeats the answer."""


@dataclass(slots=True, kw_only=True)
class RevokedView:
    """The result of revoking an API key."""

    id: RecordId
    """The ID of the API key."""
    revoked: bool
    """Always true: the key cannot be used any more."""


def api_key_view(key: ApiKey, settings: Settings) -> ApiKeyView:
    return ApiKeyView(**api_key_fields(key, settings))


def api_key_fields(key: ApiKey, settings: Settings) -> dict[str, Any]:  # Any: each field's own type
    """The fields of ApiKeyView."""
    return {
        "id": key.id,
        "name": key.name,
        "key_prefix": key.key_prefix,
        "key_type": key.key_type,
        "permissions": [Scope(permission) for permission in key.permissions],
        "rate_limit": key_limit(key.key_type, settings) or None,
        "is_active": key.is_active,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "created_at": key.created_at,
    }


@operation(allow(*USERS, scope=Scope.USERS_READ))
async def list_api_keys(ctx: Context) -> list[ApiKeyView]:
    """The account's keys, newest first, revoked ones included."""
    account_id = ctx.principal.require_account().id
    return (await load_account_keys(ctx, [account_id]))[account_id]


async def load_account_keys(ctx: Context, account_ids: Sequence[int]) -> dict[int, list[ApiKeyView]]:
    """The keys of accounts, newest first, by account, in one statement."""
    keys: dict[int, list[ApiKeyView]] = {account_id: [] for account_id in account_ids}
    for key in await ApiKey.filter(user_id__in=list(account_ids)).order_by("-id"):
        keys[key.user_id].append(api_key_view(key, ctx.services.settings))
    return keys


async def load_key_owners(ctx: Context, key_ids: Sequence[int]) -> dict[int, int]:
    """The ids of the accounts whose keys these are, by key, in one statement."""
    return dict(await ApiKey.filter(id__in=list(key_ids)).values_list("id", "user_id"))


class CreateApiKey(Input):
    """A new key. Without ``permissions`` it holds all that its type may hold."""

    name: Name
    """The name that people read."""
    key_type: KeyType
    """What the key may be used for at most."""
    permissions: list[Scope] | None = None
    """What the key may do; without them, all that its type may hold."""
    expires_at: Expiry | None = None
    """When the key ends: an instant, or a date, which ends at 00:00 UTC of that day; in the future. Without one it does
    not end."""


@operation(
    allow(*USERS, scope=None),
    creates=True,
    changes=(ApiKey,),
    raises=(errors.WrongKeyType, errors.KeyTooPowerful, errors.TooManyKeys, errors.ValidationFailed),
)
async def create_api_key(ctx: Context, data: CreateApiKey) -> CreatedApiKeyView:
    """Mint a key no more powerful than the caller. The raw key is in this answer and never again.

    It ends no later than the calling key does."""
    _require_type(ctx.principal, data.key_type)
    permissions = _permissions(ctx.principal, data)
    expires_at = _expiry(ctx, data)
    await _charge_minting(ctx)
    minted = generate_key(data.key_type)
    async with in_transaction():
        account_id = await _lock_for_one_more(ctx.principal.require_account().id)
        key = await ApiKey.create(
            user_id=account_id,
            name=data.name,
            key_type=data.key_type,
            permissions=[str(scope) for scope in permissions],
            digest=minted.digest,
            key_prefix=minted.prefix,
            expires_at=expires_at,
        )
    return CreatedApiKeyView(**api_key_fields(key, ctx.services.settings), key=minted.raw)


async def _charge_minting(ctx: Context) -> None:
    """Raises RateLimited: keys made and revoked again and again would be a way around the limit of each."""
    verdict = await ctx.services.limiter.charge(key_creation_quota(ctx.principal.require_account().id))
    if not verdict.allowed:
        raise errors.RateLimited(verdict.retry_after)


async def _lock_for_one_more(account_id: int) -> int:
    """Keep other creations waiting until this one has been counted. Raises TooManyKeys, or Unauthenticated."""
    if await User.filter(id=account_id).select_for_update().get_or_none() is None:
        raise errors.Unauthenticated  # it has been deleted meanwhile
    if await ApiKey.filter(user_id=account_id, revoked_at__isnull=True).count() >= MAX_KEYS:
        raise errors.TooManyKeys(MAX_KEYS)
    return account_id


def _expiry(ctx: Context, data: CreateApiKey) -> datetime.datetime | None:
    """As asked for, in the future; a key that ends makes none that outlives it."""
    if data.expires_at is not None and data.expires_at <= ctx.now:
        raise errors.ValidationFailed({"expires_at": "must lie in the future"})
    latest = ctx.principal.key_expires_at
    if latest is not None and data.expires_at is not None and data.expires_at > latest:
        raise errors.KeyTooPowerful("The calling key expires before the key that it is to create")
    return data.expires_at or latest


def _require_type(principal: Principal, key_type: KeyType) -> None:
    allowed = principal.require_account().key_types
    if key_type not in allowed:
        raise errors.WrongKeyType([one for one in KeyType if one in allowed], "This account may only have keys of")
    if key_type.rank > principal.highest_key_type.rank:
        raise errors.KeyTooPowerful(f"A {principal.highest_key_type} key cannot create {key_type} keys")


def _permissions(principal: Principal, data: CreateApiKey) -> list[Scope]:
    if data.permissions is None:
        return _inherited(principal, data.key_type)
    _require_within(principal, data.key_type, data.permissions)
    return sort_scopes(data.permissions)


def _inherited(principal: Principal, key_type: KeyType) -> list[Scope]:
    """All that the type may hold or, created with a key, what of it that key holds (decisions 2.5)."""
    defaults = default_scopes(key_type)
    if not principal.is_key or expand_wildcard(defaults) <= principal.scopes:
        return defaults
    return sort_scopes(expand_wildcard(defaults) & principal.scopes)


def _require_within(principal: Principal, key_type: KeyType, permissions: list[Scope]) -> None:
    foreign = [scope for scope in sort_scopes(permissions) if scope not in ALLOWED_SCOPES[key_type]]
    if foreign:
        raise errors.ValidationFailed({"permissions": f"{key_type} keys cannot hold {', '.join(foreign)}"})
    missing = expand_wildcard(permissions) - principal.scopes
    if principal.is_key and missing:
        raise errors.KeyTooPowerful(f"The calling key does not itself hold {', '.join(sort_scopes(missing))}")


class UpdateApiKey(Input):
    """What of a key can change. ``is_active`` suspends and resumes it."""

    name: NotNull[Name] = None
    """The name that people read."""
    permissions: NotNull[list[Scope]] = None
    """What the key may do."""
    is_active: NotNull[Annotated[bool, Field(strict=True)]] = None
    """False while the key is suspended, and for good once it is revoked; `expires_at` is apart from it."""


@operation(
    allow(*USERS, scope=None),
    changes=(ApiKey,),
    raises=(errors.NotFound, errors.KeyTooPowerful, errors.KeyIsRevoked, errors.ValidationFailed),
)
async def update_api_key(ctx: Context, id: ApiKeyId, data: UpdateApiKey) -> ApiKeyView:
    """Rename a key, change what it may do, suspend or resume it."""
    key = await _get_own_key(ctx, id)
    if key.revoked_at is not None:
        raise errors.KeyIsRevoked
    if data.permissions is not None:
        _require_within(ctx.principal, key.key_type, data.permissions)
        _require_no_longer_lived(ctx.principal, key)
    changes = data.changed_fields()
    if data.permissions is not None:
        changes["permissions"] = [str(scope) for scope in sort_scopes(data.permissions)]
    if changes and not await ApiKey.filter(id=key.id, revoked_at__isnull=True).update(**changes):
        raise errors.KeyIsRevoked
    key.update_from_dict(changes)
    return api_key_view(key, ctx.services.settings)


@operation(allow(*USERS, scope=None), changes=(ApiKey,), raises=(errors.NotFound, errors.KeyTooPowerful))
async def revoke_api_key(ctx: Context, id: ApiKeyId) -> RevokedView:
    """Revoke a key for good."""
    return await revoke(ctx, await _get_own_key(ctx, id))


async def revoke(ctx: Context, key: ApiKey) -> RevokedView:
    """A key that is revoked already stays so."""
    await ApiKey.filter(id=key.id, revoked_at__isnull=True).update(revoked_at=ctx.now, is_active=False)
    return RevokedView(id=RecordId(key.id), revoked=True)


def _require_no_longer_lived(principal: Principal, key: ApiKey) -> None:
    """A key that ends lends nothing to one that outlives it."""
    latest = principal.key_expires_at
    if latest is not None and (key.expires_at is None or key.expires_at > latest):
        raise errors.KeyTooPowerful("The calling key expires before the key whose permissions it is to change")


async def _get_own_key(ctx: Context, key_id: int) -> ApiKey:
    """A key of the caller's account that is no more powerful than the calling key (decisions 2.5)."""
    key = await ApiKey.get_or_none(id=key_id, user_id=ctx.principal.require_account().id)
    if key is None:
        raise errors.NotFound("API key")
    if ctx.principal.is_key and _is_stronger(key, ctx.principal):
        raise errors.KeyTooPowerful("This key is more powerful than the one you are calling with")
    return key


def _is_stronger(key: ApiKey, principal: Principal) -> bool:
    held = expand_wildcard(Scope(permission) for permission in key.permissions)
    return key.key_type.rank > principal.highest_key_type.rank or not held <= principal.scopes
