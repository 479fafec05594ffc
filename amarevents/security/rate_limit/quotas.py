"""What is counted for whom, and how much of it the settings allow (decisions 3)."""

import hashlib
import re
from enum import Enum, auto
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from amarevents.models.enums import KeyType
from amarevents.security.auth.api_keys import ParsedKey
from amarevents.security.policy import Account
from amarevents.security.rate_limit import Quota, RateLimiter
from amarevents.settings import Network, Settings

# An IPv6 client owns at least its /64: counting single addresses would count nothing.
_IPV6_CLIENT_BITS = 64
_WITH_PORT = re.compile(r"([0-9.]+):[0-9]+|\[([0-9a-fA-F:.]+)\](?::[0-9]+)?")
_FAILED_LOGIN_WINDOW = 15 * 60.0
_HOUR = 60 * 60.0
MAX_NEW_KEYS = 200
"""How many keys an account may make in an hour, those revoked again included."""
_KEY_BUCKETS = "key:"


class AddressLimit(Enum):
    """Operations that are limited per client address beside the caller's own budget (decisions 3.4)."""

    CREDENTIALS = auto()
    DONATIONS = auto()


def key_limit(key_type: KeyType, settings: Settings) -> int:
    """Requests a minute of a key of this type; 0 = unlimited."""
    return {
        KeyType.USER: settings.rate_limit_user,
        KeyType.ORGANIZER: settings.rate_limit_organizer,
        KeyType.ADMIN: settings.rate_limit_admin,
    }[key_type]


def key_quota(key: ParsedKey, settings: Settings) -> Quota:
    """Per key (decisions 3.1). The type is in the key's text, so that counting needs no look-up."""
    return digest_quota(key.digest, key.key_type, settings)


def digest_quota(digest: str, key_type: KeyType, settings: Settings) -> Quota:
    """The quota of a key of which only the digest is known."""
    return Quota(bucket=_KEY_BUCKETS + digest, limit=key_limit(key_type, settings))


async def charged_keys(limiter: RateLimiter) -> list[str]:
    """The digests of the keys that have been counted within the last minute."""
    return [bucket.removeprefix(_KEY_BUCKETS) for bucket in await limiter.charged(_KEY_BUCKETS)]


def account_quota(account: Account, settings: Settings) -> Quota:
    """For sessions: per account, at the limit of its role (decisions 3.3)."""
    return Quota(bucket=f"account:{account.id}", limit=key_limit(account.role, settings))


def anonymous_quota(address: str, settings: Settings) -> Quota:
    return Quota(bucket=f"address:{client_network(address)}", limit=settings.rate_limit_anonymous)


def address_quota(kind: AddressLimit, address: str, settings: Settings) -> Quota:
    limits = {
        AddressLimit.CREDENTIALS: settings.rate_limit_credentials,
        AddressLimit.DONATIONS: settings.rate_limit_donations,
    }
    return Quota(bucket=f"{kind.name.lower()}:{client_network(address)}", limit=limits[kind])


def failed_login_quota(email: str, settings: Settings) -> Quota:
    """Failed logins per email, whatever the address; the bucket's name does not give the email away."""
    name = hashlib.sha256(email.casefold().encode()).hexdigest()[:32]
    return Quota(bucket=f"failed-login:{name}", limit=settings.failed_logins, window=_FAILED_LOGIN_WINDOW)


def mail_quota(recipient: str, settings: Settings) -> Quota:
    """Mails to an address about registrations that others have made; the bucket's name does not give it away."""
    name = hashlib.sha256(recipient.encode()).hexdigest()[:32]
    return Quota(bucket=f"mail:{name}", limit=settings.mails_per_recipient, window=_HOUR)


def key_creation_quota(account_id: int) -> Quota:
    """New keys of an account: each has a rate limit of its own."""
    return Quota(bucket=f"key-creation:{account_id}", limit=MAX_NEW_KEYS, window=_HOUR)


def client_network(address: str) -> str:
    """What counts as one client: an address, or the network that an IPv6 client owns."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, _IPV6_CLIENT_BITS), strict=False))
    return str(parsed or address)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    """An address as peers and proxies write it: IPv4 inside IPv6 is IPv4, and some proxies add the client's port."""
    with_port = _WITH_PORT.fullmatch(address)
    try:
        parsed = ip_address(next(filter(None, with_port.groups())) if with_port else address)
    except ValueError:
        return None
    return parsed.ipv4_mapped or parsed if isinstance(parsed, IPv6Address) else parsed


def client_address(peer: str, forwarded_for: str | None, trusted: tuple[Network, ...]) -> str:
    """The peer's address or, behind trusted proxies, the last one in X-Forwarded-For that is not theirs.

    Whatever stands further left was written by the client and is not believed.
    """
    hops = [peer, *(part.strip() for part in reversed((forwarded_for or "").split(",")) if part.strip())]
    for hop in hops:
        if not _is_trusted(hop, trusted):
            return hop
    return hops[-1]


def _is_trusted(address: str, trusted: tuple[Network, ...]) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in trusted)
