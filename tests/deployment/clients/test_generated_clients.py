"""Generated clients: their types are checked, and they talk to a platform."""

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from amarevents.schema.schema import schema
from tests.deployment.clients.snippets import snippet
from tests.deployment.clients.workspace import Workspace
from tests.support.platforms import OnSale, RunningPlatform, put_on_sale

pytestmark = pytest.mark.backend("sqlite")  # generated code does not depend on the database

# Any: JSON.

OPERATIONS = """
query Events($page: Int = 1) {
  events(page: $page) {
    items { id name date createdAt ticketTypes { id name price available } }
    pagination { total pages }
  }
}

mutation RegisterForEvent($input: RegisterForEventInput!) {
  registerForEvent(input: $input) { id code status amount createdAt }
}
"""


@pytest.fixture
async def sale(platform: RunningPlatform, admin_key: str) -> OnSale:
    async with platform.client(admin_key) as admin:
        return await put_on_sale(admin, capacity=10)


async def _document(platform: RunningPlatform) -> str:
    async with platform.client() as client:
        return (await client.get("/openapi.json")).text


# REST -----------------------------------------------------------------------------------------------------------

TYPESCRIPT_CLIENT = """
import createClient from "openapi-fetch";
import type { components, paths } from "./api";

declare const process: { env: Record<string, string> };
const { SERVER, KEY, EVENT } = process.env;
const api = createClient<paths>({ baseUrl: SERVER, headers: { Authorization: `Bearer ${KEY}` } });

const registered = await api.POST("/tickets", {
  body: { event_id: Number(EVENT), name: "Karim" },
  params: { header: { "Idempotency-Key": "5f1c" } },
});
const ticket: components["schemas"]["TicketDetail"] | undefined = registered.data?.data;

const event = (await api.GET("/events/{id}", { params: { path: { id: Number(EVENT) } } })).data?.data;
// Only owners and admins see it, so it is optional.
const title: string | null | undefined = event?.emailtitle;

const created = await api.POST("/ticket-types", { body: { event_id: Number(EVENT), name: "Balcony" } });
const refused = await api.POST("/tickets", { body: { event_id: 987654321 } });
const error: components["schemas"]["Error"] | undefined = refused.error;

console.log(JSON.stringify({
  ticket: ticket?.name,
  title,
  price: created.data?.data.price,
  code: error?.code,
}));
"""


async def test_typescript_client(platform: RunningPlatform, admin_key: str, sale: OnSale, workspace: Workspace) -> None:
    """The types of openapi-typescript fit the client and what the platform answers."""
    workspace.write(openapi__json=await _document(platform), client__ts=TYPESCRIPT_CLIENT)
    workspace.node("openapi-typescript", "openapi.json", "--output", "api.ts")
    workspace.tsc("client.ts")
    server = json.loads(await _document(platform))["servers"][0]["url"]
    printed = workspace.node("node", "client.js", SERVER=server, KEY=admin_key, EVENT=str(sale.event_id))
    assert json.loads(printed) == {"ticket": "Karim", "title": None, "price": 0, "code": "NOT_FOUND"}


PYTHON_CLIENT = """
import json, os
from amar.client import AuthenticatedClient
from amar.api.events import get_event
from amar.api.tickets import register_for_event
from amar.api.ticket_types import create_ticket_type
from amar.models import CreateTicketType, Error, RegisterForEvent

event_id = int(os.environ["EVENT"])
client = AuthenticatedClient(os.environ["SERVER"], token=os.environ["KEY"], raise_on_unexpected_status=True)
ticket = register_for_event.sync(client=client, body=RegisterForEvent(event_id=event_id, name="Karim"))
event = get_event.sync(event_id, client=client)
kind = create_ticket_type.sync(client=client, body=CreateTicketType(name="Balcony", event_id=event_id))
refused = register_for_event.sync(client=client, body=RegisterForEvent(event_id=987654321))
assert isinstance(refused, Error)
print(json.dumps({
    "ticket": ticket.data.name, "title": event.data.emailtitle, "price": kind.data.price, "code": refused.code,
}))
"""


