"""Changes to accounts as other processes see them, also while Redis has failures (decisions 2.4)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis

from amarevents import errors
from amarevents.infra import redis as redis_module
from amarevents.infra.redis import redis_client
from amarevents.infra.redis_cluster import redis_commands
from amarevents.models import ApiKey
from amarevents.models.columns import utc_now
from amarevents.models.enums import KeyType
from amarevents.security.auth import principal_memory as module
from amarevents.security.auth.account_versions import AccountVersions
from amarevents.security.auth.api_keys import ParsedKey
from amarevents.security.auth.principal_memory import PrincipalMemory
from amarevents.security.auth.principals import find_identity
from amarevents.security.rate_limit import RedisRateLimiter, ResilientRateLimiter
from tests.support.pauses import Pause
from tests.support.redis_failures import unresponsive
from tests.support.redis_server import private_redis
from tests.support.servers import PrivateServer
from tests.support.statements import counted_statements
from tests.support.world import World

pytestmark = pytest.mark.backend("postgres")

NOWHERE = "redis://127.0.0.1:1/0"


@dataclass(frozen=True)
class Process:
    """What one process has: a memory of principals, and a limiter that answers versions."""

    memory: PrincipalMemory
    limiter: ResilientRateLimiter

    async def admits(self, key: ParsedKey) -> bool:
        """Return whether a request with the key is admitted."""
        try:
            await self._identify(key)
        except errors.Unauthenticated:
            self.memory.forget(key.digest)
            return False
        return True

    async def _identify(self, key: ParsedKey) -> None:
        known = self.memory.find(key.digest)
        if known is None:
            identity = await find_identity(key)
            assert identity is not None
            identity.principal()
            self.memory.remember_account(key.digest, identity)
        else:
            charge = await self.limiter.charge_account(known.account_id, [])
            await self.memory.identify(key, charge.version)


def _memory(url: str, seconds: float = 60) -> PrincipalMemory:
    return PrincipalMemory(seconds=seconds, versions=AccountVersions(redis_commands(redis_client(url))))


@contextlib.asynccontextmanager
async def _process(url: str, *, seconds: float = 60, announces_to: str | None = None) -> AsyncIterator[Process]:
    limiter = ResilientRateLimiter(RedisRateLimiter(redis_client(url)), workers=2)
    process = Process(_memory(announces_to or url, seconds), limiter)
    yield process
    await process.limiter.aclose()
    await process.memory.aclose()


@pytest.fixture(autouse=True)
def short_timeout(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """Restore the timeout that the tests' application raises: here, servers do not respond."""
    monkeypatch.setattr(redis_module, "SOCKET_TIMEOUT", 0.5)


@pytest.fixture
def server() -> Iterator[PrivateServer]:
    """Start a Redis server that the test may stop and start."""
    with private_redis() as server:
        yield server


@pytest.fixture
async def redis(server: PrivateServer) -> AsyncIterator[Redis]:
    async with Redis.from_url(server.url) as client:
        yield client


@pytest.fixture
async def writer(server: PrivateServer) -> AsyncIterator[Process]:
    async with _process(server.url) as process:
        yield process


@pytest.fixture
async def reader(server: PrivateServer) -> AsyncIterator[Process]:
    async with _process(server.url) as process:
        yield process


@dataclass(frozen=True)
class Key:
    """An API key in the database."""

    account_id: int
    parsed: ParsedKey

    async def revoke(self) -> None:
        await ApiKey.filter(digest=self.parsed.digest).update(revoked_at=utc_now())

    async def restore(self) -> None:
        await ApiKey.filter(digest=self.parsed.digest).update(revoked_at=None)

    async def revoke_in(self, process: Process) -> None:
        """Revoke the key as an operation of the process does."""
        async with process.memory.changing(self.account_id):
            await self.revoke()


@pytest.fixture
async def key(world: World) -> Key:
    created = (await world.user_key()).key
    assert created is not None
    return Key(created.user_id, ParsedKey(KeyType.USER, created.digest))


async def remember(process: Process, key: Key) -> None:
    """Let the process remember the principal of the key and use it."""
    for _ in range(2):
        assert await process.admits(key.parsed)
    with counted_statements() as statements:
        assert await process.admits(key.parsed)
    assert statements == []


async def test_a_key_revoked_in_one_process_is_refused_in_the_other(writer: Process, reader: Process, key: Key) -> None:
    await remember(reader, key)
    await key.revoke_in(writer)
    assert not await reader.admits(key.parsed)


