"""The caller's API keys."""

import strawberry

from amarevents.resolvers.accounts import api_keys as operations
from amarevents.resolvers.accounts.admin_api_keys import AccountApiKeyView, load_all_api_keys
from amarevents.resolvers.accounts.related import API_KEYS, load_keys
from amarevents.resolvers.core.inputs import RecordId
from amarevents.schema.core.context import Info
from amarevents.schema.core.edges import detail, nothing
from amarevents.schema.core.fields import mutation, query
from amarevents.schema.core.nodes import Node, node_type
from amarevents.schema.core.object_types import object_type
from amarevents.schema.types.account_edges import account_edge
from amarevents.security.policy import Principal

_FOR_ADMINS = "Visible to admins; null for others."


async def _find_owner_id(key: operations.ApiKeyView, info: Info) -> int:
    if isinstance(key, AccountApiKeyView):
        return key.user_id
    return await info.context.require(operations.load_key_owners, key.id, "API key")


async def _with_account(key: operations.ApiKeyView, info: Info) -> AccountApiKeyView | None:
    return await info.context.load(load_all_api_keys, key.id)


def _require_own_keys(principal: Principal, _key_id: int) -> None:
    API_KEYS.check(principal, principal.require_account().id)


@node_type(load_keys, require_access=_require_own_keys)
@object_type
class ApiKey(Node, operations.ApiKeyView):
    key = detail(nothing, operations.CreatedApiKeyView, "key", str | None)
    user_id = detail(_with_account, AccountApiKeyView, "user_id", RecordId | None, note=_FOR_ADMINS)
    username = detail(_with_account, AccountApiKeyView, "username", str | None, note=_FOR_ADMINS)
    owner = account_edge(_find_owner_id, "The account that owns the API key.")


@object_type
class Revocation(operations.RevokedView):
    """The result of revoking an API key."""


@strawberry.type
class ApiKeyQuery:
    api_keys = query(operations.list_api_keys, list[ApiKey])


@strawberry.type
class ApiKeyMutation:
    create_api_key = mutation(operations.create_api_key, ApiKey)
    update_api_key = mutation(operations.update_api_key, ApiKey)
    revoke_api_key = mutation(operations.revoke_api_key, Revocation)