async def test_python_client(platform: RunningPlatform, admin_key: str, sale: OnSale, workspace: Workspace) -> None:
    """The client of openapi-python-client has correct types, and keeps the fields that only owners and admins see."""
    workspace.write(openapi__json=await _document(platform))
    output = workspace.generator(
        "openapi-python-client", "generate", "--path", "openapi.json", "--output-path", "amar", "--meta", "none"
    )
    assert "Warning" not in output
    workspace.mypy("--strict", "amar")
    server = json.loads(await _document(platform))["servers"][0]["url"]
    printed = workspace.python(PYTHON_CLIENT, SERVER=server, KEY=admin_key, EVENT=str(sale.event_id))
    assert json.loads(printed) == {"ticket": "Karim", "title": None, "price": 0, "code": "NOT_FOUND"}


# GraphQL --------------------------------------------------------------------------------------------------------

TYPED_ANSWER = """
import type { EventsQuery, RegisterForEventMutation } from "./types";

const events: EventsQuery = EVENTS;
const registered: RegisterForEventMutation = REGISTERED;
console.log(events.events?.items.length, registered.registerForEvent?.code);
"""


async def _answer(platform: RunningPlatform, key: str, name: str, **variables: Any) -> Any:
    body = {"query": OPERATIONS, "operationName": name, "variables": variables}
    async with platform.client(key) as client:
        response: httpx.Response = await client.post("/graphql", json=body)
    return response.json()["data"]


async def test_types_of_graphql_codegen(
    platform: RunningPlatform, admin_key: str, sale: OnSale, workspace: Workspace
) -> None:
    """The types of graphql-codegen fit what the platform answers."""
    events = await _answer(platform, admin_key, "Events", page=1)
    registered = await _answer(platform, admin_key, "RegisterForEvent", input={"eventId": sale.event_id})
    # Members of enums are types of their own, which JSON cannot name.
    registered["registerForEvent"].pop("status")
    source = TYPED_ANSWER.replace("EVENTS", json.dumps(events)).replace("REGISTERED", json.dumps(registered))
    without_status = OPERATIONS.replace(" status", "")
    workspace.write(
        schema__graphql=schema.as_str(),
        operations__graphql=without_status,
        codegen__json=snippet("codegen.json"),
        answer__ts=source,
    )
    workspace.node("graphql-codegen", "--config", "codegen.json")
    workspace.tsc("answer.ts")


ARIADNE_CLIENT = """
import asyncio, json, os
from amar import Client
from amar.input_types import RegisterForEventInput

async def main():
    headers = {"Authorization": f"Bearer {os.environ['KEY']}"}
    async with Client(os.environ["SERVER"] + "/graphql", headers=headers) as client:
        registered = await client.register_for_event(RegisterForEventInput(eventId=os.environ["EVENT"]))
        events = await client.events()
    prices = [str(kind.price) for event in events.events.items for kind in event.ticket_types]
    print(json.dumps({"amount": str(registered.register_for_event.amount), "prices": prices}))

asyncio.run(main())
"""


async def test_client_of_ariadne_codegen(
    platform: RunningPlatform, admin_key: str, sale: OnSale, workspace: Workspace
) -> None:
    workspace.write(
        schema__graphql=schema.as_str(), operations__graphql=OPERATIONS, pyproject__toml=snippet("pyproject.toml")
    )
    workspace.generator("ariadne-codegen")
    workspace.mypy("amar")
    printed = workspace.python(ARIADNE_CLIENT, SERVER=platform.url, KEY=admin_key, EVENT=str(sale.event_id))
    answer = json.loads(printed)
    assert Decimal(answer["amount"]) == 0
    assert {Decimal(price) for price in answer["prices"]} == {Decimal(0)}
