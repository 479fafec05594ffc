"""The budget that a request is charged to: its API key's, its account's or its address's (decisions 3.1, 3.3, 3.4)."""

from amarevents.models.enums import KeyType
from amarevents.security.auth.api_keys import ParsedKey
from amarevents.security.context import Context
from amarevents.security.rate_limit import quotas


def set_account_quotas(context: Context, account_id: int, role: KeyType) -> None:
    """Set the budgets of an API key and of all keys of its account, or that of the sessions of the account."""
    settings, credential = context.services.settings, context.credential
    if isinstance(credential, ParsedKey):
        context.set_quota(
            credential.key_type, quotas.key_quota(credential.digest, credential.key_type, account_id, settings)
        )
        context.account_quota = quotas.account_quota(account_id, settings)
    else:
        context.set_quota(role, quotas.session_quota(account_id, settings))
