"""The caller's API keys."""

import strawberry

from amarevents.resolvers.accounts import api_keys as operations
from amarevents.resolvers.accounts.admin_api_keys import AccountApiKeyView, load_all_api_keys
from amarevents.resolvers.accounts.related import API_KEYS, load_keys
from amarevents.resolvers.core.inputs import RecordId
from amarevents.schema.core.context import GraphQLContext
from amarevents.schema.core.edges import Batch, Detail, detail
from amarevents.schema.core.fields import mutation, query
from amarevents.schema.core.nodes import Node, node_type
from amarevents.schema.core.object_types import object_type
from amarevents.schema.types.account_edges import account_edge
from amarevents.security.policy import Principal


async def _find_owner_id(key: operations.ApiKeyView, context: GraphQLContext) -> int:
    if isinstance(key, AccountApiKeyView):
        return key.user_id
    return await context.require(operations.load_key_owners, key.id, "API key")


def _for_admins(name: str, returns: object) -> Detail:
    """Return a field that only the views for admins have."""
    load = Batch(load=load_all_api_keys, field=name, view=AccountApiKeyView)
    return detail(load, AccountApiKeyView, name, returns, note="Visible to admins; null for others.")


def _require_own_keys(principal: Principal, _key_id: int) -> None:
    API_KEYS.check(principal, principal.require_account().id)


@node_type(load_keys, require_access=_require_own_keys)
@object_type
class ApiKey(Node, operations.ApiKeyView):
    key = detail(None, operations.CreatedApiKeyView, "key", str | None)
    user_id = _for_admins("user_id", RecordId | None)
    username = _for_admins("username", str | None)
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
