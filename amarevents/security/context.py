"""The context of one request: its caller, its rate limit budget, and what its response must carry."""

import datetime
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from amarevents import errors
from amarevents.infra.pubsub import TicketChange
from amarevents.models.enums import KeyType
from amarevents.security.auth.principals import Credential, identify
from amarevents.security.auth.sessions import SessionId, StartedSession
from amarevents.security.policy import ANONYMOUS, Principal
from amarevents.security.rate_limit import Quota, Verdict, Version, limited
from amarevents.security.rate_limit.quotas import AddressLimit, address_quota, anonymous_quota
from amarevents.security.services import Services


@dataclass(slots=True, kw_only=True)
class Context:
    """The first argument of every operation.

    What the response must say about rate limits and sessions is recorded here and rendered once, by the middleware.
    """

    services: Services
    request_id: str
    address: str
    """The address of the client, which is not that of a trusted proxy."""
    disconnected: Callable[[], Awaitable[None]] | None = None
    """Returns once the client has disconnected; None if that cannot be known."""
    credential: Credential = None
    """The API key or session that the request was sent with."""
    principal: Principal = ANONYMOUS
    """The caller that the credential belongs to; provisional until the request is charged, if ``account_id`` is set."""
    account_id: int | None = None
    """The account whose version each charge asks for, to confirm the principal (``auth.principal_memory``)."""
    created_account_id: int | None = None
    """The account that the request has registered."""
    supports_cookies: bool = True
    """Whether the response can set a session cookie; responses over a WebSocket cannot."""
    quota_type: KeyType | None = None
    """The key type that the budget belongs to; None for the budget of an address."""
    quota: Quota | None = None
    """The budget that the request is charged to: that of the key, of the account's sessions or of the address."""
    account_quota: Quota | None = None
    """The budget of all keys of the account, which a request with a key is charged to as well."""
    verdict: Verdict | None = None
    """The outcome of the latest charge to ``quota``; None if nothing has been charged."""
    units: int = 0
    """The number of units that the request was charged."""
    started_session: StartedSession | None = None
    session_ended: bool = False
    reveals_secret: bool = False
    """Whether the response contains a secret, whose size compression must not reveal."""
    replayed: bool = False
    """Whether the answer of an earlier request with the same Idempotency-Key has been repeated (decisions 6.11)."""
    pending_changes: dict[int, list[TicketChange]] = field(default_factory=dict)
    """The ticket changes of the running operation by event ID, to be published once it has committed."""
    fields: frozenset[str] | None = None
    """The fields that the caller needs of the views that are read next; None for all."""
    needs_total: bool = True
    """Whether the caller needs the total of the list that is read next."""
    now: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.UTC))

    @property
    def today(self) -> datetime.date:
        """The current day in the platform's time zone, the same throughout the request."""
        return self.now.astimezone(self.services.settings.time_zone).date()

    async def reauthenticate(self) -> None:
        """Look up the principal of the credential again, or that of the session that the request has started.

        Work that takes longer does this, because a key may be revoked, a session may end and an account may lose its
        role at any time (decisions 2.4). Raises what ``identify`` raises.
        """
        if self.started_session is not None:
            self.credential = self.started_session.id
        self.principal = await identify(self.credential)
        self.account_id = None

    async def confirm(self, version: Version) -> None:
        """Set the principal of the credential, whose account has just been answered this version.

        Raises what ``identify`` raises. A request whose key or session is no longer valid is charged to its address.
        """
        assert self.credential is not None  # noqa: S101 - for the type checker; it belongs to the account
        try:
            self.principal = await self.services.principals.identify(self.credential, version)
        except errors.Unauthenticated:
            self.set_address_quota()
            raise
        if self.principal.key_id is not None:
            self.services.key_usage.record_use(self.principal.key_id)
        elif self.principal.account is not None:
            self.quota_type = self.principal.account.role
        else:
            await self._become_anonymous()

    async def _become_anonymous(self) -> None:
        """Release what has been charged to the account of a session that has ended, and set the address's budget."""
        if self.quota is not None and self.verdict is not None:
            await self.services.limiter.release(self.quota, self.verdict, self.units)
        self.set_address_quota()

    def set_address_quota(self) -> None:
        """Set the budget of the client's address, for anonymous requests and bad credentials."""
        if self.account_id is not None and self.credential is not None:
            self.services.principals.forget(self.credential.digest)
        self.account_id = None
        self.set_quota(None, anonymous_quota(self.address, self.services.settings))

    @property
    def has_session_cookie(self) -> bool:
        """Whether the request was sent with a session cookie, which may have expired, and no other credential."""
        return isinstance(self.credential, SessionId) and self.credential.in_cookie

    @property
    def is_signed_in_by_cookie(self) -> bool:
        """Whether the caller was identified by the cookie, which browsers also send for other sites (decisions 2.3)."""
        return self.has_session_cookie and not self.principal.is_anonymous

    def set_quota(self, quota_type: KeyType | None, quota: Quota) -> None:
        """Set the only budget that this request is charged to, and discard the outcome of earlier charges."""
        self.quota_type, self.quota, self.account_quota, self.verdict = quota_type, quota, None, None

    async def charge(self, units: int = 1) -> None:
        """Charge all of the units to the request's budgets, or none (decisions 3.5). Raises RateLimited.

        The same round trip confirms the principal of a key or a session, so this also raises what ``confirm`` raises.
        """
        if self.quota is None:
            raise RuntimeError("Set the quota of the request before charging it")
        budgets = [self.quota] if self.account_quota is None else [self.quota, self.account_quota]
        smallest = min((budget.limit for budget in limited(budgets)), default=units)
        if smallest < units:
            await self._refuse(smallest, units)
        limiter, version = self.services.limiter, None
        if self.account_id is None:
            verdicts = await limiter.charge_all(budgets, units)
        else:
            verdicts, version = await limiter.charge_account(self.account_id, budgets, units)
        self.verdict, is_allowed = verdicts[0], all(verdict.allowed for verdict in verdicts)
        if is_allowed:
            self.units = units
        # Requests beyond a limit cause no look-ups, except of a caller who might otherwise not get the 401 that is due.
        if self.account_id is not None and (is_allowed or not self.principal.is_anonymous):
            await self.confirm(version)
            if self.quota_type is None:  # the session has ended
                await self.charge(units)
                return
        if not is_allowed:
            raise errors.RateLimited(max(verdict.retry_after for verdict in verdicts))

    async def _refuse(self, limit: int, units: int) -> None:
        """Raise RateLimited for a charge that can never succeed."""
        assert self.quota is not None  # noqa: S101 - for the type checker
        if self.account_id is not None:
            await self.confirm(await self.services.limiter.version_of(self.account_id))
        self.verdict = await self.services.limiter.usage(self.quota)
        message = f"This request costs {units} units; the limit is {limit} per minute"
        raise errors.RateLimited(math.ceil(self.quota.window), message)

    def require_cookies(self) -> None:
        """Raise BadRequest if the response could not set the cookie of a session that the operation starts."""
        if not self.supports_cookies:
            raise errors.BadRequest("Send this operation over HTTP; a session cookie cannot be set over a WebSocket")

    async def charge_minimum(self) -> None:
        """Charge one unit if nothing has been charged yet, because invalid requests cost a unit as well."""
        if self.verdict is None:
            await self.charge()

    def record_change(self, event_id: int, *changes: TicketChange) -> None:
        """Record changes to tickets of the event, to be published to its subscribers after the commit.

        Without ``changes``, publish that the event or its statistics have changed, but none of its tickets.
        """
        self.pending_changes.setdefault(event_id, []).extend(changes)

    async def charge_address(self, kind: AddressLimit) -> None:
        """Charge one unit of a limit that applies to each client address (decisions 3.4). Raises RateLimited.

        What an API key or a session does counts for its own budget alone.
        """
        if self.quota_type is not None:
            return
        verdict = await self.services.limiter.charge(address_quota(kind, self.address, self.services.settings))
        if not verdict.allowed:
            raise errors.RateLimited(verdict.retry_after)
