"""The API keys of all accounts, for admins (decisions 8.3)."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import StrictBool

from amarevents import errors
from amarevents.models import ApiKey, User
from amarevents.models.db.sql import is_in, sql
from amarevents.models.enums import KeyType
from amarevents.resolvers.accounts.api_keys import ApiKeyView, RevokedView, revoke, with_limits
from amarevents.resolvers.core.ids import ApiKeyId
from amarevents.resolvers.core.inputs import Id, RecordId
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.pagination import Page, Paging, load_page
from amarevents.resolvers.core.select import Select, by_id, whole
from amarevents.resolvers.core.sorting import NEWEST_FIRST
from amarevents.resolvers.core.sources import Source
from amarevents.security.context import Context
from amarevents.security.policy import ADMINS, Scope, allow


@dataclass(slots=True, kw_only=True)
class AccountApiKeyView(ApiKeyView):
    """An API key with the account that it belongs to."""

    user_id: RecordId
    """The ID of the account that the key belongs to."""
    username: str
    """The username of the account that the key belongs to."""


_KEYS = Select(
    Source(
        AccountApiKeyView,
        "api_keys",
        joins={"users": "JOIN users ON users.id = api_keys.user_id"},
        later=("rate_limit",),
        username="users.username",
    )
)


class ListAllApiKeys(Paging):
    """A page of API keys, filtered by account, type and activity."""

    user_id: Id | None = None
    """Return only the keys of the account with this ID."""
    active: StrictBool | None = None
    """True returns only keys that are neither suspended nor revoked, false only keys that are."""
    key_type: KeyType | None = None
    """Return only keys of this type."""


@operation(allow(*ADMINS, scope=Scope.ADMIN))
async def list_all_api_keys(ctx: Context, data: ListAllApiKeys) -> Page[AccountApiKeyView]:
    """List the API keys of all accounts, including revoked keys, newest first."""
    conditions = data.model_dump(include={"user_id", "key_type"}, exclude_none=True)
    if data.active is not None:
        conditions["is_active"] = data.active
    rows = _KEYS.where(*(sql(f"api_keys.{name} = ?", value) for name, value in conditions.items()))
    page = await load_page(whole(ctx), rows, data, depends_on=(ApiKey, User), order=NEWEST_FIRST)
    with_limits(page.items, ctx.services.settings)
    return page


async def load_all_api_keys(ctx: Context, ids: Sequence[int]) -> dict[int, AccountApiKeyView]:
    """Return API keys of any account, by ID, in one statement; none to callers who may not list them."""
    if list_all_api_keys.policy.refusal(ctx.principal):
        return {}
    return by_id(with_limits(await _KEYS.where(is_in("api_keys.id", ids)).fetch(), ctx.services.settings))


@operation(allow(*ADMINS, scope=Scope.ADMIN), changes=(ApiKey,), raises=(errors.NotFound,))
async def force_revoke_api_key(ctx: Context, id: ApiKeyId) -> RevokedView:
    """Revoke an API key of any account permanently."""
    key = await ApiKey.get_or_none(id=id)
    if key is None:
        raise errors.NotFound("API key")
    return await revoke(ctx, key)
