"""The caller's API keys."""

import strawberry

from amarevents.resolvers.accounts import api_keys as operations
from amarevents.schema.core.context import Info
from amarevents.schema.core.fields import mutation, query
from amarevents.schema.core.object_types import object_type
from amarevents.schema.types.accounts import account_edge


async def _find_owner_id(key: operations.ApiKeyView, info: Info) -> int:
    return await info.context.require(operations.load_key_owners, key.id, "API key")


@object_type
class ApiKey(operations.ApiKeyView):
    owner = account_edge(_find_owner_id, "The account that owns the API key.")


@object_type
class CreatedApiKey(operations.CreatedApiKeyView):
    pass


@object_type
class Revocation(operations.RevokedView):
    """The result of revoking an API key."""


@strawberry.type
class ApiKeyQuery:
    api_keys = query(operations.list_api_keys, list[ApiKey])


@strawberry.type
class ApiKeyMutation:
    create_api_key = mutation(operations.create_api_key, CreatedApiKey)
    update_api_key = mutation(operations.update_api_key, ApiKey)
    revoke_api_key = mutation(operations.revoke_api_key, Revocation)
