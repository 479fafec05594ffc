"""Password hashing: Argon2id, in threads, and with the same work for unknown emails (decisions 8.2)."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator

import argon2
import httpx
import pytest

from amarevents.models import User
from amarevents.security.auth.passwords import PasswordHasher
from amarevents.settings import Settings
from tests.support.world import World, snapshot

RIGHT = "correct horse"
CHEAP = Settings(argon2_time_cost=1, argon2_memory_kib=8)


@pytest.fixture
def verifications(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the hashes that passwords are verified against."""
    seen: list[str] = []
    original = argon2.PasswordHasher.verify

    def verify(self: argon2.PasswordHasher, stored: str, password: str) -> bool:
        seen.append(stored)
        return original(self, stored, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", verify)
    return seen


@pytest.fixture
def hasher() -> Iterator[PasswordHasher]:
    with contextlib.closing(PasswordHasher(CHEAP)) as made:
        yield made


async def test_a_hash_is_argon2id_with_the_parameters_of_the_settings(hasher: PasswordHasher) -> None:
    assert (await hasher.hash(RIGHT)).startswith("$argon2id$v=19$m=8,t=1,p=1$")


def test_the_default_parameters_are_those_of_owasp() -> None:
    assert (Settings().argon2_memory_kib, Settings().argon2_time_cost) == (19 * 1024, 2)


async def test_only_the_right_password_is_accepted(hasher: PasswordHasher) -> None:
    stored = await hasher.hash(RIGHT)
    assert await hasher.verify(RIGHT, stored)
    assert not await hasher.verify("wrong horse", stored)
    assert not await hasher.verify(RIGHT, "no hash at all")


async def test_password_that_has_two_forms_is_verified_as_often_without_an_account(
    hasher: PasswordHasher, verifications: list[str]
) -> None:
    """The time taken must not reveal whether the account exists."""
    stored = await hasher.hash(RIGHT)
    for known in (stored, None):
        assert not await hasher.verify("wrong\u00a0horse", known)
    assert (len(verifications), verifications.count(stored)) == (4, 2)


async def test_hash_is_renewed_only_if_it_is_outdated(hasher: PasswordHasher) -> None:
    """It is if its parameters are, or if it is of a password that was not normalized (decisions 1.11)."""
    entered = "correct\u00a0horse"
    current = await hasher.hash(entered)
    assert await hasher.renew(entered, current) == await hasher.renew(RIGHT, current) == current
    for old in (argon2.PasswordHasher(1, 8, 1).hash(entered), argon2.PasswordHasher(2, 8, 1).hash(RIGHT)):
        renewed = await hasher.renew(entered, old)
        assert renewed != old
        assert await hasher.verify(RIGHT, renewed)


async def test_an_unknown_account_is_verified_against_a_decoy_hash(
    hasher: PasswordHasher, verifications: list[str]
) -> None:
    assert not await hasher.verify("no account has this password", None)
    assert len(verifications) == 1


async def _iterations_during(work: Callable[[], Awaitable[object]]) -> int:
    """Return how often another task runs while the work is done."""
    iterations = 0

    async def iterate() -> None:
        nonlocal iterations
        while True:
            await asyncio.sleep(0.001)
            iterations += 1

    other_task = asyncio.create_task(iterate())
    await work()
    other_task.cancel()
    return iterations


async def test_the_event_loop_is_not_blocked_while_passwords_are_verified() -> None:
    with contextlib.closing(PasswordHasher(Settings())) as hasher:
        stored = await hasher.hash(RIGHT)
        off_the_loop = await _iterations_during(
            lambda: asyncio.gather(*[hasher.verify(RIGHT, stored) for _ in range(8)])
        )

        async def on_the_loop() -> None:
            for _ in range(8):
                hasher._matches(stored, RIGHT)

        blocked = await _iterations_during(on_the_loop)
    assert off_the_loop >= 8
    assert blocked <= 1


async def test_an_unknown_email_has_the_cost_and_the_answer_of_a_wrong_password(
    http: httpx.AsyncClient, world: World, verifications: list[str]
) -> None:
    await _account(world)
    unknown = await http.post("/api/auth/login", json={"email": "unknown@example.com", "password": "wrong horse"})
    assert len(verifications) == 1
    wrong = await http.post("/api/auth/login", json={"email": "karim@example.com", "password": "wrong horse"})
    assert len(verifications) == 2
    assert unknown.status_code == wrong.status_code == 401
    assert unknown.json() == wrong.json()


async def test_a_hash_with_outdated_parameters_is_replaced_at_login(http: httpx.AsyncClient, world: World) -> None:
    user = await _account(world, argon2.PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(RIGHT))
    for _ in range(2):
        answer = await http.post("/api/auth/login", json={"email": user.email, "password": RIGHT})
        http.cookies.clear()
        assert answer.status_code == 200
        assert (await User.get(id=user.id)).password_hash.startswith("$argon2id$v=19$m=8,t=1,p=1$")


async def test_a_wrong_password_does_not_replace_the_hash(http: httpx.AsyncClient, world: World) -> None:
    user = await _account(world, argon2.PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(RIGHT))
    before = await snapshot()
    assert (await http.post("/api/auth/login", json={"email": user.email, "password": "wrong"})).status_code == 401
    assert await snapshot() == before


@pytest.mark.parametrize(("length", "status"), [(5, 400), (6, 201), (128, 201), (129, 400)])
async def test_passwords_must_have_6_to_128_characters(world: World, length: int, status: int) -> None:
    account = {"username": "karim", "email": "karim@example.com", "number": "01700000000", "password": "p" * length}
    answer = await world.anonymous.post("/auth/register", account)
    assert answer.status_code == status
    assert await User.exists(username="karim") is (status == 201)


async def _account(world: World, password_hash: str | None = None) -> User:
    cheap = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    return await world.user(username="Karim", password_hash=password_hash or cheap.hash(RIGHT))
