"""API keys of the caller's account: creating, listing, changing and revoking them (decisions 2.2, 2.5, 8.3)."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, TypeVar

from pydantic import Field
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.models import ApiKey, User
from amarevents.models.db.sql import Sql, fetch, is_in, sql
from amarevents.models.enums import KeyType
from amarevents.resolvers.accounts.key_permissions import (
    choose_permissions,
    require_allowed_permissions,
    require_allowed_type,
)
from amarevents.resolvers.core.ids import ApiKeyId
from amarevents.resolvers.core.inputs import DateTime, Expiry, Input, NotNull, RecordId
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.pagination import Page, WholeListPaging, load_page
from amarevents.resolvers.core.select import Select, whole
from amarevents.resolvers.core.sorting import NEWEST_FIRST
from amarevents.resolvers.core.sources import Source
from amarevents.resolvers.core.text_types import Name
from amarevents.resolvers.core.views import extend
from amarevents.security.auth.api_keys import generate_key
from amarevents.security.context import Context
from amarevents.security.policy import (
    USERS,
    Principal,
    Scope,
    allow,
    expand_wildcard,
    sort_scopes,
)
from amarevents.security.rate_limit.quotas import key_creation_quota, key_limit
from amarevents.settings import Settings

MAX_KEYS = 100
"""The maximum number of keys per account that are not revoked, because each key has a rate limit of its own."""


@dataclass(slots=True, kw_only=True)
class ApiKeyView:
    """An API key, without the key itself."""

    id: RecordId
    """The ID of the API key."""
    name: str
    """The name of the API key."""
    key_prefix: str
    """The first 12 characters of the key, which identify it without revealing it."""
    key_type: KeyType
    """The type of the key, which limits the permissions that it can have."""
    permissions: list[Scope]
    """The permissions of the key."""
    rate_limit: int | None
    """The number of requests per minute that the key is allowed; null if it is unlimited."""
    is_active: bool
    """False while the key is suspended and after it has been revoked. It is not affected by expiration."""
    expires_at: DateTime | None
    """When the key expires, in UTC; null if it does not expire."""
    last_used_at: DateTime | None
    """When the key was last used, in UTC, updated at most once a minute; null if it has not been used."""
    created_at: DateTime
    """When the key was created, in UTC."""


KeyT = TypeVar("KeyT", bound=ApiKeyView)

_KEYS = Select(Source(ApiKeyView, "api_keys", later=("rate_limit",)))
_NEWEST_FIRST = _KEYS.order_by("api_keys.id", descending=True)


def with_limits(keys: list[KeyT], settings: Settings) -> list[KeyT]:
    """Return keys with their rate limits, which depend on the settings alone."""
    for key in keys:
        key.permissions = [Scope(permission) for permission in key.permissions]
        key.rate_limit = key_limit(key.key_type, settings) or None
    return keys


async def load_api_keys(ctx: Context, condition: Sql) -> list[ApiKeyView]:
    """Return the API keys that meet a condition, newest first, in one statement."""
    return with_limits(await _NEWEST_FIRST.where(condition).fetch(), ctx.services.settings)


async def _get_key(ctx: Context, key_id: int) -> ApiKeyView:
    """Return an API key. Raises NotFound if it has been deleted."""
    found = await load_api_keys(ctx, sql("api_keys.id = ?", key_id))
    if not found:
        raise errors.NotFound("API key")
    return found[0]


@dataclass(slots=True, kw_only=True)
class CreatedApiKeyView(ApiKeyView):
    """A new API key, including the key itself, which is shown only once."""

    key: Annotated[str | None, Field(exclude=True)] = None
    """The key itself, which is shown only in this response. Null in responses that repeat it for an idempotency key."""


@dataclass(slots=True, kw_only=True)
class RevokedView:
    """The result of revoking an API key."""

    id: RecordId
    """The ID of the API key."""
    revoked: bool
    """Always true: the key can no longer be used."""


@operation(allow(*USERS, scope=Scope.USERS_READ))
async def list_api_keys(ctx: Context, data: WholeListPaging) -> Page[ApiKeyView]:
    """List the API keys of the caller's account, including revoked keys, newest first."""
    rows = _KEYS.where(sql("api_keys.user_id = ?", ctx.principal.require_account().id))
    page = await load_page(whole(ctx), rows, data, depends_on=(ApiKey,), order=NEWEST_FIRST)
    with_limits(page.items, ctx.services.settings)
    return page


