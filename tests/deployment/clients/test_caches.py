"""Normalized caches of GraphQL clients: one entry for each object, whichever field leads to it (decisions 9.1a).

Each client shows the same account through two fields, renames it, and must show the new name in both without another
request. It also reads two pages of a connection into one list.
"""

import json
from collections.abc import Callable

import pytest
from graphql import GraphQLObjectType

from tests.deployment.clients.snippets import snippet
from tests.deployment.clients.workspace import Workspace
from tests.support.graph import SCHEMA
from tests.support.platforms import ROOT, RunningPlatform, new_user_key, put_on_sale

pytestmark = pytest.mark.backend("sqlite")  # caches do not depend on the database

EVENTS = 3


@pytest.fixture
async def key(platform: RunningPlatform, admin_key: str, new_name: Callable[[], str]) -> str:
    """Return the key of an account that holds a ticket, on a platform with at least three events."""
    async with platform.client() as client, platform.client(admin_key) as admin:
        key = await new_user_key(client, new_name())
        sales = [await put_on_sale(admin, capacity=10) for _ in range(EVENTS)]
    async with platform.client(key) as buyer:
        assert (await buyer.post("/api/tickets", json={"event_id": sales[0].event_id})).status_code == 201
    return key


def _check(printed: str, renamed: str) -> None:
    """Require both names to be the new one, and one list of three events without duplicates."""
    result = json.loads(printed)
    assert (result["me"], result["owner"]) == (renamed, renamed)
    assert len(result["events"]) == len(set(result["events"])) == EVENTS
    assert result["requests"] == result["expected"]


COUNTING = """
let requests = 0;
const send = globalThis.fetch;
globalThis.fetch = (...given) => { requests += 1; return send(...given); };
const { KEY, NAME } = process.env;
const ACCOUNT = "{ me { id username } myTickets { items { id owner { id username } } } }";
const EVENTS = `query ($first: Int!, $after: String) {
    eventsConnection(first: $first, after: $after) {
        edges { cursor node { id name } } pageInfo { endCursor hasNextPage }
    }
}`;
const RENAME = "mutation ($input: UpdateProfileInput!) { updateMe(input: $input) { id username } }";
const show = ({ me, owner, events, expected }) =>
    console.log(JSON.stringify({ me, owner, events: events.map((edge) => edge.node.id), requests, expected }));
"""

APOLLO = """
import { gql } from "@apollo/client";
import { createApolloClient } from "./apollo.js";

const client = createApolloClient(KEY);
await client.query({ query: gql(ACCOUNT) });
await client.mutate({ mutation: gql(RENAME), variables: { input: { username: NAME } } });
const account = (await client.query({ query: gql(ACCOUNT), fetchPolicy: "cache-only" })).data;

const page = { query: gql(EVENTS), variables: { first: 2 } };
const first = (await client.query(page)).data;
const events = client.watchQuery(page);
events.subscribe(() => {});
await events.fetchMore({ variables: { first: 1, after: first.eventsConnection.pageInfo.endCursor } });
const both = client.readQuery(page);
show({ me: account.me.username, owner: account.myTickets.items[0].owner.username,
    events: both.eventsConnection.edges, expected: 4 });
client.stop();
"""


async def test_apollo_client(
    platform: RunningPlatform, key: str, new_name: Callable[[], str], workspace: Workspace
) -> None:
    workspace.write(
        apollo__js=snippet("apollo.js", platform.url),
        possible_types__js=snippet("possible-types.js", platform.url),
        main__mjs=COUNTING + APOLLO,
    )
    workspace.node("node", "possible_types.js")
    names = json.loads((workspace.folder / "possibleTypes.json").read_text())["Node"]
    assert {"Event", "User", "Organization", "Ticket"} <= set(names)
    renamed = new_name()
    _check(workspace.node("node", "main.mjs", KEY=key, NAME=renamed), renamed)


URQL = """
import { createUrqlClient } from "./urql.js";

const problems = [];
console.warn = console.error = (...texts) => problems.push(texts.join(" "));
const client = createUrqlClient(KEY);
await client.query(ACCOUNT, {}).toPromise();
await client.mutation(RENAME, { input: { username: NAME } }).toPromise();
const account = (await client.query(ACCOUNT, {}, { requestPolicy: "cache-only" }).toPromise()).data;

const first = (await client.query(EVENTS, { first: 2 }).toPromise()).data;
const after = first.eventsConnection.pageInfo.endCursor;
const both = (await client.query(EVENTS, { first: 2, after }).toPromise()).data;
if (problems.length) throw new Error(problems.join("\\n"));
show({ me: account.me.username, owner: account.myTickets.items[0].owner.username,
    events: both.eventsConnection.edges.slice(0, 3), expected: 4 });
"""


