"""API keys of the account."""

import strawberry

from amarevents.resolvers.accounts import api_keys as operations
from amarevents.resolvers.core.descriptions import public_text
from amarevents.schema.core.context import Info
from amarevents.schema.core.dataloaders import require
from amarevents.schema.core.fields import mutation, query
from amarevents.schema.types.accounts import account_edge


async def _owner_id(key: operations.ApiKeyView, info: Info) -> int:
    return await require(info.context.key_owners, key.id, "API key")


@strawberry.type(name="ApiKey", description=public_text(operations.ApiKeyView.__doc__))
class ApiKey(operations.ApiKeyView):
    owner = account_edge(_owner_id, "The account whose key it is; for that account and for admins.")


@strawberry.type(name="CreatedApiKey", description=public_text(operations.CreatedApiKeyView.__doc__))
class CreatedApiKey(operations.CreatedApiKeyView):
    pass


@strawberry.type(name="Revocation", description="A key has been revoked for good.")
class Revocation(operations.RevokedView):
    pass


@strawberry.type
class ApiKeyQuery:
    api_keys = query(operations.list_api_keys, list[ApiKey])


@strawberry.type
class ApiKeyMutation:
    create_api_key = mutation(operations.create_api_key, CreatedApiKey)
    update_api_key = mutation(operations.update_api_key, ApiKey)
    revoke_api_key = mutation(operations.revoke_api_key, Revocation)
