"""Which budget a request is charged to: its key's, its account's or its address's (decisions 3.1, 3.3, 3.4)."""

from amarevents.security.auth.api_keys import ParsedKey
from amarevents.security.context import Context
from amarevents.security.rate_limit import quotas


def set_credential_quota(context: Context) -> None:
    """Keys and addresses are known before anything is looked up; whose a session is, is not yet."""
    settings = context.services.settings
    if isinstance(context.credential, ParsedKey):
        context.set_quota(context.credential.key_type, quotas.key_quota(context.credential, settings))
    elif context.credential is None:
        set_address_quota(context)


def set_session_quota(context: Context) -> None:
    """A session's budget is its account's; a session that is none counts for the address."""
    account = context.principal.account
    if account is None:
        set_address_quota(context)
    else:
        context.set_quota(account.role, quotas.account_quota(account, context.services.settings))


def set_address_quota(context: Context) -> None:
    """For nobody in particular, and for whoever guesses keys."""
    context.set_quota(None, quotas.anonymous_quota(context.address, context.services.settings))
