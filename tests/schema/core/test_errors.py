"""The format of GraphQL errors (decisions 9.4, 9.5)."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from graphql import GraphQLError

from amarevents import errors
from amarevents.models import Ticket
from amarevents.resolvers.core.operation import OPERATIONS
from amarevents.schema.core.errors import cause_of, format_error
from tests.support.world import Caller, World, snapshot

# Any below: JSON.

CREATE_EVENT = "mutation($input: CreateEventInput!) { createEvent(input: $input) { id } }"
REGISTER = "mutation($input: RegisterForEventInput!) { registerForEvent(input: $input) { id status } }"


def test_cause_is_found_through_nested_errors() -> None:
    cause = errors.SoldOut()
    assert cause_of(GraphQLError("outer", original_error=GraphQLError("inner", original_error=cause))) is cause
    assert cause_of(GraphQLError("outer", original_error=GraphQLError("inner"))) is None


def test_field_paths_use_the_names_of_the_schema() -> None:
    failure = errors.ValidationFailed(
        {"ticket_types.0.price": "p", "organization_id": "o", "custom_fields.shirt_size": "c", "name": "n"}
    )
    formatted = format_error(GraphQLError("x", original_error=failure))["extensions"]["fields"]
    assert formatted == {"ticketTypes.0.price": "p", "organizationId": "o", "customFields.shirt_size": "c", "name": "n"}


def test_rate_limit_error_says_when_to_retry() -> None:
    formatted = format_error(GraphQLError("x", original_error=errors.RateLimited(7)))
    assert formatted["extensions"] == {"code": "RATE_LIMITED", "status": 429, "retryAfter": 7}


async def test_error_has_the_code_status_and_fields_of_rest(world: World) -> None:
    owner = await world.organizer_key()
    assert owner.user
    organization = await world.organization(owner.user)
    ticket_types = [{"name": "Floor", "price": "1.005"}]
    answer = await owner.graphql(
        CREATE_EVENT, input={"name": "Fair", "organizationId": organization.id, "ticketTypes": ticket_types}
    )
    rest = await owner.post(
        "/events",
        {"name": "Fair", "organization_id": organization.id, "ticket_types": [{"name": "Floor", "price": 1.005}]},
    )
    assert answer["data"] == {"createEvent": None}
    [failure] = answer["errors"]
    assert failure["path"] == ["createEvent"]
    assert (failure["extensions"]["code"], failure["extensions"]["status"]) == (rest.json()["code"], rest.status_code)
    assert list(failure["extensions"]["fields"]) == ["ticketTypes.0.price"]
    assert list(rest.json()["fields"]) == ["ticket_types.0.price"]


@pytest.fixture
def broken_event_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the list of events fail with an unexpected exception."""

    async def fail(*_arguments: Any, **_named: Any) -> None:
        raise RuntimeError("SELECT secret FROM vault")

    monkeypatch.setitem(OPERATIONS["list_events"].__dict__, "run", fail)


async def test_unexpected_error_is_masked_and_logged_with_the_request_id(
    world: World, broken_event_list: None, caplog: pytest.LogCaptureFixture
) -> None:
    response = await world.anonymous.graphql_response("{ events { items { id } } organizations { items { id } } }")
    assert response.status_code == 200
    assert "secret" not in response.text
    [failure] = response.json()["errors"]
    assert failure["extensions"] == {"code": "INTERNAL", "status": 500}
    assert response.json()["data"] == {"events": None, "organizations": {"items": []}}
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert response.headers["X-Request-ID"] in record.getMessage()
    assert record.exc_info


async def test_expected_errors_are_not_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    for query in ("{ me { id } }", "{ nope }", "{", "{ event(id: 1) { id } }"):
        await world.anonymous.graphql_response(query)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ nope }", {}),
        ("{ event { id } }", {}),
        ("{ event(id: 1) }", {}),
        ("{ events(page: 2147483648) { items { id } } }", {}),
        ("query($c: Category) { events(category: $c) { items { id } } }", {"c": "Sports"}),
        ("query($c: Category) { events(category: $c) { items { id } } }", {"c": 3}),
        ("query($id: ID!) { event(id: $id) { id } }", {}),
        ("query($id: ID!) { event(id: $id) { id } }", {"id": None}),
        ("query($id: ID!) { event(id: $id) { id } }", {"id": {"x": 1}}),
        (REGISTER, {"input": {}}),
        (REGISTER, {"input": {"eventId": 1, "transid": "A"}}),
        (REGISTER, {"input": {"eventId": 1, "amount": "abc"}}),
        (REGISTER, {"input": {"eventId": 1, "amount": True}}),
        (REGISTER, {"input": {"eventId": 1, "amount": [1]}}),
    ],
)
async def test_invalid_operation_is_400_without_data(world: World, query: str, variables: dict[str, Any]) -> None:
    caller = await world.user_key()
    response = await caller.graphql_response(query, **variables)
    assert response.status_code == 400
    assert "data" not in response.json()
    assert response.json()["errors"][0]["extensions"] == {"code": "GRAPHQL_INVALID", "status": 400}


async def test_failure_of_one_alias_does_not_hide_the_result_of_another(world: World) -> None:
    caller = await world.user_key()
    event = await world.event(await world.organizer())
    query = (
        "mutation($good: RegisterForEventInput!, $bad: RegisterForEventInput!)"
        "{ a: registerForEvent(input: $good) { id } b: registerForEvent(input: $bad) { id } }"
    )
    response = await caller.graphql_response(query, good={"eventId": event.id}, bad={"eventId": 2**30})
    ticket = await Ticket.get()
    assert response.status_code == 200
    assert response.json()["data"] == {"a": {"id": str(ticket.id)}, "b": None}
    assert [failure["path"] for failure in response.json()["errors"]] == [["b"]]


async def test_invalid_credential_is_401_before_execution(world: World) -> None:
    caller = Caller(world.http, headers={"Authorization": "Bearer ae_u_nonsense"})
    response = await caller.graphql_response("{ events { items { id } } }")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.json()["errors"][0]["extensions"] == {"code": "INVALID_API_KEY", "status": 401}


async def test_request_beyond_the_rate_limit_is_429_and_executes_nothing(
    world: World, configure: Callable[..., None]
) -> None:
    configure(rate_limit_user=3)
    caller = await world.user_key()
    event = await world.event(await world.organizer())
    two = f"mutation {{ a: registerForEvent(input: {{eventId: {event.id}}}) {{ id }} b: logout {{ loggedOut }} }}"
    assert (await caller.graphql_response(two)).status_code == 200
    before = await snapshot()
    response = await caller.graphql_response(two)
    extensions = response.json()["errors"][0]["extensions"]
    assert response.status_code == 429
    assert response.headers["Retry-After"] == str(extensions["retryAfter"])
    assert (extensions["code"], extensions["status"], response.headers["X-RateLimit-Remaining"]) == (
        "RATE_LIMITED",
        429,
        "1",
    )
    assert "data" not in response.json()
    assert await snapshot() == before


async def test_request_larger_than_the_whole_quota_is_429_and_costs_nothing(
    world: World, configure: Callable[..., None]
) -> None:
    configure(rate_limit_user=1)
    caller = await world.user_key()
    assert (await caller.graphql_response("{ a: me { id } b: me { id } }")).status_code == 429
    assert (await caller.graphql_response("{ me { id } }")).status_code == 200
