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
from amarevents.security.rate_limit import Quota, Verdict, limited
from amarevents.security.rate_limit.quotas import AddressLimit, address_quota
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
    """The caller that the credential belongs to."""
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
        """Charge all of the units to the request's budgets, or none (decisions 3.5). Raises RateLimited."""
        if self.quota is None:
            raise RuntimeError("Set the quota of the request before charging it")
        budgets = [self.quota, *filter(None, [self.account_quota])]
        smallest = min((budget.limit for budget in limited(budgets)), default=units)
        if smallest < units:
            self.verdict = await self.services.limiter.usage(self.quota)
            message = f"This request costs {units} units; the limit is {smallest} per minute"
            raise errors.RateLimited(math.ceil(self.quota.window), message)
        verdicts = await self.services.limiter.charge_all(budgets, units)
        self.verdict = verdicts[0]
        if not all(verdict.allowed for verdict in verdicts):
            raise errors.RateLimited(max(verdict.retry_after for verdict in verdicts))
        self.units = units

    async def charge_account(self) -> None:
        """Charge the unit that the key has been charged to its account as well. Raises RateLimited.

        A request that the account's budget refuses does not count for the key either (decisions 3.1).
        """
        if self.quota is None or self.account_quota is None or self.verdict is None:
            raise RuntimeError("Charge the key and set the budget of its account before charging the account")
        limiter = self.services.limiter
        verdict = await limiter.charge(self.account_quota)
        if not verdict.allowed:
            await limiter.release(self.quota, self.verdict)
            self.verdict = await limiter.usage(self.quota)
            raise errors.RateLimited(verdict.retry_after)

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
