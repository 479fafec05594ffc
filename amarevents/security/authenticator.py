"""The authenticator: who a request comes from, and which rate limit budget it is charged to.

HTTP requests, WebSocket handshakes, the first message of a WebSocket and each operation over one are authenticated
here. Work that takes longer than that calls ``Context.reauthenticate``.

API keys and addresses are charged before any look-up, and so are the accounts of keys that were used recently; sessions
and the accounts of other keys are charged as soon as the account is known. A request with bad credentials is charged to
its address, which limits how many keys a client can guess.
"""

import contextlib
import secrets
from collections.abc import AsyncIterator, Mapping

from starlette.datastructures import Headers

from amarevents import errors
from amarevents.security.auth.api_keys import ParsedKey
from amarevents.security.auth.credentials import read_connection_params, read_credential
from amarevents.security.auth.csrf import is_foreign, may_change_state
from amarevents.security.context import Context
from amarevents.security.rate_limit.charging import (
    charge_account_of,
    set_address_quota,
    set_credential_quota,
    set_session_quota,
)


async def authenticate_request(context: Context, method: str, headers: Headers, *, charge: bool) -> None:
    """Authenticate an HTTP request and set its budget.

    With ``charge``, charge one unit; without it, the surface charges what the request costs (decisions 3.5). A request
    that is refused here is charged in either case.

    Raises InvalidApiKey and its subclasses, RoleLost, RateLimited, and CrossSiteRequest for a session whose request
    another site may have made the browser send (decisions 2.3).
    """
    async with _charge_refusal(context):
        context.credential = read_credential(headers)
        await _identify(context, charge=charge)
        allowed = context.services.settings.allowed_origins
        if context.is_signed_in_by_cookie and not may_change_state(method, headers, allowed):
            raise errors.CrossSiteRequest


async def authenticate_handshake(context: Context, headers: Headers) -> None:
    """Authenticate a WebSocket handshake, and charge one unit for it, as for a request.

    The cookie of a handshake from a foreign site is ignored (decisions 2.3b). Raises what ``authenticate_request``
    raises for keys.
    """
    async with _charge_refusal(context):
        context.credential = read_credential(headers)
        if context.has_session_cookie and is_foreign(headers, context.services.settings.allowed_origins):
            context.credential = None
        await _identify(context, charge=True)


async def authenticate_connection_init(context: Context, payload: Mapping[str, object]) -> None:
    """Replace the credential of a WebSocket by the one in its first message, if there is one.

    Browsers send it this way because they cannot set the headers of a handshake. It replaces the session of a cookie.
    Raises InvalidApiKey if it differs from the one in the headers of the handshake, and what ``read_connection_params``
    and ``identify`` raise.
    """
    credential = read_connection_params(payload)
    if credential is None:
        return
    if context.credential not in (None, credential) and not context.has_session_cookie:
        raise errors.InvalidApiKey("The handshake was sent with a different API key; send only one of them")
    context.credential = credential
    await context.reauthenticate()


async def authenticate_operation(connection: Context) -> Context:
    """Return a context for one operation over a WebSocket: authenticated now, with a budget that is not yet charged.

    Raises what ``identify`` raises, after charging the refused operation.
    """
    context = Context(
        services=connection.services,
        request_id=secrets.token_hex(8),
        address=connection.address,
        credential=connection.credential,
        supports_cookies=False,
    )
    async with _charge_refusal(context):
        await _identify(context, charge=False)
    return context


async def _identify(context: Context, *, charge: bool) -> None:
    """Set the budget and the principal of a request whose credential has been read, and record the use of a key."""
    set_credential_quota(context)
    if charge and context.quota is not None:
        await context.charge()
    await context.reauthenticate()
    if context.quota is None:
        set_session_quota(context)
        if charge:
            await context.charge()
    if isinstance(context.credential, ParsedKey) and context.principal.key_id is not None:
        await charge_account_of(context, context.credential, charge=charge)
        context.services.key_usage.record_use(context.principal.key_id)


@contextlib.asynccontextmanager
async def _charge_refusal(context: Context) -> AsyncIterator[None]:
    """Charge at least one unit for a request that the block refuses; to its address if its credentials are bad."""
    try:
        yield
    except errors.AmarEventsError as refusal:
        if isinstance(refusal, errors.Unauthenticated):
            if isinstance(context.credential, ParsedKey):
                context.services.key_accounts.forget(context.credential.digest)
            set_address_quota(context)
        await context.charge_minimum()
        raise
