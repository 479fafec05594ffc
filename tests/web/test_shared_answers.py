"""Answers that are the same for all anonymous callers: kept in memory, for them alone, until something changes."""

import asyncio
import datetime
from collections.abc import Callable

import httpx
import pytest
from starlette.applications import Starlette

from amarevents.infra.answer_cache import AnswerCache
from amarevents.infra.versions import Versions
from amarevents.models import Event
from amarevents.models.columns import utc_now
from amarevents.models.enums import Privacy
from amarevents.resolvers.tickets.holds import end_overdue_holds
from amarevents.security.auth.sessions import COOKIE_NAME
from tests.rest.conftest import Stage
from tests.support.kept_answers import keep_answers
from tests.support.rest_answers import data_of
from tests.support.statements import counted_statements
from tests.support.world import World

Configure = Callable[..., None]

QUERY = "{ events { items { id name ticketTypes { name available } } } }"


@pytest.fixture(autouse=True)
def answers(app: Starlette) -> AnswerCache:
    """Make the application keep answers for a minute."""
    return keep_answers(app)


async def read(world: World, path: str = "/api/events", **headers: str) -> httpx.Response:
    return await world.http.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})


async def query(world: World, document: str = QUERY, **headers: str) -> httpx.Response:
    return await world.http.post("/graphql", json={"query": document}, headers=headers)


READS = [
    pytest.param(lambda world, **headers: read(world, **headers), id="REST"),
    pytest.param(lambda world, **headers: query(world, **headers), id="GraphQL by POST"),
    pytest.param(lambda world, **headers: read(world, f"/graphql?query={QUERY}", **headers), id="GraphQL by GET"),
]
Read = Callable[..., "asyncio.Future[httpx.Response]"]


@pytest.mark.parametrize("send", READS)
async def test_the_second_answer_comes_from_memory(world: World, stage: Stage, send: Read) -> None:
    first = await send(world)
    with counted_statements() as statements:
        second = await send(world)
    assert not statements
    assert (second.status_code, second.content) == (200, first.content)
    assert second.headers["Content-Type"] == first.headers["Content-Type"]
    assert second.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    assert str(stage.event.id) in second.text


@pytest.mark.parametrize("send", READS)
async def test_simultaneous_requests_are_computed_once(world: World, stage: Stage, send: Read) -> None:
    with counted_statements() as alone:
        expected = await send(world)
    await world.event(stage.organization)
    world.http._transport.app.state.services.versions.record([Event])  # type: ignore[attr-defined] # of its ASGI transport
    with counted_statements() as together:
        responses = await asyncio.gather(*(send(world) for _ in range(20)))
    assert len(together) == len(alone)
    assert len({response.content for response in responses}) == 1
    assert responses[0].content != expected.content


# Privacy --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("send", READS)
async def test_answers_to_callers_with_a_credential_are_never_kept(
    world: World, stage: Stage, answers: AnswerCache, send: Read
) -> None:
    secret = await world.event(stage.organization, name="Secret supper", privacy=Privacy.PRIVATE)
    assert stage.organizer.user is not None
    session = await world.session(stage.organizer.user)
    api_key = {"X-API-Key": stage.organizer.headers["Authorization"].removeprefix("Bearer ")}
    for headers in (stage.organizer.headers, api_key, session.headers):
        response = await send(world, **headers)
        assert secret.name in response.text
        assert response.headers["Cache-Control"] == "no-store"
        assert "ETag" not in response.headers
    assert not answers._kept
    assert secret.name not in (await send(world)).text


@pytest.mark.parametrize("send", READS)
async def test_callers_with_a_credential_never_get_a_kept_answer(world: World, stage: Stage, send: Read) -> None:
    secret = await world.event(stage.organization, name="Secret supper", privacy=Privacy.PRIVATE)
    assert secret.name not in (await send(world)).text
    assert stage.organizer.user is not None
    session = await world.session(stage.organizer.user)
    for headers in (stage.organizer.headers, session.headers):
        assert secret.name in (await send(world, **headers)).text


