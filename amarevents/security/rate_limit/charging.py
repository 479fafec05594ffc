"""The budget that a request is charged to: its API key's, its account's or its address's (decisions 3.1, 3.3, 3.4)."""

from amarevents.security.auth.api_keys import ParsedKey
from amarevents.security.context import Context
from amarevents.security.rate_limit import quotas


def set_credential_quota(context: Context) -> None:
    """Set the budget of an API key or of an anonymous request; leave that of a session unset.

    The account of a session is not known before its look-up.
    """
    settings = context.services.settings
    if isinstance(context.credential, ParsedKey):
        context.set_quota(context.credential.key_type, quotas.key_quota(context.credential, settings))
        account_id = context.services.key_accounts.find(context.credential.digest)
        if account_id is not None:
            context.account_quota = quotas.account_quota(account_id, settings)
    elif context.credential is None:
        set_address_quota(context)


def set_session_quota(context: Context) -> None:
    """Set the budget of the session's account, or that of the address for an unknown or expired session."""
    account = context.principal.account
    if account is None:
        set_address_quota(context)
    else:
        context.set_quota(account.role, quotas.session_quota(account, context.services.settings))


async def charge_account_of(context: Context, key: ParsedKey, *, charge: bool) -> None:
    """Charge the account of a key that has just been looked up, unless it was charged with the key. Raises RateLimited.

    Without ``charge``, only set its budget.
    """
    account = context.principal.require_account()
    context.services.key_accounts.remember(key.digest, account.id)
    if context.account_quota is None:
        context.account_quota = quotas.account_quota(account.id, context.services.settings)
        if charge:
            await context.charge_account()


def set_address_quota(context: Context) -> None:
    """Set the budget of the client's address, for anonymous requests and bad credentials."""
    context.set_quota(None, quotas.anonymous_quota(context.address, context.services.settings))
