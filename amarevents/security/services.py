"""What the process shares among its requests."""

from dataclasses import dataclass

from amarevents.models.totals import Totals
from amarevents.security.broker import Broker
from amarevents.security.connections import Connections
from amarevents.security.key_usage import KeyUsage
from amarevents.security.passwords import PasswordHasher
from amarevents.security.rate_limit import RateLimiter
from amarevents.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """Settings and the few long-lived objects; made at start, closed at the end (see ``app``)."""

    settings: Settings
    limiter: RateLimiter
    hasher: PasswordHasher
    key_usage: KeyUsage
    totals: Totals
    broker: Broker
    connections: Connections
