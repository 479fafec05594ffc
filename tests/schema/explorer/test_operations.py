"""Example operations: valid documents that lead a new organizer from signing in to check-in."""

import datetime
import json
import re
from typing import Any

import pytest
from graphql import OperationDefinitionNode, OperationType, parse, validate
from starlette.applications import Starlette

from amarevents.models import Event, PaymentClaim, Ticket
from amarevents.models.enums import KeyType, TicketStatus
from amarevents.schema.explorer.operations import ExampleOperation, example_operations
from amarevents.schema.schema import schema
from tests.schema.explorer.example_operations import ALL, NAMES, name_of
from tests.support.local_server import serve_in_process
from tests.support.websocket_client import open_socket
from tests.support.world import Caller, World

# Any below: JSON.


def open_names(operation: ExampleOperation) -> set[str]:
    """Return the variables that an earlier result has to fill."""
    return set(re.findall(r'"(\w+)": (?:\[\s*)?""', operation.variables))


def fill_in(value: Any, known: dict[str, Any]) -> Any:
    """Fill in variables like the page: replace each ``""`` with the known value."""
    if isinstance(value, dict):
        return {name: _fill_in(one, known, name) for name, one in value.items()}
    return value


def _fill_in(value: Any, known: dict[str, Any], name: str) -> Any:
    if isinstance(value, list):
        return [_fill_in(one, known, name) for one in value]
    return known[name] if value == "" else fill_in(value, known)


def provided_values(operation: ExampleOperation, data: Any) -> dict[str, Any]:
    """Return the values that the page takes from a result, without missing ones."""
    paths = operation.provides | operation.offers
    return {name: value for name, path in paths.items() if (value := value_at(data, path))}


def value_at(data: Any, path: str) -> Any:
    for step in path.split("."):
        data = element_at(data, step) if isinstance(data, list) else (data or {}).get(step)
    return data


def element_at(elements: list[Any], step: str) -> Any:
    if found := re.fullmatch(r"where\((\w+)=(\w+)\)", step):
        return next((one for one in elements if json.dumps(one[found[1]]).strip('"') == found[2]), None)
    if found := re.fullmatch(r"most\((\w+)\)", step):
        return max(elements, key=lambda one: float(one[found[1]]), default=None)
    return elements[int(step)] if int(step) < len(elements) else None


async def run_all(caller: Caller, app: Starlette) -> dict[str, Any]:
    """Run the operations of all tabs in order, like the page, and return the results by the names of the tabs."""
    known: dict[str, Any] = {}
    answers = {}
    for operation in example_operations(datetime.datetime.now(datetime.UTC)):
        variables = fill_in(json.loads(operation.variables or "{}"), known)
        if is_subscription(operation):
            answer = await first_delivery(app, caller, operation.query, variables)
        else:
            answer = await caller.graphql(operation.query, **variables)
        assert "errors" not in answer, (name_of(operation), answer)
        answers[name_of(operation)] = answer["data"]
        known |= provided_values(operation, answer["data"])
    return answers


def is_subscription(operation: ExampleOperation) -> bool:
    [definition] = parse(operation.query).definitions
    return isinstance(definition, OperationDefinitionNode) and definition.operation is OperationType.SUBSCRIPTION


async def first_delivery(app: Starlette, caller: Caller, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    """Return what a subscription delivers immediately."""
    async with (
        serve_in_process(app) as address,
        open_socket(address, caller.headers) as socket,
    ):
        await socket.initialize()
        await socket.subscribe(query, **variables)
        result: dict[str, Any] = (await socket.receive())["payload"]
    return result


async def new_organizer(world: World, credential: str) -> Caller:
    organizer = await world.organizer()
    await world.organization(organizer, name="Riverside Music Circle")
    return await (world.session(organizer) if credential == "session" else world.key(organizer, KeyType.ORGANIZER))


@pytest.mark.parametrize("credential", ["session", "key"])
async def test_new_organizer_gets_from_signing_in_to_check_in(world: World, app: Starlette, credential: str) -> None:
    answers = await run_all(await new_organizer(world, credential), app)
    assert answers["StartHere"]["me"]["organizations"][0]["name"] == "Riverside Music Circle"
    assert answers["MyEvents"]["events"]["items"] == []
    assert answers["PublishEvent"]["createEvent"]["registrationOpen"] is True
    registered = answers["RegisterGuest"]["registerForEvent"]
    assert (registered["status"], registered["event"]["name"]) == ("PENDING", "Songs of Rain")
    assert (registered["ticketTypeName"], registered["amount"]) == ("Front row", "500.00")
    assert len(answers["Registrations"]["event"]["pending"]["items"]) == 1
    assert [ticket["status"] for ticket in answers["ApprovePayments"]["approvePayments"]["decided"]] == ["SUCCESS"]
    assert answers["CheckIn"]["checkInTicket"]["outcome"] == "ADMITTED"
    live = answers["WatchLive"]["eventStats"]
    assert (live["approved"], live["checkedIn"]) == (1, 1)
    assert await Event.all().count() == 1
    assert (await Ticket.get()).status == TicketStatus.SUCCESS


async def test_operations_can_be_run_again(world: World, app: Starlette) -> None:
    caller = await new_organizer(world, "session")
    await run_all(caller, app)
    await Ticket.all().update(transaction_id="BKOFBEFORE")
    await PaymentClaim.all().update(transaction_key="bkofbefore")
    answers = await run_all(caller, app)
    assert len(answers["MyEvents"]["events"]["items"]) == 1
    assert answers["CheckIn"]["checkInTicket"]["outcome"] == "ADMITTED"


async def test_operations_are_in_order() -> None:
    assert NAMES == [
        "StartHere",
        "MyEvents",
        "PublishEvent",
        "RegisterGuest",
        "Registrations",
        "ApprovePayments",
        "CheckIn",
        "WatchLive",
    ]


@pytest.mark.parametrize("operation", ALL, ids=NAMES)
def test_operation_is_valid(operation: ExampleOperation) -> None:
    assert validate(schema._schema, parse(operation.query)) == []


@pytest.mark.parametrize("operation", ALL, ids=NAMES)
def test_operation_starts_with_a_comment_in_whole_sentences(operation: ExampleOperation) -> None:
    comment = [line for line in operation.query.splitlines() if line.startswith("#")]
    assert operation.query.startswith("# ")
    assert {line[-1] for line in comment if line != "#"} == {"."}


@pytest.mark.parametrize("position", range(len(ALL)), ids=NAMES)
def test_open_variables_come_from_earlier_operations_and_are_explained(position: int) -> None:
    earlier = {name for operation in ALL[:position] for name in operation.provides | operation.offers}
    assert open_names(ALL[position]) <= earlier
    explained = "".join(line for line in ALL[position].query.splitlines(keepends=True) if line.startswith("#"))
    assert all(name in explained for name in open_names(ALL[position]))


def test_provided_values_are_used_by_other_operations() -> None:
    provided_names = {name for one in ALL for name in one.provides | one.offers}
    assert provided_names == {name for one in ALL for name in open_names(one)}


def test_dates_are_in_the_coming_weeks() -> None:
    [publishing] = [json.loads(one.variables) for one in ALL if name_of(one) == "PublishEvent"]
    assert (publishing["input"]["date"], publishing["input"]["deadline"]) == ("2026-12-23", "2026-12-21")
