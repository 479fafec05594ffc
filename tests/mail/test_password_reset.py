"""Forgotten passwords: the mailed link, the mutations and the page (decisions 2.3c)."""

import asyncio
import datetime
import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from amarevents.models import ApiKey, EmailConfirmation, OutgoingMail, PasswordReset, Session, User
from amarevents.models.columns import utc_now
from amarevents.models.enums import MailKind
from tests.support.rest_answers import data_of
from tests.support.world import World, hash_password, snapshot

EMAIL = "mina@example.com"
NEW = "নতুন পাসওয়ার্ড ১২৩"
PAGE = "/reset-password"
REQUEST = "mutation ($email: String!) { requestPasswordReset(email: $email) { requested } }"
RESET = "mutation ($token: String!, $password: String!) { resetPassword(token: $token, password: $password) { reset } }"

pytestmark = pytest.mark.usefixtures("configured_mail_server")


@pytest.fixture
async def mina(world: World) -> User:
    return await world.user(username="Mina <b>", email=EMAIL, password_hash=hash_password("forgotten"))


@pytest.fixture
def request_link(world: World, app: Starlette) -> Callable[[str], Awaitable[httpx.Response]]:
    """``request_link(email)`` requests a link and waits until it has been enqueued."""

    async def request(email: str = EMAIL) -> httpx.Response:
        answer = await world.anonymous.graphql_response(REQUEST, email=email)
        await app.state.services.background.wait()
        return answer

    return request


RequestLink = Callable[..., Awaitable[httpx.Response]]


async def mailed_token() -> str:
    """Return the token in the only email about a password."""
    mail = await OutgoingMail.get(kind=MailKind.RESET_PASSWORD)
    [token] = re.findall(r"^https://amarevents\.example/reset-password\?token=(\S+)$", mail.body, re.MULTILINE)
    return str(token)


async def reset(world: World, token: str, password: str = NEW) -> dict[str, object]:
    return await world.anonymous.graphql(RESET, token=token, password=password)


async def can_log_in(world: World, password: str) -> bool:
    answer = await world.http.post("/api/auth/login", json={"email": EMAIL, "password": password})
    world.http.cookies.clear()
    return answer.status_code == 200


def code_of(answer: dict[str, object]) -> object:
    errors = answer["errors"]
    assert isinstance(errors, list)
    return errors[0]["extensions"]["fields"]


# Requests -------------------------------------------------------------------------------------------------------


async def test_a_link_is_sent_to_the_account_and_stored_as_a_digest(mina: User, request_link: RequestLink) -> None:
    assert (await request_link(" MINA@example.com ")).json()["data"] == {"requestPasswordReset": {"requested": True}}
    token, mail, link = await mailed_token(), await OutgoingMail.get(), await PasswordReset.get()
    assert (mail.recipient, mail.user_id, link.user_id, link.email) == (EMAIL, mina.id, mina.id, EMAIL)
    assert len(token) >= 43
    assert token not in str((await snapshot())["password_resets"])
    assert datetime.timedelta(minutes=59) < link.expires_at - utc_now() <= datetime.timedelta(hours=1)


async def test_the_answer_for_an_unknown_address_is_the_same(mina: User, request_link: RequestLink) -> None:
    known, unknown = await request_link(EMAIL), await request_link("unknown@example.com")
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())
    assert [mail.recipient for mail in await OutgoingMail.all()] == [EMAIL]


