"""The quotas of keys, accounts, addresses and other buckets, with the limits from the settings (decisions 3)."""

import hashlib
import re
from enum import Enum, auto
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from amarevents.models.enums import KeyType
from amarevents.security.rate_limit import Quota, RateLimiter
from amarevents.security.rate_limit.limiter import account_bucket
from amarevents.settings import Network, Settings
from amarevents.text import email_key

# An IPv6 client usually controls a /64 network, so a limit per single address would have no effect.
_IPV6_CLIENT_BITS = 64
_WITH_PORT = re.compile(r"([0-9.]+):[0-9]+|\[([0-9a-fA-F:.]+)\](?::[0-9]+)?")
_ADDRESSES = 4096
"""The addresses whose parsed form is remembered."""
_FAILED_LOGIN_WINDOW = 15 * 60.0
_HOUR = 60 * 60.0
MAX_NEW_KEYS = 200
"""The number of keys that an account may create per hour, including those revoked since."""
_KEY_BUCKETS = "key:"


class AddressLimit(Enum):
    """Limits per client address of certain operations, for anonymous callers (decisions 3.4)."""

    REGISTRATIONS = auto()
    DONATIONS = auto()
    PASSWORD_RESETS = auto()


def key_limit(key_type: KeyType, settings: Settings) -> int:
    """Return the requests per minute of a key of this type; 0 means unlimited."""
    if key_type is KeyType.USER:
        return settings.rate_limit_user
    return settings.rate_limit_organizer if key_type is KeyType.ORGANIZER else settings.rate_limit_admin


def key_quota(digest: str, key_type: KeyType, account_id: int, settings: Settings) -> Quota:
    """Return the quota of a key (decisions 3.1)."""
    return Quota(bucket=f"{_KEY_BUCKETS}{{{account_id}}}:{digest}", limit=key_limit(key_type, settings))


async def charged_keys(limiter: RateLimiter) -> list[str]:
    """Return the digests of the keys that were used within the last minute."""
    return [bucket.rpartition(":")[2] for bucket in await limiter.charged(_KEY_BUCKETS)]


def session_quota(account_id: int, settings: Settings) -> Quota:
    """Return the quota that all sessions of an account share (decisions 3.3)."""
    return Quota(bucket=f"sessions:{{{account_id}}}", limit=settings.rate_limit_session)


def account_quota(account_id: int, settings: Settings) -> Quota:
    """Return the quota that all keys of an account share, in addition to the quota of each (decisions 3.7)."""
    return Quota(bucket=account_bucket(account_id), limit=settings.rate_limit_account)


def anonymous_quota(address: str, settings: Settings) -> Quota:
    """Return the quota of anonymous requests from an address (decisions 3.4)."""
    return Quota(bucket=f"address:{client_network(address)}", limit=settings.rate_limit_anonymous)


def address_quota(kind: AddressLimit, address: str, settings: Settings) -> Quota:
    """Return the quota of an operation that is limited for each address (decisions 3.4)."""
    limits = {
        AddressLimit.REGISTRATIONS: settings.rate_limit_registrations,
        AddressLimit.DONATIONS: settings.rate_limit_donations,
        AddressLimit.PASSWORD_RESETS: settings.rate_limit_failed_logins,
    }
    return Quota(bucket=f"{kind.name.lower()}:{client_network(address)}", limit=limits[kind])


def failed_login_quota(address: str, settings: Settings) -> Quota:
    """Return the quota of failed logins from an address for all emails (decisions 3.4)."""
    return Quota(bucket=f"failed-logins:{client_network(address)}", limit=settings.rate_limit_failed_logins)


def failed_password_quota(email: str, settings: Settings) -> Quota:
    """Return the quota of wrong passwords for an email from all addresses; its bucket contains only a hash."""
    name = hashlib.sha256(email_key(email).encode()).hexdigest()[:32]
    return Quota(bucket=f"failed-login:{name}", limit=settings.failed_logins, window=_FAILED_LOGIN_WINDOW)


def mail_quota(recipient: str, settings: Settings) -> Quota:
    """Return the quota of emails to a recipient about registrations by others; the bucket contains only a hash."""
    name = hashlib.sha256(email_key(recipient).encode()).hexdigest()[:32]
    return Quota(bucket=f"mail:{name}", limit=settings.mails_per_recipient, window=_HOUR)


def password_reset_quota(email: str, settings: Settings) -> Quota:
    """Return the quota of emails to an account about its forgotten password; the bucket contains only a hash."""
    name = hashlib.sha256(email.encode()).hexdigest()[:32]
    return Quota(bucket=f"password-reset:{name}", limit=settings.mails_per_recipient, window=_HOUR)


def key_creation_quota(account_id: int) -> Quota:
    """Return the quota of new keys of an account, which is needed because each key has its own rate limit."""
    return Quota(bucket=f"key-creation:{account_id}", limit=MAX_NEW_KEYS, window=_HOUR)


@lru_cache(_ADDRESSES)
def client_network(address: str) -> str:
    """Return what counts as one client: an IPv4 address, or the /64 network of an IPv6 address."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, _IPV6_CLIENT_BITS), strict=False))
    return str(parsed or address)


@lru_cache(_ADDRESSES)
def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    """Parse an address from a peer or proxy: with or without a port, IPv4-mapped IPv6 as IPv4; None if not valid."""
    with_port = _WITH_PORT.fullmatch(address)
    try:
        parsed = ip_address(next(filter(None, with_port.groups())) if with_port else address)
    except ValueError:
        return None
    return parsed.ipv4_mapped or parsed if isinstance(parsed, IPv6Address) else parsed


def client_address(peer: str, forwarded_for: str | None, trusted: tuple[Network, ...]) -> str:
    """Return the peer's address or, behind trusted proxies, the last untrusted address in X-Forwarded-For.

    Addresses further to the left were supplied by the client and are ignored.
    """
    if not forwarded_for or not trusted:
        return peer
    hops = [peer, *(part.strip() for part in reversed(forwarded_for.split(",")) if part.strip())]
    for hop in hops:
        if not _is_trusted(hop, trusted):
            return hop
    return hops[-1]


@lru_cache(_ADDRESSES)
def _is_trusted(address: str, trusted: tuple[Network, ...]) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in trusted)
