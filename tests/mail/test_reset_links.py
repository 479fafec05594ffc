"""Changes of an account that end the links for its forgotten password, and the emails with them (decisions 2.3c)."""

import re
from collections.abc import Awaitable, Callable

import pytest
from starlette.applications import Starlette

from amarevents.models import OutgoingMail, PasswordReset, User
from amarevents.models.enums import MailKind, MailStatus
from tests.support.rest_answers import data_of
from tests.support.world import Caller, World, hash_password

OLD, NEW = "correct horse", "battery staple"
REQUEST = "mutation ($email: String!) { requestPasswordReset(email: $email) { requested } }"
RESET = "mutation ($token: String!, $password: String!) { resetPassword(token: $token, password: $password) { reset } }"
UPDATE_ME = 'mutation { updateMe(input: {password: "battery staple", currentPassword: "correct horse"}) { id } }'
UPDATE_USER = "mutation ($id: ID!, $input: UpdateUserInput!) { updateUser(id: $id, input: $input) { id } }"

Change = Callable[[Caller, Caller, User], Awaitable[object]]


@pytest.fixture
async def karim(world: World) -> User:
    return await world.user(username="Karim", password_hash=hash_password(OLD))


@pytest.fixture(autouse=True)
async def links(world: World, app: Starlette, karim: User, configured_mail_server: object) -> None:
    """Send links for two accounts, so that only those of the changed account may end."""
    other = await world.user()
    for user in (karim, other):
        await world.anonymous.graphql(REQUEST, email=user.email)
    await app.state.services.background.wait()
    assert await left() == ([karim.id, other.id], [karim.id, other.id])


async def left() -> tuple[list[int], list[int | None]]:
    """Return the accounts that have a link, and those that an email with a link is waiting for."""
    links = await PasswordReset.all().order_by("user_id")
    mails = OutgoingMail.filter(kind=MailKind.RESET_PASSWORD).exclude(status=MailStatus.SENT)
    return [link.user_id for link in links], [mail.user_id for mail in await mails.order_by("user_id")]


async def own_by_rest(own: Caller, admin: Caller, user: User) -> object:
    return data_of(await own.put("/users/me", {"password": NEW, "current_password": OLD}))


async def own_by_graphql(own: Caller, admin: Caller, user: User) -> object:
    return (await own.graphql(UPDATE_ME))["data"]["updateMe"]


def by_rest(**changes: str) -> Change:
    async def change(own: Caller, admin: Caller, user: User) -> object:
        return data_of(await admin.put(f"/admin/users/{user.id}", changes))

    return change


def by_graphql(**changes: str) -> Change:
    async def change(own: Caller, admin: Caller, user: User) -> object:
        return (await admin.graphql(UPDATE_USER, id=user.id, input=changes))["data"]["updateUser"]

    return change


async def token_of(user: User) -> str:
    mail = await OutgoingMail.get(kind=MailKind.RESET_PASSWORD, user_id=user.id)
    [token] = re.findall(r"reset-password\?token=(\S+)", mail.body or "")
    return str(token)


async def reset_by_graphql(own: Caller, admin: Caller, user: User) -> object:
    return (await own.graphql(RESET, token=await token_of(user), password=NEW))["data"]["resetPassword"]


async def reset_by_form(own: Caller, admin: Caller, user: User) -> object:
    form = {"token": await token_of(user), "password": NEW}
    return (await own.http.post("/reset-password", data=form)).status_code == 200


CHANGES: dict[str, Change] = {
    "own password, REST": own_by_rest,
    "own password, GraphQL": own_by_graphql,
    "password by an admin, REST": by_rest(password=NEW),
    "password by an admin, GraphQL": by_graphql(password=NEW),
    "reset, GraphQL": reset_by_graphql,
    "reset, page": reset_by_form,
    "email, REST": by_rest(email="new@example.com"),
    "email, GraphQL": by_graphql(email="new@example.com"),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_links_and_emails_of_the_account_end(world: World, karim: User, change: str) -> None:
    own, admin = await world.key(karim), await world.admin_key()
    assert await CHANGES[change](own, admin, karim)
    links, mails = await left()
    assert len(links) == len(mails) == 1
    assert karim.id not in {*links, *mails}


@pytest.mark.parametrize("changes", [{"country": "BD"}, {"email": "karim@example.com"}, {"number": "01800000000"}])
async def test_other_changes_keep_them(world: World, karim: User, changes: dict[str, str]) -> None:
    before = await left()
    own, admin = await world.key(karim), await world.admin_key()
    assert await by_rest(**changes)(own, admin, karim)
    assert await left() == before


async def test_a_change_that_fails_keeps_them(world: World, karim: User) -> None:
    before, taken = await left(), await world.user(username="taken")
    admin = await world.admin_key()
    response = await admin.put(f"/admin/users/{karim.id}", {"password": NEW, "email": taken.email})
    assert (response.status_code, await left()) == (400, before)
