"""Who speaks over a WebSocket: told at the handshake or by its first message, and found anew for each operation.

A handshake counts for the address, whoever it comes from; each operation then for whoever it comes from.
"""

import secrets
from collections.abc import Mapping

from starlette.datastructures import Headers

from amarevents import errors
from amarevents.security.auth.api_keys import ParsedKey
from amarevents.security.auth.credentials import read_credential
from amarevents.security.auth.csrf import comes_from_allowed_origin
from amarevents.security.auth.principals import identify
from amarevents.security.context import Context
from amarevents.security.rate_limit.charging import set_address_quota, set_credential_quota, set_session_quota

_AUTHORIZATION = "authorization"


async def authenticate_handshake(context: Context, headers: Headers) -> None:
    """Identify who opens a connection. Raises RateLimited, what ``identify`` raises, or CrossSiteRequest for a session
    whose page is not of an allowed origin (decisions 2.3)."""
    set_address_quota(context)
    await context.charge()
    context.credential = read_credential(headers.getlist(_AUTHORIZATION), headers.get("cookie"))
    context.principal = await identify(context.credential)
    allowed = context.services.settings.allowed_origins
    if context.principal.session_id is not None and not comes_from_allowed_origin(headers, allowed):
        raise errors.CrossSiteRequest


async def introduce(context: Context, payload: Mapping[str, object]) -> None:
    """Take the key in a connection's first message, which is how browsers send one; a key replaces a session.

    Raises InvalidApiKey for what is no key, and where the handshake has shown another one already.
    """
    given = [value for name, value in payload.items() if name.lower() == _AUTHORIZATION]
    if not given:
        return
    credential = read_credential([value if isinstance(value, str) else "" for value in given], None)
    if isinstance(context.credential, ParsedKey) and credential != context.credential:
        raise errors.InvalidApiKey("The handshake has shown another API key; send one of them")
    context.credential = credential
    context.principal = await identify(credential)


async def next_request(connection: Context) -> Context:
    """An operation over the connection as a request of its own, whose caller is identified as it is by now.

    Raises what ``identify`` raises; whoever is refused has been counted, without a good key for the address.
    """
    context = Context(
        services=connection.services,
        request_id=secrets.token_hex(8),
        address=connection.address,
        credential=connection.credential,
        supports_cookies=False,
    )
    set_credential_quota(context)
    try:
        context.principal = await identify(context.credential)
    except errors.AmarEventsError as refused:
        if isinstance(refused, errors.Unauthenticated):
            set_address_quota(context)
        await context.charge()
        raise
    if context.principal.key_id is not None:
        context.services.key_usage.record_use(context.principal.key_id)
    if context.quota is None:
        set_session_quota(context)
    return context
