"""Deletions of accounts simultaneous with each other and with other requests of and about the account (8.6)."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import httpx
import pytest
from tortoise.queryset import QuerySet

from amarevents.models import CustomValue, Event, Organization, Ticket, User
from amarevents.models.enums import KeyType, Privacy
from amarevents.resolvers.accounts import deletion, users
from amarevents.resolvers.events import deletion as event_deletion
from amarevents.security.context import Context
from tests.rest.accounts.populated_accounts import populated_organizer
from tests.rest.conftest import Stage
from tests.support.consistency import find_inconsistencies
from tests.support.rest_answers import outcomes
from tests.support.world import World

Request = Coroutine[Any, Any, httpx.Response]  # Any: the send type


@pytest.fixture
def slow_deletion(monkeypatch: pytest.MonkeyPatch) -> None:
    async def delete_late(ctx: Context, user_id: int) -> None:
        await asyncio.sleep(0.1)
        await deletion.cascade_delete_account(ctx, user_id)

    monkeypatch.setattr(users, "cascade_delete_account", delete_late)


@pytest.mark.usefixtures("slow_deletion")
async def test_one_of_five_simultaneous_deletions_succeeds(world: World, stage: Stage) -> None:
    account = await populated_organizer(world, stage, await world.ticket_type(stage.event, capacity=10))
    responses = await asyncio.gather(*(stage.admin.delete(f"/admin/users/{account.id}") for _ in range(5)))
    assert outcomes(responses) == {(200, None): 1, (404, "NOT_FOUND"): 4}
    assert await find_inconsistencies() == {}


@pytest.mark.backend("postgres")
async def test_without_the_lock_two_deletions_would_release_places_twice(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket_type, account = await world.ticket_type(stage.event, capacity=10), await world.user()
    for holder in (account, stage.buyer_account):
        await world.ticket(stage.event, holder, ticket_type=ticket_type)
    both = asyncio.Barrier(2)

    async def wait_for_the_other(rows: QuerySet[Any]) -> list[int]:  # Any: rows of several models
        ids = [row.pk for row in await rows]
        await both.wait()
        return ids

    monkeypatch.setattr(QuerySet, "select_for_update", lambda queryset, **_options: queryset)
    monkeypatch.setattr(event_deletion, "lock_in_order", wait_for_the_other)
    await asyncio.gather(*(stage.admin.delete(f"/admin/users/{account.id}") for _ in range(2)))
    assert await find_inconsistencies() == {"ticket_types.sold": [ticket_type.id]}


@pytest.mark.parametrize("position", [1, 10, 25])
async def test_deletion_during_registrations_leaves_no_rows(world: World, stage: Stage, position: int) -> None:
    await world.ticket_type(stage.event)
    await world.custom_field(stage.event, "Size")
    body = {"event_id": stage.event.id, "custom_fields": {"Size": "M"}}
    requests = [stage.buyer.post("/tickets", body) for _ in range(40)]
    requests.insert(position, stage.admin.delete(f"/admin/users/{stage.buyer_account.id}"))
    counts = outcomes(await asyncio.gather(*requests))
    assert counts.keys() <= {(200, None), (201, None), (404, "NOT_FOUND"), (401, "INVALID_API_KEY")}
    assert counts[200, None] == 1
    assert await Ticket.all().count() == await CustomValue.all().count() == 0
    assert await find_inconsistencies() == {}


@pytest.mark.parametrize("position", [1, 10, 25])
async def test_deletion_during_creations_of_events_leaves_no_rows(world: World, stage: Stage, position: int) -> None:
    caller = await world.organizer_key()
    assert caller.user is not None
    organization = await world.organization(caller.user)
    body = {"name": "x", "organization_id": organization.id, "ticket_types": [{"name": "VIP"}]}
    requests = [caller.post("/events", body) for _ in range(40)]
    requests.insert(position, stage.admin.delete(f"/admin/users/{caller.user.id}"))
    counts = outcomes(await asyncio.gather(*requests))
    assert counts.keys() <= {(200, None), (201, None), (404, "NOT_FOUND"), (401, "INVALID_API_KEY")}
    assert counts[200, None] == 1
    assert [event.id for event in await Event.all()] == [stage.event.id]
    assert await find_inconsistencies() == {}


async def test_deletion_during_requests_of_every_kind_leaves_no_rows(world: World, stage: Stage) -> None:
    account = await populated_organizer(world, stage, await world.ticket_type(stage.event))
    events = Event.filter(organization__user_id=account.id, privacy=Privacy.PUBLIC).select_related("organization")
    event = (await events.order_by("id"))[0]
    requests = [
        *await requests_of_account(world, stage, account, event),
        *await requests_of_others(world, stage, account, event),
    ]
    requests.insert(len(requests) // 2, stage.admin.delete(f"/admin/users/{account.id}"))
    responses = await asyncio.gather(*requests)
    assert [response.text for response in responses if response.status_code >= 500] == []
    assert await User.filter(id=account.id).count() == 0
    assert await find_inconsistencies() == {}


async def requests_of_account(world: World, stage: Stage, account: User, event: Event) -> list[Request]:
    key, session = await world.key(account, KeyType.ORGANIZER), await world.session(account)
    return [
        *(key.post("/tickets", {"event_id": stage.event.id}) for _ in range(4)),
        *(key.post("/events", {"name": "x", "organization_id": event.organization_id}) for _ in range(4)),
        *(session.put("/users/me", {"country": "BD"}) for _ in range(4)),
        *(key.get("/users/me") for _ in range(3)),
    ]


async def requests_of_others(world: World, stage: Stage, account: User, event: Event) -> list[Request]:
    tickets = await Ticket.filter(event_id=event.id)
    path = f"/admin/users/{account.id}"
    return [
        *(stage.buyer.post("/tickets", {"event_id": event.id}) for _ in range(8)),
        *(stage.admin.put(f"/tickets/{ticket.id}", {"status": "Failed"}) for ticket in tickets),
        *(world.anonymous.post("/donations", donation_to(event.organization, number)) for number in range(6)),
        *(stage.admin.put(path, {"promote_organizer": True}) for _ in range(3)),
        *(stage.admin.put(f"/organizations/{event.organization_id}", {"name": "y"}) for _ in range(4)),
        *(stage.admin.delete(f"/events/{event.id}") for _ in range(2)),
        *(stage.admin.get(path) for _ in range(3)),
    ]


def donation_to(organization: Organization, number: int) -> dict[str, Any]:
    return {
        "email": "giver@example.com", "number": "01700000000", "amount": 5, "transaction_id": f"CROWD{number}",
        "type": "bkash", "organization_id": organization.id,
    }  # fmt: skip
