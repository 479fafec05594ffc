"""Several mutations in one document: the caller is identified again before each of them (decisions 2.4)."""

from amarevents.models import ApiKey
from amarevents.models.enums import KeyType
from tests.support.graphql_answers import error_codes_by_path
from tests.support.world import World, hash_password

REVOKE_AND_CREATE = """mutation($id: ID!) {
    revoked: revokeApiKey(id: $id) { revoked }
    next: createApiKey(input: {name: "Another", keyType: USER}) { key }
}"""
LOGIN_AND_CREATE = """mutation {
    login(input: {email: "%s", password: "secret123"}) { username }
    next: createApiKey(input: {name: "Another", keyType: USER}) { id }
}"""
LOGOUT_AND_UPDATE = 'mutation { logout { loggedOut } next: updateMe(input: {country: "Bangladesh"}) { id } }'


async def test_key_that_revokes_itself_cannot_do_anything_more(world: World) -> None:
    caller = await world.key(await world.user())
    assert caller.key is not None
    answer = await caller.graphql(REVOKE_AND_CREATE, id=caller.key.id)
    assert answer["data"] == {"revoked": {"revoked": True}, "next": None}
    assert error_codes_by_path(answer) == {"next": "API_KEY_REVOKED"}
    assert await ApiKey.all().count() == 1


async def test_mutations_after_a_login_run_as_the_new_account(world: World) -> None:
    before = await world.session(await world.user())
    other = await world.user(password_hash=hash_password("secret123"))
    answer = await before.graphql(LOGIN_AND_CREATE % other.email)
    assert "errors" not in answer
    key = await ApiKey.get(id=int(answer["data"]["next"]["id"]))
    assert key.user_id == other.id


async def test_mutations_after_a_logout_are_anonymous(world: World) -> None:
    caller = await world.session(await world.user())
    answer = await caller.graphql(LOGOUT_AND_UPDATE)
    assert answer["data"]["next"] is None
    assert error_codes_by_path(answer) == {"next": "UNAUTHENTICATED"}


async def test_several_mutations_with_a_valid_key_all_run(world: World) -> None:
    caller = await world.key(await world.organizer(), KeyType.ORGANIZER)
    create = 'createApiKey(input: {name: "Another", keyType: USER}) { id }'
    answer = await caller.graphql(f"mutation {{ a: {create} b: {create} }}")
    assert "errors" not in answer
    assert await ApiKey.all().count() == 3