async def load_account_keys(ctx: Context, account_ids: Sequence[int]) -> dict[int, list[ApiKeyView]]:
    """Return the API keys of accounts, newest first, by account ID, in one statement."""
    keys = await _NEWEST_FIRST.grouped_by("user_id", account_ids)
    for of_account in keys.values():
        with_limits(of_account, ctx.services.settings)
    return keys


async def load_key_owners(ctx: Context, key_ids: Sequence[int]) -> dict[int, int]:
    """Return the IDs of the accounts that API keys belong to, by key ID, in one statement."""
    condition = is_in("id", key_ids)
    rows = await fetch(Sql(f"SELECT id, user_id FROM api_keys WHERE {condition.text}", condition.values))
    return {row[0]: row[1] for row in rows}


class CreateApiKey(Input):
    """Fields of the API key to create."""

    name: Name
    """The name of the API key."""
    key_type: KeyType
    """The type of the key, which limits the permissions that it can have."""
    permissions: list[Scope] | None = None
    """The permissions of the key. Defaults to all permissions that keys of this type can have or, if you call with an
    API key, those of them that this key has."""
    expires_at: Expiry | None = None
    """When the key expires: an instant in the future, or a date, which means 00:00 UTC of that day. Without it, the
    key expires with the API key that you call with, or not at all."""


@operation(
    allow(*USERS, scope=None),
    creates=True,
    changes=(ApiKey,),
    raises=(
        errors.WrongKeyType,
        errors.KeyTooPowerful,
        errors.TooManyKeys,
        errors.ValidationFailed,
    ),
)
async def create_api_key(ctx: Context, data: CreateApiKey) -> CreatedApiKeyView:
    """Create an API key, which cannot be more powerful than the caller.

    The key itself is shown only in this response. A key that is created with another API key expires no later than
    that key.
    """
    require_allowed_type(ctx.principal, data.key_type)
    permissions = choose_permissions(ctx.principal, data.key_type, data.permissions)
    expires_at = _expiry(ctx, data)
    await _charge_creation(ctx)
    generated = generate_key(data.key_type)
    async with in_transaction():
        account_id = await _lock_for_one_more(ctx.principal.require_account().id)
        key = await ApiKey.create(
            user_id=account_id,
            name=data.name,
            key_type=data.key_type,
            permissions=[str(scope) for scope in permissions],
            digest=generated.digest,
            key_prefix=generated.prefix,
            expires_at=expires_at,
        )
    view = await _get_key(ctx, key.id)
    ctx.reveals_secret = True
    return extend(view, to=partial(CreatedApiKeyView, key=generated.raw))


async def _charge_creation(ctx: Context) -> None:
    """Limit the creation of keys, because each new key has a fresh rate limit. Raises RateLimited."""
    verdict = await ctx.services.limiter.charge(key_creation_quota(ctx.principal.require_account().id))
    if not verdict.allowed:
        raise errors.RateLimited(verdict.retry_after)


async def _lock_for_one_more(account_id: int) -> int:
    """Lock the account, so that its keys can be counted. Raises TooManyKeys, or Unauthenticated if it is gone."""
    if await User.filter(id=account_id).select_for_update().get_or_none() is None:
        raise errors.Unauthenticated
    if await ApiKey.filter(user_id=account_id, revoked_at__isnull=True).count() >= MAX_KEYS:
        raise errors.TooManyKeys(MAX_KEYS)
    return account_id


