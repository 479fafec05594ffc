"""One request, as operations and surfaces see it: who asks, what it may cost, what the answer is to carry."""

import datetime
import math
from dataclasses import dataclass, field

from amarevents import errors
from amarevents.infra.pubsub import TicketChange
from amarevents.models.enums import KeyType
from amarevents.security.auth.principals import Credential
from amarevents.security.auth.sessions import StartedSession
from amarevents.security.policy import ANONYMOUS, Principal
from amarevents.security.rate_limit import Quota, Verdict
from amarevents.security.rate_limit.quotas import AddressLimit, address_quota
from amarevents.security.services import Services


@dataclass(slots=True, kw_only=True)
class Context:
    """What an operation is given; the answer's headers are recorded here and rendered once on the way out.

    ``credential`` is what the request has shown, ``principal`` who it stands for, ``created_account_id`` the account that
    it has registered. ``quota`` is the budget that it is charged to: the key's, the account's or the address's;
    ``caller`` is whose it is, None for an address. ``pending_changes``: what the running operation has changed, by event.
    ``supports_cookies``: whether the answer can start a session, which one over a WebSocket cannot.
    """

    services: Services
    request_id: str
    address: str
    credential: Credential = None
    principal: Principal = ANONYMOUS
    created_account_id: int | None = None
    supports_cookies: bool = True
    caller: KeyType | None = None
    quota: Quota | None = None
    verdict: Verdict | None = None
    started_session: StartedSession | None = None
    session_ended: bool = False
    pending_changes: dict[int, list[TicketChange]] = field(default_factory=dict)
    now: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.UTC))

    def set_quota(self, caller: KeyType | None, quota: Quota) -> None:
        """Name the budget that this request is to be charged to."""
        self.caller, self.quota, self.verdict = caller, quota, None

    async def charge(self, units: int = 1) -> None:
        """Count this request against its budget, all units or none (decisions 3.5). Raises RateLimited."""
        if self.quota is None:
            raise RuntimeError("a request is charged after its credential has been read")
        if 0 < self.quota.limit < units:
            self.verdict = await self.services.limiter.usage(self.quota)
            message = f"This request costs {units} units, more than the {self.quota.limit} that a minute has"
            raise errors.RateLimited(math.ceil(self.quota.window), message)
        self.verdict = await self.services.limiter.charge(self.quota, units)
        if not self.verdict.allowed:
            raise errors.RateLimited(self.verdict.retry_after)

    def require_cookies(self) -> None:
        """Raises BadRequest where a session would be started that nobody is told of."""
        if not self.supports_cookies:
            raise errors.BadRequest("Do this over HTTP: a WebSocket cannot carry the session's cookie")

    async def charge_minimum(self) -> None:
        """Count one unit where nothing has been counted: what could not even be read costs as well."""
        if self.verdict is None:
            await self.charge()

    def record_change(self, event_id: int, *changes: TicketChange) -> None:
        """Have the event's followers told once the operation is done: what has happened to which of its tickets.

        Without ``changes``: to none of them, but to what its numbers are made of, or to the event as a whole.
        """
        self.pending_changes.setdefault(event_id, []).extend(changes)

    async def charge_address(self, kind: AddressLimit) -> None:
        """Count an operation that is limited per client address (decisions 3.4). Raises RateLimited."""
        verdict = await self.services.limiter.charge(address_quota(kind, self.address, self.services.settings))
        if not verdict.allowed:
            raise errors.RateLimited(verdict.retry_after)
