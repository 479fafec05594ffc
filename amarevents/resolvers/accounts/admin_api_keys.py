"""The API keys of all accounts, for admins (decisions 8.3)."""

from dataclasses import dataclass
from typing import Any

from amarevents import errors
from amarevents.models import ApiKey, User
from amarevents.models.enums import KeyType
from amarevents.resolvers.accounts.api_keys import ApiKeyView, RevokedView, api_key_fields, revoke
from amarevents.resolvers.core.ids import ApiKeyId
from amarevents.resolvers.core.inputs import Flag, Id, RecordId
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.pagination import Page, Paging, load_page
from amarevents.security.context import Context
from amarevents.security.policy import ADMINS, Scope, allow


@dataclass(slots=True, kw_only=True)
class AccountApiKeyView(ApiKeyView):
    """A key and whose it is."""

    user_id: RecordId
    """The id of the account that it belongs to."""
    username: str
    """The account's name, of 3 to 50 characters; no two differ in case alone."""


class ListAllApiKeys(Paging):
    """``active``: whether the key is neither suspended nor revoked."""

    user_id: Id | None = None
    """The id of the account that it belongs to."""
    active: Flag | None = None
    """Whether the key is neither suspended nor revoked: 1 or 0."""
    key_type: KeyType | None = None
    """What the key may be used for at most."""


@operation(allow(*ADMINS, scope=Scope.ADMIN))
async def list_all_api_keys(ctx: Context, data: ListAllApiKeys) -> Page[AccountApiKeyView]:
    """The keys of all accounts, newest first, revoked ones included."""
    conditions: dict[str, Any] = data.model_dump(include={"user_id", "key_type"}, exclude_none=True)
    if data.active is not None:
        conditions["is_active"] = data.active
    rows = ApiKey.filter(**conditions).select_related("user").order_by("-id")

    def view(row: ApiKey) -> AccountApiKeyView:
        fields = api_key_fields(row, ctx.services.settings)
        return AccountApiKeyView(**fields, user_id=RecordId(row.user_id), username=row.user.username)

    return await load_page(ctx, rows, data, depends_on=(ApiKey, User), view=view)


@operation(allow(*ADMINS, scope=Scope.ADMIN), changes=(ApiKey,), raises=(errors.NotFound,))
async def force_revoke_api_key(ctx: Context, id: ApiKeyId) -> RevokedView:
    """Revoke anybody's key for good."""
    key = await ApiKey.get_or_none(id=id)
    if key is None:
        raise errors.NotFound("API key")
    return await revoke(ctx, key)
