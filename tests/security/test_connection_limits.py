"""Limits of open connections, and their end at shutdown."""

import asyncio
import time

import pytest

from amarevents import errors
from amarevents.models.enums import AccountType
from amarevents.security import connection_limits as module
from amarevents.security.connection_limits import Connections
from amarevents.security.policy import Account

ACCOUNT = Account(
    id=1,
    username="karim",
    email="karim@example.com",
    number="01700000000",
    type=AccountType.USER,
    admin=False,
    email_confirmed=True,
)


def test_each_owner_has_a_limit_of_open_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PER_ADDRESS", 1)
    connections = Connections()
    with (
        connections.for_address("192.0.2.1"),
        connections.for_address("192.0.2.2"),
        connections.for_account(ACCOUNT),
        pytest.raises(errors.TooManyConnections),
        connections.for_address("192.0.2.1"),
    ):
        pass
    with connections.for_address("192.0.2.1"):
        pass
    assert not connections._open


def test_an_ipv6_network_counts_as_one_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PER_ADDRESS", 1)
    connections = Connections()
    with (
        connections.for_address("2001:db8::1"),
        pytest.raises(errors.TooManyConnections),
        connections.for_address("2001:db8::2"),
    ):
        pass


async def _open_until_shutdown(connections: Connections, *, seconds: float) -> None:
    with connections.for_address("192.0.2.1"):
        await connections.shutting_down.wait()
        await asyncio.sleep(seconds)


async def test_shutdown_waits_until_connections_have_ended() -> None:
    connections = Connections()
    opened = [asyncio.create_task(_open_until_shutdown(connections, seconds=0.01 * number)) for number in range(3)]
    await asyncio.sleep(0)
    await connections.shut_down()
    assert not connections._open
    await asyncio.gather(*opened)


async def test_shutdown_waits_for_a_limited_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHUTDOWN_SECONDS", 0.05)
    connections = Connections()
    opened = asyncio.create_task(_open_until_shutdown(connections, seconds=60))
    await asyncio.sleep(0)
    started_at = time.monotonic()
    await connections.shut_down()
    assert time.monotonic() - started_at < 5
    opened.cancel()
    await asyncio.gather(opened, return_exceptions=True)


async def test_shutdown_without_connections_is_immediate() -> None:
    await asyncio.wait_for(Connections().shut_down(), 1)
