"""Texts too long or too odd to be what is looked up are not found or refused, on both surfaces (decisions 1.12)."""

import itertools
import json
from collections.abc import Callable
from string import Template
from typing import Any
from urllib.parse import quote

import pytest

from tests.contract.access import Row
from tests.contract.queries import QUERIES
from tests.contract.scene import Scene
from tests.support.rest_answers import data_of, error_in
from tests.support.world import World

# Some letters become several when text is normalized or folded; IDs consist of digits.
CHARACTERS = ("x", "İ", "ﷺ", "ক", "9")
LENGTHS = (33, 255, 256, 10_000)
# A joiner between a letter and a character without a name, which is for private use or unassigned.
ODD_TEXTS = ("\ue000\u200cক", "\u0378\u200cক")
TEXTS = [*ODD_TEXTS, *(character * length for length in LENGTHS for character in CHARACTERS)]
TEXTS_IN_ADDRESSES = [text for text in TEXTS if len(quote(text)) < 60_000]  # httpx refuses longer addresses

PATHS = (
    *("GET /events/$text", "GET /events/$text/tickets", "GET /organizations/$text", "GET /tickets/$text"),
    *("POST /tickets/$text/verify", "DELETE /keys/$text", "GET /admin/users/$text", "DELETE /ticket-types/$text"),
)
BODIES: dict[str, dict[str, Any]] = {
    "POST /auth/login": {"email": "$text", "password": "secret123"},
    "POST /auth/login again": {"email": "a@example.com", "password": "$text"},
    "POST /auth/login with a domain": {"email": "$text@example.com", "password": "$text"},
    "POST /tickets": {"event_id": "$text"},
    "POST /tickets for a type": {"event_id": "$event", "ticket_type_id": "$text"},
    "POST /tickets with answers": {"event_id": "$event", "custom_fields": {"$text": "x"}},
    "PUT /organizations/$organization": {"plan": "$text"},
}
DOCUMENTS = {
    "event": "query($text: ID!) { event(id: $text) { id } }",
    "verifyTicket by code": "query($text: String!) { verifyTicket(code: $text) { valid } }",
    "verifyTicket by ID": "query($text: ID!) { verifyTicket(id: $text) { valid } }",
    "checkInTicket": "mutation($text: String!) { checkInTicket(input: {code: $text}) { outcome } }",
    "checkInTicket with a scan": """mutation($text: String!) {
        checkInTicket(input: {code: $code, scanId: $text}) { outcome }
    }""",
    "events": "query($text: String!) { events(search: $text) { items { id } } }",
    "eventsConnection after": "query($text: String!) { eventsConnection(after: $text) { nodes { id } } }",
    "ticketsConnection before": "query($text: String!) { ticketsConnection(last: 5, before: $text) { nodes { id } } }",
    "organizations": "query($text: String!) { organizations(search: $text) { items { id } } }",
    "users": "query($text: String!) { users(search: $text) { items { id } } }",
    "node": "query($text: ID!) { node(nodeId: $text) { nodeId } }",
    "nodes": "query($text: ID!) { nodes(nodeIds: [$text]) { nodeId } }",
    "login": "mutation($text: String!) { login(input: {email: $text, password: $text}) { id } }",
    "updateOrganization": """mutation($text: String!) {
        updateOrganization(id: $organization, input: {plan: $text}) { id }
    }""",
    "resetPassword": """mutation($text: String!) {
        resetPassword(input: {token: $text, password: "secret456"}) { __typename }
    }""",
    "createPlan": 'mutation($text: String!) { createPlan(input: {name: "Gold"}, idempotencyKey: $text) { id } }',
}


def _is_refused(status: int, code: str | None) -> bool:
    return status in {400, 401, 404} and code != "INTERNAL"


async def _substitutions(scene: Scene, text: str) -> dict[str, Any]:
    """Return the values of ``$names`` in a text."""
    return dict(await scene.values(Row("GET", text, "", "", ""), await scene.caller("admin")))


@pytest.mark.parametrize("line", PATHS)
async def test_path_is_not_found(scene: Scene, line: str) -> None:
    caller = await scene.caller("admin")
    method, _, path = line.partition(" ")
    for text in TEXTS_IN_ADDRESSES:
        target = f"/api{path.replace('$text', quote(text))}"
        answer = await caller.http.request(method, target, headers=caller.headers)
        assert (answer.status_code, answer.json()["code"]) in {(404, "NOT_FOUND"), (400, "VALIDATION_ERROR")}


@pytest.mark.deep("postgres")
@pytest.mark.parametrize("path", QUERIES)
async def test_query_parameter_is_answered(scene: Scene, path: str) -> None:
    caller = await scene.caller("admin's session")
    target = Template(path).substitute(await _substitutions(scene, path))
    for name, text in itertools.product(QUERIES[path], TEXTS_IN_ADDRESSES):
        answer = await caller.get(target, **{name: text})
        assert answer.status_code in {200, 400}, (name, answer.text)


@pytest.mark.parametrize("line", BODIES)
async def test_body_is_refused(scene: Scene, configure: Callable[..., None], line: str) -> None:
    configure(rate_limit_failed_logins=0, failed_logins=0)
    caller = await scene.caller("admin")
    method, path, *_ = line.split(" ")
    values = await _substitutions(scene, f"{path} $event")
    for text in TEXTS:
        body = json.loads(Template(json.dumps(BODIES[line])).safe_substitute(values, text=text))
        target = f"/api{Template(path).substitute(values)}"
        answer = await caller.http.request(method, target, json=body, headers=caller.headers)
        assert _is_refused(answer.status_code, answer.json().get("code")), answer.text


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_graphql_argument_is_answered(scene: Scene, configure: Callable[..., None], name: str) -> None:
    configure(rate_limit_failed_logins=0, failed_logins=0)
    caller = await scene.caller("admin's session")
    document = DOCUMENTS[name].replace("$organization", str(scene.event.organization_id))
    document = document.replace("$code", f'"{(await scene.world.ticket(scene.event, scene.holder)).code}"')
    for text in TEXTS:
        failures = (await caller.graphql(document, text=text)).get("errors", [])
        assert all(_is_refused(one["extensions"]["status"], one["extensions"]["code"]) for one in failures), failures


async def test_credential_in_a_header_is_refused_or_ignored(world: World) -> None:
    http = world.anonymous.http
    for text, prefix in itertools.product(TEXTS, (b"", b"ae_u_", b"ae_s_")):
        value = prefix + text.encode()
        for header in ((b"Authorization", b"Bearer " + value), (b"Cookie", b"amarevents_session=" + value)):
            for path in ("/api/auth/me", "/graphql?query={me{id}}"):
                assert (await http.get(path, headers=[header])).status_code in {200, 401}


async def test_idempotency_key_is_accepted_or_refused_by_name(world: World) -> None:
    donor = {"email": "a@example.com", "number": "01700000000", "amount": 5, "type": "bkash"}
    for number, text in enumerate(TEXTS):
        headers, body = [(b"Idempotency-Key", text.encode())], {**donor, "transaction_id": f"GIFT{number}"}
        answer = await world.anonymous.http.post("/api/donations", json=body, headers=headers)
        if text.isascii() and len(text) <= 255:
            data_of(answer, 201)
        else:
            assert error_in(answer, 400, "VALIDATION_ERROR").keys() == {"idempotency_key"}


@pytest.mark.parametrize("path", ["/confirm-email", "/reset-password"])
async def test_token_of_a_link_is_answered(world: World, path: str) -> None:
    for text in TEXTS_IN_ADDRESSES:
        assert (await world.anonymous.http.get(path, params={"token": text})).status_code < 500
