"""Private events, visible only to their owner, admins and ticket holders (decisions 4.1)."""

import pytest

from amarevents.models import Event
from amarevents.models.enums import KeyType, Privacy, TicketStatus
from tests.rest.conftest import Stage
from tests.support.rest_answers import data_of, error_in, page_in, refused
from tests.support.world import Caller, World

WITHOUT_EVENTS_READ = ["tickets:read", "tickets:write", "users:read"]


@pytest.fixture
async def secret(world: World, stage: Stage) -> Event:
    event = await world.event(stage.organization, name="Secret supper", privacy=Privacy.PRIVATE)
    await world.ticket_type(event)
    return event


async def sees(caller: Caller, event: Event) -> bool:
    """Return whether the caller sees the event; the list, the event and its ticket types must agree."""
    ids, pagination = page_in(await caller.get("/events", search="secret"))
    responses = [await caller.get(f"/events/{event.id}"), await caller.get("/ticket-types", event_id=event.id)]
    statuses = {response.status_code for response in responses}
    assert len(ids) == pagination["total"]
    assert (statuses, event.id in ids) in (({200}, True), ({404}, False))
    return event.id in ids


@pytest.mark.parametrize("caller_name", ["anonymous", "buyer", "rival", "rival session", "holder of another ticket"])
async def test_other_callers_do_not_see_a_private_event(
    world: World, stage: Stage, secret: Event, caller_name: str
) -> None:
    assert stage.rival.user is not None
    other = await world.user()
    await world.ticket(stage.event, other)
    callers = {
        "anonymous": world.anonymous,
        "rival session": await world.session(stage.rival.user),
        "holder of another ticket": await world.key(other),
    }
    caller = callers.get(caller_name) or getattr(stage, caller_name)
    assert not await sees(caller, secret)
    assert page_in(await caller.get("/events", organization_id=stage.organization.id))[0] == [stage.event.id]


@pytest.mark.parametrize("caller_name", ["buyer", "rival"])
async def test_other_callers_cannot_register_or_list_tickets(stage: Stage, secret: Event, caller_name: str) -> None:
    caller = getattr(stage, caller_name)
    await refused(caller.post("/tickets", {"event_id": secret.id}), 404, "NOT_FOUND")
    await refused(caller.get("/tickets", event_id=secret.id), 404, "NOT_FOUND")
    if caller_name == "rival":
        await refused(caller.post("/ticket-types", {"event_id": secret.id, "name": "x"}), 404, "NOT_FOUND")


async def test_hidden_event_gives_the_same_error_as_an_unknown_one(stage: Stage, secret: Event) -> None:
    hidden = await stage.buyer.get(f"/events/{secret.id}")
    assert hidden.json() == (await stage.buyer.get("/events/999999")).json()


@pytest.mark.parametrize("key_type", list(KeyType))
async def test_owner_sees_a_private_event_with_a_key_of_any_type(
    world: World, stage: Stage, secret: Event, key_type: KeyType
) -> None:
    assert stage.organizer.user is not None
    await stage.organizer.user.update_from_dict({"admin": key_type is KeyType.ADMIN}).save()
    assert await sees(await world.key(stage.organizer.user, key_type), secret)


async def test_owner_and_admins_see_a_private_event_in_a_session(world: World, stage: Stage, secret: Event) -> None:
    assert stage.organizer.user is not None
    assert stage.admin.user is not None
    assert await sees(await world.session(stage.organizer.user), secret)
    assert await sees(await world.session(stage.admin.user), secret)
    assert await sees(stage.admin, secret)


async def test_user_key_of_an_admin_does_not_see_a_private_event(world: World, stage: Stage, secret: Event) -> None:
    assert stage.admin.user is not None
    assert not await sees(await world.key(stage.admin.user), secret)


@pytest.mark.parametrize(
    ("status", "seen"),
    [
        (TicketStatus.PENDING, True), (TicketStatus.SUCCESS, True),
        (TicketStatus.FAILED, False), (TicketStatus.REFUNDED, False),
    ],
)  # fmt: skip
async def test_holder_of_a_valid_ticket_sees_a_private_event(
    world: World, stage: Stage, secret: Event, status: TicketStatus, seen: bool
) -> None:
    await world.ticket(secret, stage.buyer_account, status=status)
    assert await sees(stage.buyer, secret) is seen
    assert await sees(await world.session(stage.buyer_account), secret) is seen


async def test_ticket_with_the_accounts_email_shows_a_private_event(world: World, stage: Stage, secret: Event) -> None:
    assert stage.organizer.user is not None
    await world.ticket(secret, stage.organizer.user, email=stage.buyer_account.email)
    assert await sees(stage.buyer, secret)


async def test_ticket_holder_can_register_again(world: World, stage: Stage, secret: Event) -> None:
    await world.ticket(secret, stage.buyer_account)
    assert data_of(await stage.buyer.post("/tickets", {"event_id": secret.id}), 201)["event_name"] == "Secret supper"


async def test_key_without_events_read_does_not_see_a_private_event(world: World, stage: Stage, secret: Event) -> None:
    assert stage.organizer.user is not None
    await world.ticket(secret, stage.buyer_account)
    assert not await sees(await world.key(stage.buyer_account, permissions=WITHOUT_EVENTS_READ), secret)
    owner_key = await world.key(stage.organizer.user, KeyType.ORGANIZER, permissions=WITHOUT_EVENTS_READ)
    assert not await sees(owner_key, secret)


async def test_organizations_do_not_count_private_events(world: World, stage: Stage, secret: Event) -> None:
    for caller in (world.anonymous, stage.organizer, stage.admin):
        shown = data_of(await caller.get(f"/organizations/{stage.organization.id}"))
        assert shown["public_event_count"] == 1
        assert [event["id"] for event in shown["recent_events"]] == [stage.event.id]


async def test_event_that_becomes_private_is_hidden_at_once(world: World, stage: Stage) -> None:
    assert data_of(await world.anonymous.get(f"/events/{stage.event.id}"))["privacy"] == "public"
    await Event.filter(id=stage.event.id).update(privacy=Privacy.PRIVATE)
    error_in(await world.anonymous.get(f"/events/{stage.event.id}"), 404, "NOT_FOUND")
