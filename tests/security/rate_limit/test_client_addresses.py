"""Addresses of clients: those of the peer, or from X-Forwarded-For behind trusted proxies (decisions 3.4)."""

from collections.abc import Callable
from ipaddress import ip_network

import pytest
from starlette.applications import Starlette

from amarevents.security.rate_limit.quotas import client_address
from tests.support.client_addresses import client_from

PROXIES = (ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48"))

CASES = [
    # peer, X-Forwarded-For, client
    ("203.0.113.1", None, "203.0.113.1"),
    ("203.0.113.1", "198.51.100.7", "203.0.113.1"),
    ("10.0.0.1", None, "10.0.0.1"),
    ("10.0.0.1", "", "10.0.0.1"),
    ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
    ("10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),
    ("10.0.0.1", "1.1.1.1, 198.51.100.7", "198.51.100.7"),
    ("10.0.0.1", "10.9.9.9, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
    ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
    ("10.0.0.1", "nonsense", "nonsense"),
    ("10.0.0.1", " ,, 198.51.100.7 ,", "198.51.100.7"),
    ("2001:db8:ffff::1", "2001:db8:1::1", "2001:db8:1::1"),
]


@pytest.mark.parametrize(("peer", "forwarded_for", "client"), CASES)
def test_the_client_is_the_last_address_that_is_not_a_trusted_proxy(
    peer: str, forwarded_for: str | None, client: str
) -> None:
    assert client_address(peer, forwarded_for, PROXIES) == client


def test_without_trusted_proxies_the_header_is_ignored() -> None:
    assert client_address("10.0.0.1", "198.51.100.7", ()) == "10.0.0.1"


async def _statuses(app: Starlette, peer: str, forwarded: list[list[str]]) -> list[int]:
    """Send a request for each list of X-Forwarded-For headers, and return the statuses."""
    async with client_from(app, peer) as client:
        sent = [[("X-Forwarded-For", value) for value in values] for values in forwarded]
        return [(await client.get("/api/events", headers=headers)).status_code for headers in sent]


async def test_a_spoofed_header_does_not_raise_the_limit(app: Starlette, configure: Callable[..., None]) -> None:
    configure(rate_limit_anonymous=2, trusted_proxies=PROXIES)
    assert await _statuses(app, "203.0.113.1", [["1.1.1.1"], ["2.2.2.2"], ["3.3.3.3"]]) == [200, 200, 429]


async def test_clients_behind_a_proxy_have_separate_limits(app: Starlette, configure: Callable[..., None]) -> None:
    configure(rate_limit_anonymous=1, trusted_proxies=PROXIES)
    assert await _statuses(app, "10.0.0.1", [["198.51.100.1"], ["198.51.100.2"], ["198.51.100.1"]]) == [200, 200, 429]


async def test_addresses_before_that_of_the_proxy_are_ignored(app: Starlette, configure: Callable[..., None]) -> None:
    configure(rate_limit_anonymous=1, trusted_proxies=PROXIES)
    assert await _statuses(app, "10.0.0.1", [["1.1.1.1, 198.51.100.1"], ["2.2.2.2, 198.51.100.1"]]) == [200, 429]


async def test_a_proxy_may_add_a_second_header(app: Starlette, configure: Callable[..., None]) -> None:
    configure(rate_limit_anonymous=1, trusted_proxies=PROXIES)
    assert await _statuses(app, "10.0.0.1", [["1.1.1.1", "198.51.100.1"], ["2.2.2.2", "198.51.100.1"]]) == [200, 429]
