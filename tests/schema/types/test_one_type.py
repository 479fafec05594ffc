"""One type for each thing: its fields are the same on every path that leads to it (decisions 9.1a)."""

from typing import Any

import pytest

from amarevents.models import User
from amarevents.models.enums import KeyType
from tests.support.graphql_answers import answer_of, error_codes_by_path
from tests.support.world import Caller, World

# Any throughout: JSON.

ACCOUNT = """fragment Whole on User {
    __typename id nodeId username email number type admin pfp country createdAt
    auth { method keyType permissions } organization { id } organizations { id eventcount eventsUsed userId }
    tickets { items { id } } apiKeys { id name } stats { totalTickets approvedTickets totalSpent }
}"""
OWN_ACCOUNT = {
    "me": "{ me { ...Whole } }",
    "myProfile": "{ myProfile { ...Whole } }",
    "owner of an organization": "query($id: ID!) { organization(id: $id) { owner { ...Whole } } }",
    "owner of a ticket": "{ myTickets { items { owner { ...Whole } } } }",
    "owner of a key": "{ apiKeys(limit: 1) { owner { ...Whole } } }",
    "updateMe": "mutation { updateMe(input: {}) { ...Whole } }",
}
"""Paths from queries and mutations to the caller's own account."""


KARIM = {"username": "karim", "email": "karim@example.com", "password": "secret123", "number": "01700000000"}
REGISTER = "mutation($input: RegisterInput!) { register(input: $input) { ...Whole } }"


def _objects(data: Any, type_name: str) -> list[dict[str, Any]]:
    """Return all objects of a type in an answer."""
    parts = data if isinstance(data, list) else list(data.values()) if isinstance(data, dict) else []
    own = [data] if isinstance(data, dict) and data.get("__typename") == type_name else []
    return own + [found for part in parts for found in _objects(part, type_name)]


async def _owner(world: World, sign_in: str) -> tuple[Caller, int]:
    """Create an organizer with an organization, a ticket and an API key; return it with the organization's ID."""
    account = await world.organizer(pfp="https://example.com/me.png", country="Bangladesh")
    organization = await world.organization(account, eventcount=5)
    await world.ticket(await world.event(organization), account)
    key = await world.key(account, KeyType.USER)
    if sign_in == "user key":
        return key, organization.id
    return await world.session(account), organization.id


@pytest.mark.parametrize("sign_in", ["session", "user key"])
async def test_account_has_the_same_fields_on_every_path(world: World, sign_in: str) -> None:
    caller, organization_id = await _owner(world, sign_in)
    found = {}
    for path, document in OWN_ACCOUNT.items():
        answer = await caller.graphql(f"{document} {ACCOUNT}", **({"id": organization_id} if "$id" in document else {}))
        assert "errors" not in answer, (path, answer["errors"])
        [found[path]] = _objects(answer["data"], "User")
    first = found.pop("me")
    assert (first["country"], first["stats"]["totalTickets"]) == ("Bangladesh", 1)
    assert first["organizations"][0]["eventcount"] == 5
    assert {path: account for path, account in found.items() if account != first} == {}


@pytest.mark.parametrize("sign_in", ["session", "user key"])
async def test_organization_has_the_same_fields_on_every_path(world: World, sign_in: str) -> None:
    caller, organization_id = await _owner(world, sign_in)
    fields = "__typename id name plan notice userId eventcount eventsUsed recentEvents { id } owner { id }"
    document = f"""{{ me {{ organization {{ {fields} }} organizations {{ {fields} }} }}
        organization(id: {organization_id}) {{ {fields} }} organizations {{ items {{ {fields} }} }}
        events {{ items {{ organization {{ {fields} }} }} }} }}"""
    answer = await caller.graphql(document)
    assert "errors" not in answer
    found = _objects(answer["data"], "Organization")
    assert len(found) == 5
    assert all(one == found[0] for one in found)
    assert found[0]["eventsUsed"] == 1