async def test_the_answer_does_not_wait_for_the_account(
    mina: User, world: World, app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time reveals nothing: here, the look-up does not even start before the answer has arrived."""
    answered, look_up = asyncio.Event(), User.get_or_none

    async def slow(**values: Any) -> User | None:
        await answered.wait()
        return await look_up(**values)

    monkeypatch.setattr(User, "get_or_none", slow)
    await world.anonymous.graphql(REQUEST, email=EMAIL)
    answered.set()
    await app.state.services.background.wait()
    assert await mailed_token()


async def test_only_the_latest_link_works(mina: User, world: World, request_link: RequestLink) -> None:
    await request_link()
    first = await mailed_token()
    await request_link()
    assert "errors" in await reset(world, first)
    assert "errors" not in await reset(world, await mailed_token())


async def test_simultaneous_requests_leave_one_link(mina: User, world: World, app: Starlette) -> None:
    await asyncio.gather(*(world.anonymous.graphql(REQUEST, email=EMAIL) for _ in range(5)))
    await app.state.services.background.wait()
    assert await PasswordReset.all().count() == 1
    assert "errors" not in await reset(world, await mailed_token())


async def test_an_account_gets_few_emails_an_hour_and_the_last_link_stays_valid(
    mina: User, world: World, request_link: RequestLink, configure: Callable[..., None]
) -> None:
    configure(mails_per_recipient=2)
    for _ in range(4):
        assert (await request_link()).json()["data"]["requestPasswordReset"] == {"requested": True}
    assert await PasswordReset.all().count() == 1
    token = await mailed_token()
    await request_link()
    assert await mailed_token() == token
    assert "errors" not in await reset(world, token)


async def test_requests_are_limited_per_address(
    mina: User, request_link: RequestLink, configure: Callable[..., None]
) -> None:
    configure(rate_limit_failed_logins=2)
    answers = [await request_link(f"guess{number}@example.com") for number in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]


async def test_an_email_about_a_confirmation_is_kept(
    world: World, request_link: RequestLink, configure: Callable[..., None]
) -> None:
    configure(confirm_email=True)
    account = {"username": "Mina", "email": EMAIL, "password": "secret123", "number": "01700000000"}
    data_of(await world.anonymous.post("/auth/register", account), 201)
    await request_link()
    assert {mail.kind for mail in await OutgoingMail.all()} == {MailKind.CONFIRM_EMAIL, MailKind.RESET_PASSWORD}


# The new password -----------------------------------------------------------------------------------------------


async def test_the_link_sets_the_password_and_confirms_the_email(
    mina: User, world: World, request_link: RequestLink
) -> None:
    await request_link()
    assert (await reset(world, await mailed_token()))["data"] == {"resetPassword": {"reset": True}}
    assert [await can_log_in(world, password) for password in (NEW, "forgotten")] == [True, False]
    assert (await User.get(id=mina.id)).email_confirmed_at is not None
    assert await PasswordReset.all().count() == await EmailConfirmation.all().count() == 0


async def test_a_reset_ends_all_sessions_and_no_key(mina: User, world: World, request_link: RequestLink) -> None:
    await User.filter(id=mina.id).update(email_confirmed_at=utc_now())
    session, key, other = await world.session(mina), await world.key(mina), await world.session(await world.user())
    await request_link()
    answer = await session.graphql(RESET, token=await mailed_token(), password=NEW)
    assert "errors" not in answer
    assert [(await caller.get("/auth/me")).status_code for caller in (session, key, other)] == [401, 200, 200]
    assert await Session.all().count() == await ApiKey.all().count() == 1


async def test_a_reset_lifts_the_limit_of_failed_logins(
    mina: User, world: World, request_link: RequestLink, configure: Callable[..., None]
) -> None:
    configure(failed_logins=1)
    assert not await can_log_in(world, "wrong")
    await request_link()
    await reset(world, await mailed_token())
    assert await can_log_in(world, NEW)


async def test_a_link_works_once(mina: User, world: World, request_link: RequestLink) -> None:
    await request_link()
    token = await mailed_token()
    answers = await asyncio.gather(*(reset(world, token, f"password {number}") for number in range(5)))
    assert sum("errors" not in answer for answer in answers) == 1
    assert [code_of(answer) for answer in answers if "errors" in answer] == [code_of(await reset(world, "x"))] * 4


async def test_links_that_are_not_valid_change_nothing(mina: User, world: World, request_link: RequestLink) -> None:
    await request_link()
    token = await mailed_token()
    await PasswordReset.all().update(expires_at=utc_now())
    before = await snapshot()
    answers = [await reset(world, bad) for bad in (token, "wrong", "ক" * 99)]
    assert {str(code_of(answer)) for answer in answers} == {
        str({"token": "is no longer valid: a link works once, for one hour"})
    }
    assert await snapshot() == before


async def test_a_password_that_is_not_allowed_keeps_the_link(
    mina: User, world: World, request_link: RequestLink
) -> None:
    await request_link()
    token = await mailed_token()
    assert "password" in str(code_of(await reset(world, token, "short")))
    assert "errors" not in await reset(world, token)


async def test_a_link_to_a_former_address_has_no_effect(mina: User, world: World, request_link: RequestLink) -> None:
    await request_link()
    token = await mailed_token()
    await User.filter(id=mina.id).update(email="other@example.com")
    assert "errors" in await reset(world, token)
    assert (await world.http.get(PAGE, params={"token": token})).status_code == 404


# The page -------------------------------------------------------------------------------------------------------


async def test_opening_the_link_changes_nothing(mina: User, world: World, request_link: RequestLink) -> None:
    await request_link()
    token, before = await mailed_token(), await snapshot()
    for method in ("GET", "HEAD", "GET"):
        page = await world.http.request(method, PAGE, params={"token": token})
        assert page.status_code == 200
    assert await snapshot() == before
    assert "Mina &lt;b&gt;" in page.text


async def test_the_form_sets_the_password(mina: User, world: World, request_link: RequestLink) -> None:
    await request_link()
    form = (await world.http.get(PAGE, params={"token": await mailed_token()})).text
    [action] = re.findall(r'<form method="post" action="([^"]+)">', form)
    [hidden] = re.findall(r'<input type="hidden" name="token" value="([^"]+)">', form)
    done = await world.http.post(f"/{action}", data={"token": hidden, "password": NEW})
    assert (done.status_code, "has been changed" in done.text) == (200, True)
    assert await can_log_in(world, NEW)
    again = await world.http.post(f"/{action}", data={"token": hidden, "password": "another one"})
    assert (again.status_code, "no longer valid" in again.text) == (404, True)


async def test_the_longest_bangla_password_fits_the_form(mina: User, world: World, request_link: RequestLink) -> None:
    await request_link()
    longest = "ক" * 128
    done = await world.http.post(PAGE, data={"token": await mailed_token(), "password": longest})
    assert (done.status_code, await can_log_in(world, longest)) == (200, True)


@pytest.mark.parametrize("password", ["", "short", "x" * 129])
async def test_the_form_is_shown_again_for_a_password_that_is_not_allowed(
    mina: User, world: World, request_link: RequestLink, password: str
) -> None:
    await request_link()
    token = await mailed_token()
    page = await world.http.post(PAGE, data={"token": token, "password": password})
    assert (page.status_code, f'value="{token}"' in page.text) == (400, True)
    assert re.search(r'role="alert">The password \w+', page.text)
    assert await PasswordReset.all().count() == 1


async def test_all_invalid_links_get_the_same_page(mina: User, world: World) -> None:
    pages = [await world.http.get(PAGE, params={"token": token}) for token in ("wrong", "", "\x00", "ক" * 99)]
    pages += [await world.http.post(PAGE, data={"token": token, "password": NEW}) for token in ("wrong", "")]
    pages += [await world.http.get(PAGE), await world.http.post(PAGE), await world.http.post(PAGE, json={"token": 1})]
    texts = {(page.status_code, re.sub('nonce="[^"]+"', "", page.text)) for page in pages}
    assert len(texts) == 1
    assert {status for status, _ in texts} == {404}


async def test_the_page_ignores_credentials_and_sends_no_referrer(
    mina: User, world: World, request_link: RequestLink
) -> None:
    await request_link()
    other = await world.session(await world.user())
    page = await world.http.get(PAGE, params={"token": await mailed_token()}, headers=other.headers)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert "X-RateLimit-Limit" not in page.headers
    assert (await world.http.put(PAGE)).headers["Allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("is_confirmed", [True, False])
async def test_keys_from_before_the_address_was_confirmed_are_revoked(
    mina: User, world: World, request_link: RequestLink, is_confirmed: bool
) -> None:
    """Otherwise an attacker who registered the address of another person could go on reading that person's tickets."""
    await User.filter(id=mina.id).update(email_confirmed_at=utc_now() if is_confirmed else None)
    key = await world.key(mina)
    await request_link()
    assert "errors" not in await reset(world, await mailed_token())
    expected = (200, None) if is_confirmed else (401, "API_KEY_REVOKED")
    response = await key.get("/auth/me")
    assert (response.status_code, response.json().get("code")) == expected
