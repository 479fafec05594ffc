"""Private events in lists, totals and the responses of all GET routes (decisions 4.1, 6.9)."""

from typing import Any

import httpx
import pytest

from amarevents.models import ApiKey, Event, Session, Ticket, User
from amarevents.models.enums import Privacy, TicketStatus
from amarevents.rest.routes import ROUTES
from tests.rest.conftest import Stage
from tests.rest.private_event import OTHER_CALLERS, PRIVATE_TEXTS, create_private_event, other_callers
from tests.support.world import Caller, World, hash_password

SEARCHES = ["/events", "/organizations"]


async def all_lists(caller: Caller, organization_id: int) -> dict[str, Any]:
    """Return the responses of every list, with every filter that could find the private event."""
    queries: list[tuple[str, dict[str, Any]]] = [
        *((path, {"search": word}) for path in SEARCHES for word in ("", *PRIVATE_TEXTS)),
        ("/events", {"organization_id": organization_id}), ("/events", {"category": "festival"}),
        ("/events", {"limit": 1, "page": 2}), (f"/organizations/{organization_id}", {}), ("/tickets", {}),
        *(("/tickets", {"status": status}) for status in TicketStatus), ("/users/me", {}), ("/users/me/tickets", {}),
        *(("/donations", {"status": status}) for status in ("", "pending", "verified", "rejected")),
    ]  # fmt: skip
    return {f"{path} {query}": (await caller.get(path, **query)).json() for path, query in queries}


@pytest.mark.parametrize("caller_name", OTHER_CALLERS)
async def test_private_event_changes_no_list_and_no_total(world: World, stage: Stage, caller_name: str) -> None:
    caller = (await other_callers(world, stage))[caller_name]
    before = await all_lists(caller, stage.organization.id)
    await create_private_event(world, stage)
    await world.donation(stage.organization, email="zohra@private.example")
    assert await all_lists(caller, stage.organization.id) == before


async def test_public_event_changes_lists_and_totals(world: World, stage: Stage) -> None:
    """Control of the test above."""
    before = await all_lists(world.anonymous, stage.organization.id)
    secret = await create_private_event(world, stage)
    await Event.filter(id=secret.event.id).update(privacy=Privacy.PUBLIC)
    after = await all_lists(world.anonymous, stage.organization.id)
    changed = {name for name in before if before[name] != after[name]}
    assert changed > {"/events {'search': ''}", "/events {'category': 'festival'}", "/events {'search': 'Lalmatia'}"}
    assert changed > {f"/organizations/{stage.organization.id} {{}}", "/organizations {'search': ''}"}


async def read_every_route(caller: Caller, ids: dict[str, list[int]]) -> dict[str, httpx.Response]:
    """Return the responses of every GET route, for each ID of its resource."""
    responses = {}
    for path in [path for route in ROUTES if route.method == "GET" for path in paths_of(route.path, ids)]:
        query = {"event_id": ids["events"][0]} if path == "/ticket-types" else {}
        responses[path] = await caller.get(path, **query)
    return responses


def paths_of(path: str, ids: dict[str, list[int]]) -> list[str]:
    noun = path.removeprefix("/admin").split("/")[1]
    return [path.replace("{id}", str(row)) for row in ids[noun]] if "{id}" in path else [path]


async def all_ids() -> dict[str, list[int]]:
    """Return the IDs of each resource, newest first, so that the private event comes before the public one."""
    nouns = {"events": Event, "tickets": Ticket, "users": User}
    ids = {noun: [row.pk for row in await model.all().order_by("-id")] for noun, model in nouns.items()}
    return {**ids, "organizations": [event.organization_id for event in await Event.all()]}


@pytest.mark.parametrize("caller_name", OTHER_CALLERS)
async def test_no_route_reveals_a_private_event(world: World, stage: Stage, caller_name: str) -> None:
    await create_private_event(world, stage)
    caller = (await other_callers(world, stage))[caller_name]
    responses = await read_every_route(caller, await all_ids())
    found = {path: word for path, response in responses.items() for word in PRIVATE_TEXTS if word in response.text}
    assert found == {}


async def test_routes_show_the_private_event_to_its_owner(world: World, stage: Stage) -> None:
    """Control of the test above: each text occurs in the owner's responses."""
    await create_private_event(world, stage)
    texts = "".join(response.text for response in (await read_every_route(stage.organizer, await all_ids())).values())
    assert [word for word in PRIVATE_TEXTS if word not in texts] == []


async def test_attendees_of_public_events_are_private(world: World, stage: Stage) -> None:
    secret = await create_private_event(world, stage)
    await Event.filter(id=secret.event.id).update(privacy=Privacy.PUBLIC)
    personal = ["Zohra", "zohra@private.example", "01922222222", "TXHIDDEN1", "no onions", "peanuts", "AEHIDDENCODE"]
    ids = await all_ids()
    for caller_name, caller in (await other_callers(world, stage)).items():
        for path, response in (await read_every_route(caller, ids)).items():
            assert [word for word in personal if word in response.text] == [], (caller_name, path)


@pytest.mark.parametrize("caller_name", ["admin", "organizer", "buyer", "rival session"])
async def test_no_response_contains_a_password_hash_or_a_digest(world: World, stage: Stage, caller_name: str) -> None:
    await create_private_event(world, stage)
    await User.all().update(password_hash=hash_password("correct horse"))
    callers = {**await other_callers(world, stage), "admin": stage.admin, "organizer": stage.organizer}
    stored = [session.digest for session in await Session.all()] + [key.digest for key in await ApiKey.all()]
    responses = await read_every_route(callers[caller_name], await all_ids())
    texts = "".join(response.text for response in responses.values())
    assert [word for word in ("$argon2", "password", "digest", *stored) if word in texts] == []