async def test_other_accounts_are_not_read_again(world: World, writer: Process, reader: Process, key: Key) -> None:
    await remember(reader, key)
    async with writer.memory.changing((await world.user()).id):
        pass
    with counted_statements() as statements:
        assert await reader.admits(key.parsed)
    assert statements == []


async def test_a_server_that_was_emptied_makes_everything_be_read_again(
    redis: Redis, writer: Process, reader: Process, key: Key
) -> None:
    await remember(reader, key)
    await key.revoke_in(writer)
    await redis.flushall()
    assert not await reader.admits(key.parsed)


async def test_a_server_that_is_emptied_during_a_change_hides_nothing(
    redis: Redis, writer: Process, reader: Process, key: Key
) -> None:
    async with writer.memory.changing(key.account_id):
        await redis.flushall()
        await remember(reader, key)
        await key.revoke()
    assert not await reader.admits(key.parsed)


async def test_a_restarted_server_makes_everything_be_read_again(
    server: PrivateServer, writer: Process, reader: Process, key: Key
) -> None:
    await remember(reader, key)
    server.stop()
    server.start()
    await key.revoke()  # not announced
    assert not await reader.admits(key.parsed)
    await key.restore()
    await remember(reader, key)
    await key.revoke_in(writer)
    assert not await reader.admits(key.parsed)


async def test_nothing_is_remembered_while_the_server_is_stopped(
    server: PrivateServer, writer: Process, reader: Process, key: Key
) -> None:
    await remember(reader, key)
    server.stop()
    assert await reader.admits(key.parsed)
    await key.revoke_in(writer)
    assert not await reader.admits(key.parsed)


async def test_nothing_is_remembered_while_the_server_does_not_respond(
    server: PrivateServer, writer: Process, reader: Process, key: Key
) -> None:
    await remember(reader, key)
    with unresponsive(server):
        await key.revoke_in(writer)
        assert not await reader.admits(key.parsed)
    assert not await reader.admits(key.parsed)


async def test_versions_from_before_an_outage_are_not_used_after_it(
    server: PrivateServer, reader: Process, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has kept its data, but the change could not be announced."""
    monkeypatch.setattr("amarevents.security.rate_limit.fallback.PROBE_INTERVAL", 0.05)
    await remember(reader, key)
    with unresponsive(server):
        assert await reader.admits(key.parsed)  # the process notices the outage
        await key.revoke()
    async with asyncio.timeout(5):
        while reader.limiter._unavailable:
            await reader.limiter.version_of(key.account_id)
            await asyncio.sleep(0.02)
    assert not await reader.admits(key.parsed)


async def test_a_process_that_cannot_reach_redis_is_heard_after_the_age_of_principals(
    server: PrivateServer, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANNOUNCE_SECONDS", 0.1)
    async with _process(server.url, seconds=1) as reader, _process(server.url, announces_to=NOWHERE, seconds=1) as cut:
        await remember(reader, key)
        await key.revoke_in(cut)
        assert not await cut.admits(key.parsed)  # at once in the process itself
        await asyncio.sleep(1.1)
        assert not await reader.admits(key.parsed)


# Between the commit and the new version ---------------------------------------------------------------------------


async def _is_admitted_before_the_end(
    monkeypatch: pytest.MonkeyPatch, writer: Process, reader: Process, key: Key
) -> bool:
    """Return whether the other process admits the key after the commit, but before its account has a new version."""
    pause = Pause(monkeypatch)
    pause.stop_before(AccountVersions, "end")
    await remember(reader, key)
    _, admitted = await pause.during(key.revoke_in(writer), reader.admits(key.parsed))
    return admitted


async def test_a_change_is_seen_as_soon_as_it_is_committed(
    monkeypatch: pytest.MonkeyPatch, writer: Process, reader: Process, key: Key
) -> None:
    assert not await _is_admitted_before_the_end(monkeypatch, writer, reader, key)


async def test_without_the_marker_an_outdated_principal_would_be_used(
    monkeypatch: pytest.MonkeyPatch, writer: Process, reader: Process, key: Key
) -> None:
    """The negative control of the test above."""

    async def nothing(_self: AccountVersions, _account_id: int, _token: str) -> None:
        return

    monkeypatch.setattr(AccountVersions, "begin", nothing)
    assert await _is_admitted_before_the_end(monkeypatch, writer, reader, key)
