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
    elif context.credential is None:
        set_address_quota(context)


def set_session_quota(context: Context) -> None:
    """Set the budget of the session's account, or that of the address for an unknown or expired session."""
    account = context.principal.account
    if account is None:
        set_address_quota(context)
    else:
        context.set_quota(account.role, quotas.session_quota(account, context.services.settings))


def set_account_quota(context: Context) -> None:
    """Add the budget that all keys of the account share, which is known once the key has been looked up."""
    account = context.principal.require_account()
    context.account_quota = quotas.account_quota(account, context.services.settings)


def set_address_quota(context: Context) -> None:
    """Set the budget of the client's address, for anonymous requests and bad credentials."""
    context.set_quota(None, quotas.anonymous_quota(context.address, context.services.settings))
