"""The cache of list totals: per filter and caller, for seconds, invalidated by the writes that change a total."""

import asyncio
import dataclasses

import pytest
from starlette.applications import Starlette

from amarevents.infra.count_cache import CountCache
from amarevents.infra.shared_versions import versions_for
from amarevents.infra.versions import Versions
from amarevents.models import Event, Organization
from amarevents.models.enums import Privacy
from amarevents.settings import Settings
from tests.rest.conftest import CacheTotals
from tests.support.rest_answers import data_of
from tests.support.statements import counted_statements
from tests.support.world import Caller, World


async def total_of(caller: Caller, path: str = "/events", **query: object) -> int:
    response = await caller.get(path, **query)
    total: int = response.json()["pagination"]["total"]
    return total


async def count_statements(caller: Caller, path: str = "/events") -> int:
    """Return the number of totals that a request counts in the database."""
    with counted_statements() as statements:
        await total_of(caller, path)
    return len([one for one in statements if one.startswith("SELECT COUNT(*)")])


async def test_total_is_counted_once(world: World, cache_totals: CacheTotals) -> None:
    await world.event(await world.organizer())
    assert [await count_statements(world.anonymous) for _ in range(3)] == [1, 0, 0]


async def test_connection_uses_the_total_cached_by_numbered_pages(world: World, cache_totals: CacheTotals) -> None:
    await world.event(await world.organizer())
    assert await count_statements(world.anonymous) == 1
    with counted_statements() as statements:
        response = await world.anonymous.graphql("{ eventsConnection { totalCount } }")
    assert response["data"]["eventsConnection"] == {"totalCount": 1}
    assert not [one for one in statements if one.startswith("SELECT COUNT(*)")]


async def test_simultaneous_requests_count_once(world: World, cache_totals: CacheTotals) -> None:
    await world.event(await world.organizer())
    with counted_statements() as statements:
        totals = await asyncio.gather(*(total_of(world.anonymous) for _ in range(8)))
    assert totals == [1] * 8
    assert len([one for one in statements if one.startswith("SELECT COUNT(*)")]) == 1


async def test_totals_are_cached_per_filter_and_caller(world: World, cache_totals: CacheTotals) -> None:
    owner = await world.organizer()
    await world.event(owner, category="Concert")
    await world.event(owner, privacy=Privacy.PRIVATE)
    await world.event(owner, name="Fair")
    callers = [world.anonymous, await world.session(owner), await world.user_key()]
    assert [await total_of(caller) for caller in callers] == [2, 3, 2]
    assert [await total_of(world.anonymous, search=word) for word in ("Fair", "fai", "none")] == [1, 1, 0]
    assert await total_of(world.anonymous, category="concert") == 1


async def test_write_changes_the_total_at_once(world: World, cache_totals: CacheTotals) -> None:
    owner = await world.organizer()
    organizer, organization = await world.session(owner), await world.organization(owner)
    assert await total_of(world.anonymous) == 0
    created = data_of(await organizer.post("/events", {"name": "Fair", "organization_id": organization.id}), 201)
    assert await total_of(world.anonymous) == 1
    data_of(await organizer.put(f"/events/{created['id']}", {"privacy": "private"}))
    assert await total_of(world.anonymous) == 0
    data_of(await organizer.put(f"/events/{created['id']}", {"privacy": "public"}))
    assert await total_of(world.anonymous) == 1
    data_of(await organizer.delete(f"/events/{created['id']}"))
    assert await total_of(world.anonymous) == 0


async def test_write_in_an_idempotent_request_changes_the_total_at_once(
    world: World, cache_totals: CacheTotals
) -> None:
    owner = await world.organizer()
    event, organizer = await world.event(owner), await world.session(owner)
    path = f"/events/{event.id}/tickets"
    assert await total_of(organizer, path) == 0
    for _ in range(2):
        data_of(await organizer.post("/tickets", {"event_id": event.id}, idempotency_key="once"), 201)
    assert await total_of(organizer, path) == 1


async def test_without_invalidation_a_total_would_be_outdated(
    world: World, cache_totals: CacheTotals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control of the test above."""

    def record_nothing(_versions: Versions, _models: object, _event_ids: object) -> None: ...

    monkeypatch.setattr(Versions, "record", record_nothing)
    donor = world.anonymous
    admin = await world.admin_key()
    assert await total_of(admin, "/donations") == 0
    body = {"email": "a@example.com", "number": "01700000", "amount": 5, "transaction_id": "ABCDE", "type": "bkash"}
    data_of(await donor.post("/donations", body), 201)
    assert await total_of(admin, "/donations") == 0


async def test_cached_total_expires(world: World, app: Starlette) -> None:
    totals = CountCache(app.state.services.versions, seconds=1)
    app.state.services = dataclasses.replace(app.state.services, count_cache=totals)
    assert await total_of(world.anonymous) == 0
    await world.event(await world.organizer())  # without an operation
    for _ in range(40):
        if await total_of(world.anonymous) == 1:
            break
        await asyncio.sleep(0.1)
    assert await total_of(world.anonymous) == 1


@pytest.mark.backend("postgres")
async def test_write_of_another_process_changes_the_total_within_moments(
    world: World, cache_totals: CacheTotals, deployment: Settings
) -> None:
    other = versions_for(deployment)
    assert await total_of(world.anonymous) == 0
    await world.event(await world.organizer())
    assert await total_of(world.anonymous) == 0  # not recorded yet
    other.record((Event, Organization))
    async with asyncio.timeout(5):
        while await total_of(world.anonymous) == 0:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)
    assert await total_of(world.anonymous) == 1
    await other.aclose()


@pytest.mark.backend("postgres")
async def test_totals_are_counted_while_redis_is_unavailable(
    world: World, cache_totals: CacheTotals, deployment: Settings
) -> None:
    cache_totals(deployment.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}))
    organization = await world.organization(await world.organizer())
    admin = await world.admin_key()
    assert await total_of(world.anonymous) == 0
    data_of(await admin.post("/events", {"name": "Fair", "organization_id": organization.id}), 201)
    assert await total_of(world.anonymous) == 1


async def test_registration_does_not_invalidate_the_total_of_public_events(
    world: World, cache_totals: CacheTotals
) -> None:
    event, buyer = await world.event(await world.organizer()), await world.user_key()
    assert await count_statements(world.anonymous) == 1
    data_of(await buyer.post("/tickets", {"event_id": event.id}), 201)
    assert (await buyer.post("/tickets", {"event_id": 0})).status_code == 400
    assert await count_statements(world.anonymous) == 0


async def test_refused_write_invalidates_nothing(world: World, cache_totals: CacheTotals) -> None:
    buyer, admin = await world.user_key(), await world.admin_key()
    assert await count_statements(admin, "/donations") == 1
    assert (await buyer.post("/donations", {"amount": 1})).status_code == 400
    assert (await admin.put("/donations/1", {"status": "verified"})).status_code == 404
    assert await count_statements(admin, "/donations") == 0
