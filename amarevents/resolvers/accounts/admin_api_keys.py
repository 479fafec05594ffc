"""The API keys of all accounts, for admins (decisions 8.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

from pydantic import StrictBool

from amarevents import errors
from amarevents.models import ApiKey, User
from amarevents.models.enums import KeyType
from amarevents.resolvers.accounts.api_keys import ApiKeyView, RevokedView, revoke
from amarevents.resolvers.core.ids import ApiKeyId
from amarevents.resolvers.core.inputs import Id, RecordId
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.pagination import Page, Paging, load_page
from amarevents.resolvers.core.views import extend
from amarevents.security.context import Context
from amarevents.security.policy import ADMINS, Scope, allow
from amarevents.settings import Settings


@dataclass(slots=True, kw_only=True)
class AccountApiKeyView(ApiKeyView):
    """An API key with the account that it belongs to."""

    user_id: RecordId
    """The ID of the account that the key belongs to."""
    username: str
    """The username of the account that the key belongs to."""

    @classmethod
    def from_model(cls, key: ApiKey, settings: Settings) -> Self:
        """Return the view of an API key whose account has been loaded."""
        added = partial(cls, user_id=RecordId(key.user_id), username=key.user.username)
        return extend(ApiKeyView.from_model(key, settings), to=added)


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
    rows = ApiKey.filter(**conditions).select_related("user").order_by("-id")
    view = partial(AccountApiKeyView.from_model, settings=ctx.services.settings)
    return await load_page(ctx, rows, data, depends_on=(ApiKey, User), view=view)


async def load_all_api_keys(ctx: Context, ids: Sequence[int]) -> dict[int, AccountApiKeyView]:
    """Return API keys of any account, by ID, in one statement; none to callers who may not list them."""
    if list_all_api_keys.policy.refusal(ctx.principal):
        return {}
    rows = await ApiKey.filter(id__in=list(ids)).select_related("user")
    return {row.id: AccountApiKeyView.from_model(row, ctx.services.settings) for row in rows}


@operation(allow(*ADMINS, scope=Scope.ADMIN), changes=(ApiKey,), raises=(errors.NotFound,))
async def force_revoke_api_key(ctx: Context, id: ApiKeyId) -> RevokedView:
    """Revoke an API key of any account permanently."""
    key = await ApiKey.get_or_none(id=id)
    if key is None:
        raise errors.NotFound("API key")
    return await revoke(ctx, key)
