"""What the process shares among its requests."""

from dataclasses import dataclass

from aiocache.base import BaseCache

from amarevents.models.totals import Totals
from amarevents.security.broker import Broker
from amarevents.security.connections import Connections
from amarevents.security.key_usage import KeyUsage
from amarevents.security.passwords import PasswordHasher
from amarevents.security.rate_limit import RateLimiter
from amarevents.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """Settings and the few long-lived objects; made at start, closed at the end (see ``app``).

    ``cache`` is the one in which ``totals`` are remembered, for whatever else can be done without.
    """

    settings: Settings
    limiter: RateLimiter
    hasher: PasswordHasher
    key_usage: KeyUsage
    cache: BaseCache
    totals: Totals
    broker: Broker
    connections: Connections