@pytest.mark.parametrize("send", READS)
async def test_unknown_sessions_and_wrong_keys_get_no_kept_answer(world: World, stage: Stage, send: Read) -> None:
    await send(world)
    assert (await send(world, Authorization="Bearer wrong")).status_code == 401
    with counted_statements() as statements:
        response = await send(world, Cookie=f"{COOKIE_NAME}=unknown")
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")
    assert statements


async def test_an_event_that_becomes_private_disappears_at_once(world: World, stage: Stage) -> None:
    paths = ["/api/events", f"/api/events/{stage.event.id}", f"/api/ticket-types?event_id={stage.event.id}"]
    assert [(await read(world, path)).status_code for path in paths] == [200] * 3
    assert stage.event.name in (await query(world)).text
    data_of(await stage.organizer.put(f"/events/{stage.event.id}", {"privacy": "private"}))
    assert [(await read(world, path)).status_code for path in paths] == [200, 404, 404]
    assert stage.event.name not in (await read(world)).text
    assert stage.event.name not in (await query(world)).text


async def test_without_versions_a_private_event_would_still_be_shown(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control of the test above."""
    monkeypatch.setattr(Versions, "record", lambda *_arguments: None)
    await read(world)
    data_of(await stage.organizer.put(f"/events/{stage.event.id}", {"privacy": "private"}))
    assert stage.event.name in (await read(world)).text


async def test_an_old_answer_is_computed_again(world: World, app: Starlette, stage: Stage) -> None:
    keep_answers(app, seconds=0.05)
    await read(world)
    await world.event(stage.organization, name="Added without an operation")
    await asyncio.sleep(0.06)
    assert "Added without an operation" in (await read(world)).text


@pytest.mark.parametrize(
    "path", ["/api/events/0", "/api/events/999", "/api/events?page=x", "/api/nowhere", "/graphql?query={me{id}}"]
)
async def test_errors_are_neither_kept_nor_cacheable(world: World, answers: AnswerCache, path: str) -> None:
    response = await read(world, path)
    assert response.headers["Cache-Control"] == "no-store"
    assert "ETag" not in response.headers
    assert not answers._kept


@pytest.mark.parametrize(
    "document",
    [
        "{ rateLimit { remaining } }",
        "{ events { items { id } } rateLimit { remaining } }",
        "query { ...F } fragment F on Query { events { items { id } } ... { rateLimit { remaining } } }",
        "query ($no: Boolean = false) { events { items { id } } rateLimit @include(if: $no) { remaining } }",
        "{ events { items { id tickets { pagination { total } } } } }",
        '{ events { items { id } } event(id: "999") { id } }',
        "{ __schema { queryType { name } } }",
        'mutation { requestPasswordReset(email: "a@example.com") { requested } }',
    ],
)
async def test_other_documents_are_not_kept(world: World, stage: Stage, answers: AnswerCache, document: str) -> None:
    await query(world, document)
    assert not answers._kept


async def test_batches_and_event_streams_are_not_kept(world: World, stage: Stage, answers: AnswerCache) -> None:
    await world.http.post("/graphql", json=[{"query": QUERY}])
    await query(world, Accept="text/event-stream")
    assert not answers._kept


async def test_fragments_of_public_fields_are_kept(world: World, stage: Stage, answers: AnswerCache) -> None:
    fragment = "fragment F on Query { events { items { id } } ... { organizations { items { id } } } }"
    document = f"query {{ __typename ...F }} {fragment}"
    await query(world, document)
    assert len(answers._kept) == 1


async def test_answers_are_kept_apart_by_variables_operation_and_media_type(world: World, stage: Stage) -> None:
    document = (
        "query A($limit: Int) { events(limit: $limit) { items { id } } } query B { organizations { items { id } } }"
    )
    await world.event(stage.organization)
    seen = []
    for variables, name in (({"limit": 1}, "A"), ({"limit": 2}, "A"), ({}, "B")) * 2:
        body = {"query": document, "variables": variables, "operationName": name}
        seen.append((await world.http.post("/graphql", json=body)).text)
    assert len(set(seen)) == 3
    assert seen[:3] == seen[3:]
    types = [
        (await query(world, Accept=accept)).headers["Content-Type"]
        for accept in ("application/json", "application/graphql-response+json")
    ]
    assert types == ["application/json; charset=utf-8", "application/graphql-response+json; charset=utf-8"]


async def test_a_body_of_another_type_is_refused_although_its_answer_is_kept(world: World, stage: Stage) -> None:
    sent = (await query(world)).request
    response = await world.http.post("/graphql", content=sent.content, headers={"Content-Type": "text/plain"})
    assert response.status_code == 400


# Limits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("send", READS)
async def test_kept_answers_count_for_the_anonymous_limit(
    world: World, stage: Stage, configure: Configure, send: Read
) -> None:
    configure(rate_limit_anonymous=5)
    statuses = [(await send(world)).status_code for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    refused = await send(world)
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.headers["Cache-Control"] == "no-store"


async def test_a_kept_answer_costs_as_many_units_as_its_execution(
    world: World, stage: Stage, configure: Configure
) -> None:
    configure(rate_limit_anonymous=10)
    document = "{ a: events { items { id } } b: events { items { id } } c: organizations { items { id } } }"
    assert [(await query(world, document)).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert (await query(world, QUERY)).status_code == 200  # one unit was left


async def test_those_who_waited_for_an_answer_are_charged_for_it(
    world: World, stage: Stage, configure: Configure
) -> None:
    configure(rate_limit_anonymous=10)
    responses = await asyncio.gather(*(query(world) for _ in range(15)))
    assert sorted(response.status_code for response in responses) == [200] * 10 + [429] * 5


# Availability ---------------------------------------------------------------------------------------------------


async def test_a_registration_changes_the_availability_at_once(world: World, stage: Stage) -> None:
    kind = await world.ticket_type(stage.event, capacity=2)
    paths = [f"/api/events/{stage.event.id}", f"/api/ticket-types?event_id={stage.event.id}"]

    async def available() -> list[int]:
        detail, types = [(await read(world, path)).json()["data"] for path in paths]
        listed = (await query(world)).json()["data"]["events"]["items"][0]["ticketTypes"]
        return [detail["ticket_types"][0]["available"], types[0]["available"], listed[0]["available"]]

    assert await available() == [2, 2, 2]
    body = {"event_id": stage.event.id, "ticket_type_id": kind.id}
    ticket = data_of(await stage.buyer.post("/tickets", body), 201)
    assert await available() == [1, 1, 1]
    assert (await stage.organizer.delete(f"/tickets/{ticket['id']}")).status_code == 200
    assert await available() == [2, 2, 2]


async def test_a_registration_keeps_the_answers_about_other_events(world: World, stage: Stage) -> None:
    other = await world.event(stage.organization)
    await world.ticket_type(other)
    paths = [f"/api/events/{other.id}", f"/api/ticket-types?event_id={other.id}", "/api/events", "/api/organizations"]
    for path in paths:
        await read(world, path)
    data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id}), 201)
    with counted_statements() as statements:
        for path in paths:
            await read(world, path)
    assert not statements


async def test_the_end_of_a_hold_changes_the_availability_at_once(world: World, app: Starlette, stage: Stage) -> None:
    kind = await world.ticket_type(stage.event, price="10", capacity=2)
    body = {"event_id": stage.event.id, "ticket_type_id": kind.id}
    data_of(await stage.buyer.post("/tickets", body), 201)
    path = f"/api/ticket-types?event_id={stage.event.id}"
    assert (await read(world, path)).json()["data"][0]["available"] == 1
    await end_overdue_holds(app.state.services, utc_now() + datetime.timedelta(days=30))
    assert (await read(world, path)).json()["data"][0]["available"] == 2
