"""The planned executor on the types of the schema, whose views have different attributes: the stock engine agrees."""

from typing import Any

import pytest
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from amarevents.models.enums import KeyType, Privacy
from amarevents.schema.core.nodes import encode_node_id
from amarevents.schema.execution.executor import PlannedExecutor
from tests.support.graph import TYPES, lift_limits, select_all_fields
from tests.support.world import Caller, World, in_days

# Any: JSON.

LISTS = {
    "ApiKey": "apiKeys { %s }",
    "Event": "events { items { %s } }",
    "Organization": "organizations { items { %s } }",
    "Ticket": "myTickets { items { %s } }",
    "User": "me { %s } myProfile { %s } organizations { items { owner { %s } } }",
}
"""Queries with several views of each type; fields of other types are left out."""


async def _callers(world: World) -> dict[str, Caller]:
    owner = await world.organizer(country="Bangladesh")
    organization = await world.organization(owner, notice="New", eventcount=3)
    event = await world.event(organization, date=in_days(1), notice="Bring water", privacy=Privacy.PRIVATE)
    await world.ticket(event, owner)
    await world.event(await world.organizer())
    return {
        "owner": await world.session(owner),
        "owner's user key": await world.key(owner),
        "owner without users:read": await world.key(owner, KeyType.ORGANIZER, permissions=["tickets:read"]),
        "admin": await world.session(await world.admin()),
        "anonymous": world.anonymous,
    }


def _document(type_name: str) -> str:
    query = LISTS[type_name].replace("%s", f"...{type_name}Fields")
    return f"{{ {query} }} fragment {type_name}Fields on {type_name} {{ {select_all_fields(TYPES[type_name], 0)} }}"


def _without_cost(answer: dict[str, Any]) -> tuple[Any, list[Any]]:
    errors = [(one["message"], one["path"], one["extensions"]) for one in answer.get("errors", ())]
    return answer["data"], sorted(errors, key=repr)


@pytest.mark.parametrize("type_name", LISTS)
async def test_views_have_the_results_of_the_stock_engine(
    world: World, monkeypatch: pytest.MonkeyPatch, type_name: str
) -> None:
    lift_limits(monkeypatch)
    callers = await _callers(world)
    planned = await _answers(callers, _document(type_name))
    assert any(data and any(data.values()) for data, _ in planned.values())
    monkeypatch.setattr(PlannedExecutor, "execute_fields", StrawberryGraphQLCoreExecutionContext.execute_fields)
    assert await _answers(callers, _document(type_name)) == planned


async def _answers(callers: dict[str, Caller], document: str) -> dict[str, tuple[Any, list[Any]]]:
    return {name: _without_cost(await caller.graphql(document)) for name, caller in callers.items()}


async def test_nodes_have_the_results_of_the_stock_engine(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    event = await world.event(await world.organizer())
    ids = [encode_node_id("Event", event.id), encode_node_id("Organization", event.organization_id), "x"]
    document = """query($ids: [ID!]!) { nodes(nodeIds: $ids) { __typename nodeId ... on Event { name notice id }
        ...Of ... on Node { again: nodeId } } } fragment Of on Organization { name plan notice publicEventCount }"""
    planned = await world.anonymous.graphql(document, ids=ids)
    monkeypatch.setattr(PlannedExecutor, "execute_fields", StrawberryGraphQLCoreExecutionContext.execute_fields)
    assert await world.anonymous.graphql(document, ids=ids) == planned
    assert [one and one["again"] for one in planned["data"]["nodes"]] == [*ids[:2], None]
