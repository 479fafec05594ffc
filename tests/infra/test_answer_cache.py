"""The cache of finished answers: what is kept, for how long, and how much of it."""

import time

import pytest

from amarevents.infra import answer_cache
from amarevents.infra.answer_cache import Answer, AnswerCache
from amarevents.infra.versions import Versions, scopes_of
from amarevents.models import Event, Organization

EVENTS = scopes_of((Event,))


def answer(body: bytes = b"x") -> Answer:
    return Answer(body, b"application/json", EVENTS)


async def keep(cache: AnswerCache, key: bytes = b"key", body: bytes = b"x") -> Answer:
    async def compute() -> Answer:
        return answer(body)

    return await cache.make(key, compute)


async def test_an_answer_is_kept_until_one_of_its_tables_changes() -> None:
    versions = Versions()
    cache = AnswerCache(versions, seconds=60)
    kept = await keep(cache)
    versions.record([Organization])
    assert cache.find(b"key") is kept
    versions.record([Event])
    assert cache.find(b"key") is None


@pytest.mark.parametrize(("changed", "is_kept"), [(Event, False), (Organization, True)], ids=["changed", "control"])
async def test_what_was_read_before_a_change_is_not_kept(changed: type[Event], is_kept: bool) -> None:
    versions = Versions()
    cache = AnswerCache(versions, seconds=60)

    async def compute() -> Answer:
        versions.record([changed])
        return answer()

    await cache.make(b"key", compute)
    assert (cache.find(b"key") is not None) is is_kept


async def test_an_answer_ages_from_before_it_was_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    cache, now = AnswerCache(Versions(), seconds=1), time.monotonic()
    monkeypatch.setattr("amarevents.infra.answer_cache.time.monotonic", lambda: now)

    async def compute() -> Answer:
        nonlocal now
        now += 0.6
        return answer()

    await cache.make(b"key", compute)
    assert cache.find(b"key") is not None
    now += 0.5
    assert cache.find(b"key") is None


async def test_failures_are_not_kept() -> None:
    cache = AnswerCache(Versions(), seconds=60)

    async def fail() -> Answer:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await cache.make(b"key", fail)
    assert cache.find(b"key") is None


async def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_cache, "MAX_BYTES", 100_000)
    cache = AnswerCache(Versions(), seconds=60)
    for number in range(1_000):
        await keep(cache, b"%d" % number, b"x" * 1_000)
        assert cache.find(b"0") is not None  # the most recently used ones are kept
    assert len(cache._kept) == 33
    assert cache._bytes == sum(kept.size for kept in cache._kept.values()) <= 100_000


async def test_the_number_of_answers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_cache, "MAX_ANSWERS", 10)
    cache = AnswerCache(Versions(), seconds=60)
    for number in range(100):
        await keep(cache, b"%d" % number)
    assert len(cache._kept) == 10


async def test_answers_to_long_requests_are_not_kept() -> None:
    cache = AnswerCache(Versions(), seconds=60)
    await keep(cache, b"x" * (answer_cache.MAX_KEY_BYTES + 1))
    assert not cache._kept