async def test_urql(platform: RunningPlatform, key: str, new_name: Callable[[], str], workspace: Workspace) -> None:
    workspace.write(urql__js=snippet("urql.js", platform.url), main__mjs=COUNTING + URQL)
    renamed = new_name()
    _check(workspace.node("node", "main.mjs", KEY=key, NAME=renamed, NODE_ENV="development"), renamed)


def test_guide_names_the_types_without_an_id() -> None:
    roots = {"Query", "Mutation", "Subscription"}
    without = sorted(
        name
        for name, kind in SCHEMA.type_map.items()
        if isinstance(kind, GraphQLObjectType) and not name.startswith("__") and name not in roots
        if "id" not in kind.fields
    )
    listed = snippet("urql.js").partition("const WITHOUT_ID = [")[2].partition("]")[0]
    assert [name.strip(' "') for name in listed.replace("\n", "").split(",") if name.strip()] == without


RELAY_APP = """
import relay from "relay-runtime";
const { graphql } = relay;

export const account = graphql`
  query appAccountQuery { me { username } myTickets { items { owner { username } } } }
`;
export const events = graphql`
  query appEventsQuery($first: Int!, $after: String) { ...app_events @arguments(first: $first, after: $after) }
`;
export const list = graphql`
  fragment app_events on Query
  @refetchable(queryName: "appEventsPaginationQuery")
  @argumentDefinitions(first: { type: "Int", defaultValue: 2 }, after: { type: "String" }) {
    eventsConnection(first: $first, after: $after) @connection(key: "app_eventsConnection") { edges { node { id } } }
  }
`;
export const rename = graphql`
  mutation appRenameMutation($input: UpdateProfileInput!) { updateMe(input: $input) { username } }
`;
export const refetchable = graphql`
  fragment app_event on Event @refetchable(queryName: "appEventRefetchQuery") { name }
`;
"""
RELAY = """
import relay from "relay-runtime";
import { createRelayEnvironment } from "./relay.js";
import account from "./src/__generated__/appAccountQuery.graphql.js";
import events from "./src/__generated__/appEventsPaginationQuery.graphql.js";
import list from "./src/__generated__/app_events.graphql.js";
import refetch from "./src/__generated__/appEventRefetchQuery.graphql.js";
import rename from "./src/__generated__/appRenameMutation.graphql.js";

const { commitMutation, createOperationDescriptor, fetchQuery, getSingularSelector } = relay;
const environment = createRelayEnvironment(KEY);
const load = (query, variables) => fetchQuery(environment, query, variables).toPromise();
const lookup = (query, variables) => environment.lookup(createOperationDescriptor(query, variables).fragment).data;

await load(account, {});
const operation = createOperationDescriptor(account, {});
environment.retain(operation);
await new Promise((onCompleted, onError) =>
    commitMutation(environment, { mutation: rename, variables: { input: { username: NAME } }, onCompleted, onError }));
const shown = lookup(account, {});

const first = createOperationDescriptor(events, { first: 2 });
environment.retain(first);
await load(events, { first: 2 });
const read = () => environment.lookup(getSingularSelector(list, lookup(events, { first: 2 }))).data.eventsConnection;
await load(events, { first: 1, after: read().pageInfo.endCursor });
const both = read();
const again = await load(refetch, { nodeId: "unknown" });
if (again.node !== null) throw new Error("an unknown node ID must be null");
show({ me: shown.me.username, owner: shown.myTickets.items[0].owner.username, events: both.edges, expected: 5 });
"""


async def test_relay(platform: RunningPlatform, key: str, new_name: Callable[[], str], workspace: Workspace) -> None:
    (workspace.folder / "src").mkdir()
    (workspace.folder / "src" / "app.js").write_text(RELAY_APP)
    workspace.write(
        relay__config__json=snippet("relay.config.json"),
        relay__js=snippet("relay.js", platform.url),
        schema__graphql=(ROOT / "amarevents" / "schema" / "schema.graphql").read_text(),
        main__mjs=COUNTING + RELAY,
    )
    workspace.node("relay-compiler", "relay.config.json")
    # Like the bundlers of frontends, this finds files whose extension is left out.
    options = ["--bundle", "--format=esm", "--external:relay-runtime", "--outfile=bundle.mjs"]
    workspace.node("esbuild", "main.mjs", *options)
    renamed = new_name()
    _check(workspace.node("node", "bundle.mjs", KEY=key, NAME=renamed), renamed)
