"""Versions of tables: what counts as changed since a moment, here and in other processes."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from amarevents.infra import versions as module
from amarevents.infra.pubsub import channel
from amarevents.infra.shared_versions import SharedVersions
from amarevents.infra.versions import Versions, scopes_of, scopes_of_event
from amarevents.models import Event, Organization, TicketType
from tests.support.redis_server import private_redis
from tests.support.servers import PrivateServer
from tests.support.versions import wait_until_informed


def test_only_what_depends_on_a_changed_table_has_changed() -> None:
    versions = Versions()
    before = versions.clock
    versions.record([Event])
    assert versions.changed_since(before, scopes_of((Organization, Event)))
    assert not versions.changed_since(before, scopes_of((Organization,)))
    assert not versions.changed_since(versions.clock, scopes_of((Event,)))


def test_ticket_types_of_one_event_change_apart_from_those_of_others() -> None:
    versions = Versions()
    before = versions.clock
    versions.record([TicketType], [1])
    changed = [scopes_of_event(TicketType, 1), scopes_of_event(TicketType, 2), scopes_of((TicketType,))]
    assert [versions.changed_since(before, scopes) for scopes in changed] == [True, False, True]


def test_a_change_of_unknown_events_changes_the_ticket_types_of_all() -> None:
    versions = Versions()
    before = versions.clock
    versions.record([TicketType])
    assert versions.changed_since(before, scopes_of_event(TicketType, 2))


def test_nothing_changes_without_a_model() -> None:
    versions = Versions()
    before = versions.clock
    versions.record([], [1])
    assert versions.clock == before


def test_the_number_of_scopes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SCOPES", 10)
    versions = Versions()
    before = versions.clock
    for event_id in range(100):
        versions.record([TicketType], [event_id])
        assert len(versions._changed) <= 10
    assert versions.changed_since(before, scopes_of_event(TicketType, 3))
    assert versions.changed_since(before, scopes_of((Organization,)))  # rather too much than too little
    assert not versions.changed_since(versions.clock, scopes_of((Organization,)))


# Several processes ----------------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[PrivateServer]:
    """Start a Redis server that the test may stop and start."""
    with private_redis() as server:
        yield server


@pytest.fixture
async def pair(server: PrivateServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[SharedVersions]]:
    """Open the versions of two processes on one Redis server."""
    monkeypatch.setattr(channel, "RETRY_SECONDS", 0.05)
    pair = [SharedVersions(server.url), SharedVersions(server.url)]
    for versions in pair:
        await wait_until_informed(versions)
    yield pair
    for versions in pair:
        await versions.aclose()
        assert not versions._tasks


async def has_changed(versions: Versions, clock: int) -> bool:
    """Return whether events change within two seconds."""
    try:
        async with asyncio.timeout(2):
            while not versions.changed_since(clock, scopes_of((Event,))):  # noqa: ASYNC110 - there is no event to wait for
                await asyncio.sleep(0.005)
    except TimeoutError:
        return False
    return True


@pytest.mark.backend("postgres")
async def test_a_change_is_known_here_at_once_and_elsewhere_within_moments(pair: list[SharedVersions]) -> None:
    here, there = pair
    clocks = here.clock, there.clock
    here.record([Event])
    assert here.changed_since(clocks[0], scopes_of((Event,)))
    assert await has_changed(there, clocks[1])
    assert not there.changed_since(clocks[1], scopes_of((Organization,)))


@pytest.mark.backend("postgres")
async def test_changes_in_quick_succession_are_sent_together(pair: list[SharedVersions]) -> None:
    here, there = pair
    received: list[object] = []
    there.listeners.append(received.append)
    for event_id in range(200):
        here.record([TicketType], [event_id])
        await asyncio.sleep(0)
    await asyncio.sleep(0.5)
    assert 1 <= len(received) <= 5
    assert all(there.changed_since(0, scopes_of_event(TicketType, event_id)) for event_id in range(200))


@pytest.mark.backend("postgres")
async def test_after_a_loss_everything_counts_as_changed(server: PrivateServer, pair: list[SharedVersions]) -> None:
    here, there = pair
    server.stop()
    async with asyncio.timeout(5):
        while there.is_informed:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)
    assert there.max_age(60) == 1
    here.record([Event])
    clock = there.clock
    server.start()
    await wait_until_informed(there)
    assert there.max_age(60) == 60
    assert await has_changed(there, clock)


@pytest.mark.backend("postgres")
@pytest.mark.parametrize("message", ["", "{", "3", "[]", '["x", 1]', '["x", ["events"], 1]', '["x", [1]]'])
async def test_a_message_in_an_unknown_format_changes_everything(pair: list[SharedVersions], message: str) -> None:
    here, there = pair
    clock = there.clock
    await here._commands.execute("PUBLISH", there._channel, message)
    assert await has_changed(there, clock)
