"""The last admin, who cannot be demoted or deleted, even by simultaneous requests (decisions 8.6)."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from tortoise.queryset import QuerySet

from amarevents.models import User
from amarevents.models.enums import KeyType
from amarevents.resolvers.accounts import users
from tests.support.rest_answers import data_of, error_in, refused
from tests.support.world import Caller, World

DEMOTED = {"admin": False}
Request = Callable[[Caller, int], Coroutine[Any, Any, httpx.Response]]  # Any: the send type


def demote(caller: Caller, account_id: int) -> Coroutine[Any, Any, httpx.Response]:
    return caller.put(f"/admin/users/{account_id}", DEMOTED)


def delete(caller: Caller, account_id: int) -> Coroutine[Any, Any, httpx.Response]:
    return caller.delete(f"/admin/users/{account_id}")


@dataclass
class Admins:
    """The only two admins of the platform."""

    first: Caller
    second: Caller

    @property
    def ids(self) -> tuple[int, int]:
        assert self.first.user is not None
        assert self.second.user is not None
        return self.first.user.id, self.second.user.id


@pytest.fixture
async def admins(world: World) -> Admins:
    return Admins(await world.admin_key(), await world.admin_key())


async def admin_count() -> int:
    return await User.filter(admin=True).count()


async def test_last_admin_cannot_be_demoted(world: World) -> None:
    only = await world.admin_key()
    assert only.user is not None
    await world.organizer()
    for caller in (only, await world.session(only.user)):
        for body in (DEMOTED, {"admin": 0, "country": "BD"}):
            await refused(caller.put(f"/admin/users/{only.user.id}", body), 400, "LAST_ADMIN")


async def test_other_fields_of_the_last_admin_can_be_changed(world: World) -> None:
    only = await world.admin_key()
    assert only.user is not None
    shown = data_of(
        await only.put(f"/admin/users/{only.user.id}", {"country": "BD", "admin": True, "type": "organizer"})
    )
    assert (shown["country"], shown["admin"], shown["type"]) == ("BD", True, "organizer")


async def test_one_of_two_admins_can_be_demoted_and_the_other_cannot(admins: Admins) -> None:
    first, second = admins.ids
    data_of(await demote(admins.first, first))  # its own account
    error_in(await admins.first.get("/admin/users"), 403, "ROLE_LOST")
    await refused(demote(admins.second, second), 400, "LAST_ADMIN")


async def test_admins_cannot_delete_their_own_account(world: World, admins: Admins) -> None:
    assert admins.first.user is not None
    for caller in (admins.first, await world.session(admins.first.user)):
        await refused(delete(caller, admins.ids[0]), 400, "OWN_ACCOUNT")
    data_of(await delete(admins.second, admins.ids[0]))
    await refused(delete(admins.second, admins.ids[1]), 400, "OWN_ACCOUNT")


async def test_admin_keys_are_refused_as_soon_as_their_owner_is_demoted(world: World, admins: Admins) -> None:
    assert admins.first.user is not None
    session, user_key = await world.session(admins.first.user), await world.key(admins.first.user, KeyType.USER)
    data_of(await demote(admins.second, admins.ids[0]))
    error_in(await admins.first.get("/events"), 403, "ROLE_LOST")
    error_in(await session.get("/admin/users"), 403, "WRONG_KEY_TYPE")
    data_of(await user_key.get("/auth/me"))


# Simultaneous requests ------------------------------------------------------------------------------------------


@pytest.fixture
def slow_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Delay each transaction after its lock, so that both requests have passed the policy before either writes."""
    lock = users._lock_with_admins

    async def lock_late(user_id: int) -> tuple[User, bool]:
        found = await lock(user_id)
        await asyncio.sleep(0.2)
        return found

    monkeypatch.setattr(users, "_lock_with_admins", lock_late)


async def remove_each_other(admins: Admins, to_first: Request, to_second: Request) -> Counter[int]:
    first, second = admins.ids
    responses = await asyncio.gather(to_second(admins.first, second), to_first(admins.second, first))
    return Counter(response.status_code for response in responses)


PAIRS = [(demote, demote), (delete, delete), (demote, delete), (delete, demote)]


@pytest.mark.usefixtures("slow_locks")
@pytest.mark.parametrize(("to_first", "to_second"), PAIRS)
async def test_two_admins_who_remove_each_other_leave_one_admin(
    admins: Admins, to_first: Request, to_second: Request
) -> None:
    assert await remove_each_other(admins, to_first, to_second) == {200: 1, 400: 1}
    assert await admin_count() == 1


@pytest.mark.usefixtures("slow_locks")
async def test_two_admins_who_demote_themselves_leave_one_admin(admins: Admins) -> None:
    first, second = admins.ids
    responses = await asyncio.gather(demote(admins.first, first), demote(admins.second, second))
    assert Counter(response.json().get("code") for response in responses) == {None: 1, "LAST_ADMIN": 1}
    assert await admin_count() == 1


@pytest.mark.usefixtures("slow_locks")
async def test_five_admins_who_remove_each_other_leave_an_admin(world: World) -> None:
    callers = [await world.admin_key() for _ in range(5)]
    ids = [caller.user.id for caller in callers if caller.user]
    requests = [
        (demote if (number + other) % 2 else delete)(caller, target)
        for number, caller in enumerate(callers)
        for other, target in enumerate(ids)
        if number != other
    ]
    responses = await asyncio.gather(*requests)
    assert {response.status_code for response in responses} <= {200, 400, 401, 403, 404}
    assert await admin_count() >= 1


@pytest.mark.backend("postgres")
@pytest.mark.usefixtures("slow_locks")
@pytest.mark.parametrize(("to_first", "to_second"), PAIRS)
async def test_without_the_lock_no_admin_would_be_left(
    admins: Admins, monkeypatch: pytest.MonkeyPatch, to_first: Request, to_second: Request
) -> None:
    monkeypatch.setattr(QuerySet, "select_for_update", lambda queryset, **_options: queryset)
    assert await remove_each_other(admins, to_first, to_second) == {200: 2}
    assert await admin_count() == 0