async def test_api_key_has_the_same_fields_on_every_path(world: World) -> None:
    admin = await world.admin()
    key = await world.key(admin, KeyType.USER)
    fields = "__typename id name keyPrefix permissions userId username owner { id } key"
    caller = await world.session(admin)
    answer = await caller.graphql(
        f"{{ apiKeys {{ {fields} }} me {{ apiKeys {{ {fields} }} }} adminApiKeys {{ items {{ {fields} }} }} }}"
    )
    found = _objects(answer["data"], "ApiKey")
    assert len(found) == 3
    assert all(one == found[0] for one in found)
    assert (found[0]["username"], found[0]["key"]) == (admin.username, None)
    own = (await key.graphql(f"{{ apiKeys {{ {fields} }} }}"))["data"]["apiKeys"]
    assert [(one["userId"], one["username"], one["owner"]["id"]) for one in own] == [(None, None, str(admin.id))]


async def test_key_itself_is_shown_by_its_creation_alone(world: World) -> None:
    caller = await world.session(await world.user())
    create = 'mutation { createApiKey(input: {name: "App", keyType: USER}, idempotencyKey: "once") { id key } }'
    created = await answer_of(caller, create)
    assert created["key"].startswith("ae_u_")
    assert await answer_of(caller, create) == {"id": created["id"], "key": None}
    assert await answer_of(caller, "{ apiKeys { id key } }") == [{"id": created["id"], "key": None}]


async def test_login_shows_the_account_as_its_session_sees_it(world: World) -> None:
    await world.anonymous.graphql(f"{REGISTER} {ACCOUNT}", input=KARIM)
    await world.organization(await User.get(email=KARIM["email"]))
    login = f"mutation($input: LoginInput!) {{ login(input: $input) {{ ...Whole }} }} {ACCOUNT}"
    answer = await world.anonymous.graphql(login, input={name: KARIM[name] for name in ("email", "password")})
    assert "errors" not in answer
    assert answer["data"]["login"]["auth"]["method"] == "SESSION"
    assert len(answer["data"]["login"]["organizations"]) == 1


async def test_registration_shows_the_new_account_alone(world: World) -> None:
    answer = await world.anonymous.graphql(f"{REGISTER} {ACCOUNT}", input=KARIM)
    assert answer["data"]["register"]["number"] == "01700000000"
    denied = {path.removeprefix("register.") for path in error_codes_by_path(answer)}
    assert denied == {"organization", "organizations", "tickets", "apiKeys"}
    assert (answer["data"]["register"]["auth"], answer["data"]["register"]["stats"]) == (None, None)


async def test_admin_sees_other_accounts_without_what_is_the_callers_own(world: World) -> None:
    account = await world.organizer()
    await world.organization(account)
    caller = await world.session(await world.admin())
    fields = "{ ...Whole ticketCount }"
    document = f"query($id: ID!) {{ user(id: $id) {fields} users(limit: 2) {{ items {fields} }} }} {ACCOUNT}"
    answer = await caller.graphql(document, id=account.id)
    assert "errors" not in answer
    found = [one for one in _objects(answer["data"], "User") if one["id"] == str(account.id)]
    assert found[0] == found[1]
    assert (found[0]["auth"], found[0]["stats"], found[0]["ticketCount"]) == (None, None, 0)


async def test_key_without_users_read_sees_of_its_account_what_auth_me_shows(world: World) -> None:
    key = await world.key(await world.user(), KeyType.USER, permissions=["tickets:read"])
    answer = await key.graphql(f"{{ me {{ ...Whole ticketCount }} }} {ACCOUNT}")
    refused = error_codes_by_path(answer)
    names = ["number", "pfp", "country", "createdAt", "organization", "organizations", "apiKeys", "stats"]
    assert refused == dict.fromkeys((f"me.{name}" for name in names), "MISSING_SCOPE") | {
        "me.ticketCount": "WRONG_KEY_TYPE"
    }
    assert answer["data"]["me"]["email"]