def _expiry(ctx: Context, data: CreateApiKey) -> datetime.datetime | None:
    """Return when the new key expires: as requested, but not later than the calling key."""
    if data.expires_at is not None and data.expires_at <= ctx.now:
        raise errors.ValidationFailed({"expires_at": "must be in the future"})
    latest = ctx.principal.key_expires_at
    if latest is not None and data.expires_at is not None and data.expires_at > latest:
        raise errors.KeyTooPowerful("The new key cannot expire later than the key you are calling with")
    return data.expires_at or latest


class UpdateApiKey(Input):
    """Fields of the API key to update; omitted fields stay unchanged."""

    name: NotNull[Name] = None
    """The name of the API key."""
    permissions: NotNull[list[Scope]] = None
    """The permissions of the key."""
    is_active: NotNull[Annotated[bool, Field(strict=True)]] = None
    """Whether the key can be used: false suspends it, true resumes it."""


@operation(
    allow(*USERS, scope=None),
    changes=(ApiKey,),
    raises=(errors.NotFound, errors.KeyTooPowerful, errors.KeyIsRevoked, errors.ValidationFailed),
)
async def update_api_key(ctx: Context, id: ApiKeyId, data: UpdateApiKey) -> ApiKeyView:
    """Rename an API key, change its permissions, suspend it or resume it."""
    key = await _get_own_key(ctx, id)
    if key.revoked_at is not None:
        raise errors.KeyIsRevoked
    changes = data.changed_fields()
    if data.permissions is not None:
        changes["permissions"] = [str(scope) for scope in sort_scopes(data.permissions)]
        if changes["permissions"] != key.permissions:
            require_allowed_permissions(ctx.principal, key.key_type, data.permissions)
            _require_earlier_expiry(ctx.principal, key)
    if changes:
        async with ctx.services.principals.changing(key.user_id):
            if not await ApiKey.filter(id=key.id, revoked_at__isnull=True).update(**changes):
                raise errors.KeyIsRevoked
    return await _get_key(ctx, key.id)


@operation(allow(*USERS, scope=None), changes=(ApiKey,), raises=(errors.NotFound, errors.KeyTooPowerful))
async def revoke_api_key(ctx: Context, id: ApiKeyId) -> RevokedView:
    """Revoke an API key permanently."""
    return await revoke(ctx, await _get_own_key(ctx, id))


async def revoke(ctx: Context, key: ApiKey) -> RevokedView:
    """Revoke an API key; a key that is revoked already is left as it is."""
    async with ctx.services.principals.changing(key.user_id):
        await ApiKey.filter(id=key.id, revoked_at__isnull=True).update(revoked_at=ctx.now, is_active=False)
    return RevokedView(id=RecordId(key.id), revoked=True)


def _require_earlier_expiry(principal: Principal, key: ApiKey) -> None:
    """Refuse that a key that expires gives permissions to a key that expires later or never."""
    latest = principal.key_expires_at
    if latest is not None and (key.expires_at is None or key.expires_at > latest):
        raise errors.KeyTooPowerful("A key cannot change the permissions of a key that expires later than itself")


async def _get_own_key(ctx: Context, key_id: int) -> ApiKey:
    """Return a key of the caller's account that is not more powerful than the calling key (decisions 2.5)."""
    key = await ApiKey.get_or_none(id=key_id, user_id=ctx.principal.require_account().id)
    if key is None:
        raise errors.NotFound("API key")
    if ctx.principal.is_key and _is_more_powerful(key, ctx.principal):
        raise errors.KeyTooPowerful("This key is more powerful than the one you are calling with")
    return key


def _is_more_powerful(key: ApiKey, principal: Principal) -> bool:
    permissions = expand_wildcard(Scope(permission) for permission in key.permissions)
    return key.key_type.rank > principal.highest_key_type.rank or not permissions <= principal.scopes
