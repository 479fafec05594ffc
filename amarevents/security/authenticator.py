"""The authenticator: who a request comes from, and which rate limit budget it is charged to.

HTTP requests, WebSocket handshakes, the first message of a WebSocket and each operation over one are authenticated
here. Work that takes longer than that calls ``Context.reauthenticate``.

Addresses are charged before any look-up, and so are keys and sessions that the process knows: one round trip to Redis
charges all budgets of the request and confirms the principal that the process remembers (``auth.principal_memory``).
The account of any other key or session is looked up first. A request with bad credentials is charged to its address,
which limits how many keys a client can guess.
"""

import secrets
from collections.abc import Mapping

from starlette.datastructures import Headers

from amarevents import errors
from amarevents.security.auth.credentials import read_connection_params, read_credential
from amarevents.security.auth.csrf import is_foreign, may_change_state
from amarevents.security.auth.principal_memory import Known
from amarevents.security.auth.principals import KnownCredential, find_identity
from amarevents.security.context import Context
from amarevents.security.rate_limit.charging import set_account_quotas


async def authenticate_request(context: Context, method: str, headers: Headers, *, charge: bool) -> None:
    """Authenticate an HTTP request and set its budget.

    With ``charge``, charge one unit; without it, the surface charges what the request costs (decisions 3.5). A request
    that is refused here is charged in either case.

    Raises InvalidApiKey and its subclasses, RoleLost, RateLimited, and CrossSiteRequest for a session whose request
    another site may have made the browser send (decisions 2.3).
    """
    try:
        context.credential = read_credential(headers)
        await _identify(context, charge=charge)
        if context.is_signed_in_by_cookie:
            await _require_own_site(context, method, headers)
    except errors.AmarEventsError as refusal:
        await _charge_refusal(context, refusal)
        raise


async def _require_own_site(context: Context, method: str, headers: Headers) -> None:
    if may_change_state(method, headers, context.services.settings.allowed_origins):
        return
    if context.verdict is None:
        await context.reauthenticate()  # the session may have ended, and the request is then anonymous
    if context.is_signed_in_by_cookie:
        raise errors.CrossSiteRequest


async def authenticate_handshake(context: Context, headers: Headers) -> None:
    """Authenticate a WebSocket handshake, and charge one unit for it, as for a request.

    The cookie of a handshake from a foreign site is ignored (decisions 2.3b). Raises what ``authenticate_request``
    raises for keys.
    """
    try:
        context.credential = read_credential(headers)
        if context.has_session_cookie and is_foreign(headers, context.services.settings.allowed_origins):
            context.credential = None
        await _identify(context, charge=True)
    except errors.AmarEventsError as refusal:
        await _charge_refusal(context, refusal)
        raise


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
    try:
        await _identify(context, charge=False)
    except errors.AmarEventsError as refusal:
        await _charge_refusal(context, refusal)
        raise
    return context


async def _identify(context: Context, *, charge: bool) -> None:
    """Set the budgets and the principal of a request whose credential has been read."""
    credential = context.credential
    known = None if credential is None else context.services.principals.find(credential.digest)
    if credential is None:
        context.set_address_quota()
    elif known is None:
        await _look_up(context, credential, charge=charge)
    else:
        context.account_id = known.account_id
        set_account_quotas(context, known.account_id, known.role)
        if not charge:
            await _identify_provisionally(context, known)
    if charge:
        await context.charge()


async def _look_up(context: Context, credential: KnownCredential, *, charge: bool) -> None:
    """Identify a credential that the process does not know.

    With ``charge``, what a key that is no longer valid is used for counts for the key, but not for its account.
    """
    identity = await find_identity(credential)
    if identity is None:
        context.set_address_quota()
        return
    set_account_quotas(context, identity.account.id, identity.account.role)
    context.services.principals.remember_account(credential.digest, identity)
    try:
        context.principal = identity.principal()
    except errors.Unauthenticated:
        context.services.principals.forget(credential.digest)
        context.account_quota = None
        if charge:
            await context.charge()
        raise
    if context.principal.key_id is not None:
        context.services.key_usage.record_use(context.principal.key_id)


async def _identify_provisionally(context: Context, known: Known) -> None:
    """Set a principal that the later charge of the request confirms, or read it if none is remembered."""
    principals = context.services.principals
    remembered = principals.recall(known)
    if remembered is not None:
        context.principal = remembered
        return
    version = await context.services.limiter.version_of(known.account_id) if principals.is_enabled else None
    await context.confirm(version)
    context.account_id = None  # it has just been read


async def _charge_refusal(context: Context, refusal: errors.AmarEventsError) -> None:
    """Charge at least one unit for a request that has been refused; to its address if its credentials are bad."""
    if isinstance(refusal, errors.Unauthenticated):
        context.set_address_quota()
    await context.charge_minimum()
