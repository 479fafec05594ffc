"""Confirmation of an account's email address with the link sent to it (decisions 6.7)."""

import asyncio
import datetime
import re
from collections.abc import Callable

import httpx
import pytest
from starlette.applications import Starlette

from amarevents.models import EmailConfirmation, OutgoingMail, User
from amarevents.models.columns import utc_now
from amarevents.models.enums import MailKind, MailStatus
from amarevents.resolvers.accounts import auth, email_confirmation
from amarevents.resolvers.accounts.email_confirmation import (
    LINK_DAYS,
    enqueue_confirmation_email,
    purge_expired_links,
)
from amarevents.security.context import Context
from tests.support.mail_server import MailServer
from tests.support.rest_answers import data_of
from tests.support.world import Caller, World, snapshot

ACCOUNT = {"username": "Mina <b>", "email": "mina@example.com", "password": "secret123", "number": "01700000000"}
CREDENTIALS = {"email": ACCOUNT["email"], "password": ACCOUNT["password"]}
PAGE = "/confirm-email"


@pytest.fixture
def confirming(configured_mail_server: MailServer, configure: Callable[..., None]) -> None:
    configure(confirm_email=True)


async def mailed_token() -> str:
    """Return the token in the only pending email."""
    mail = await OutgoingMail.get(kind=MailKind.CONFIRM_EMAIL, status=MailStatus.PENDING)
    [token] = re.findall(r"^https://amarevents\.example/confirm-email\?token=(\S+)$", mail.body, re.MULTILINE)
    return str(token)


async def register(world: World) -> str:
    """Register, and return the token in the confirmation email."""
    data_of(await world.anonymous.post("/auth/register", ACCOUNT), 201)
    return await mailed_token()


async def log_in(world: World) -> None:
    """Log in by the operation itself; an HTTP client would keep the cookie."""
    await auth.login(context_of(world), data=CREDENTIALS)


def _without_nonce(page: str) -> str:
    return re.sub('nonce="[^"]+"', "", page)


def context_of(world: World) -> Context:
    """Return the context of an anonymous request."""
    transport = world.http._transport
    assert isinstance(transport, httpx.ASGITransport)
    app = transport.app
    assert isinstance(app, Starlette)
    return Context(services=app.state.services, request_id="x", address="x")


async def confirm(http: httpx.AsyncClient, token: str) -> httpx.Response:
    return await http.post(PAGE, data={"token": token})


async def is_confirmed() -> bool:
    return (await User.get(email=ACCOUNT["email"])).email_confirmed_at is not None


async def expire_links() -> None:
    await EmailConfirmation.all().update(expires_at=utc_now() - datetime.timedelta(seconds=1))


# Requests for confirmation --------------------------------------------------------------------------------------


async def test_registration_sends_a_link_and_stores_its_digest(world: World, confirming: None) -> None:
    token = await register(world)
    assert len(token) >= 43
    link = await EmailConfirmation.get()
    mail = await OutgoingMail.get()
    assert (mail.recipient, mail.user_id, link.email) == ("mina@example.com", link.user_id, "mina@example.com")
    assert token not in str((await snapshot())["email_confirmations"])
    assert datetime.timedelta(days=LINK_DAYS - 1) < link.expires_at - utc_now() <= datetime.timedelta(days=LINK_DAYS)


async def test_registration_sends_nothing_if_confirmation_is_disabled(
    world: World, configured_mail_server: MailServer
) -> None:
    data_of(await world.anonymous.post("/auth/register", ACCOUNT), 201)
    await log_in(world)
    assert await OutgoingMail.all().count() == await EmailConfirmation.all().count() == 0


async def test_a_refused_registration_sends_nothing(world: World, confirming: None) -> None:
    await register(world)
    before = await snapshot()
    assert (await world.anonymous.post("/auth/register", ACCOUNT)).status_code == 400
    assert await snapshot() == before


async def test_a_login_sends_a_new_link_only_after_the_last_has_expired(world: World, confirming: None) -> None:
    first = await register(world)
    await log_in(world)
    assert await mailed_token() == first
    await expire_links()
    await asyncio.gather(*(log_in(world) for _ in range(4)))
    assert await mailed_token() != first
    assert await EmailConfirmation.all().count() == 1


async def test_a_login_sends_nothing_to_a_confirmed_account(world: World, confirming: None) -> None:
    token = await register(world)
    await confirm(world.http, token)
    await OutgoingMail.all().delete()
    await log_in(world)
    assert await OutgoingMail.all().count() == 0


async def test_an_account_older_than_the_setting_gets_a_link_at_login(
    world: World, configured_mail_server: MailServer, configure: Callable[..., None]
) -> None:
    data_of(await world.anonymous.post("/auth/register", ACCOUNT), 201)
    configure(confirm_email=True)
    await log_in(world)
    assert await mailed_token()


async def test_only_the_latest_link_of_an_account_works(world: World, confirming: None) -> None:
    first = await register(world)
    user = await User.get(email=ACCOUNT["email"])
    await enqueue_confirmation_email(context_of(world), user)
    second = await mailed_token()
    assert (await confirm(world.http, first)).status_code == 404
    assert not await is_confirmed()
    assert (await confirm(world.http, second)).status_code == 200


# The page -------------------------------------------------------------------------------------------------------


async def test_opening_the_link_shows_the_account_and_changes_nothing(world: World, confirming: None) -> None:
    token = await register(world)
    before = await snapshot()
    for method in ("GET", "HEAD", "GET"):
        page = await world.http.request(method, PAGE, params={"token": token})
        assert page.status_code == 200
    assert await snapshot() == before
    assert "mina@example.com" in page.text
    assert "Mina &lt;b&gt;" in page.text
    assert "<b>Mina <b>" not in page.text


async def test_the_button_confirms_the_email(world: World, confirming: None) -> None:
    token = await register(world)
    form = (await world.http.get(PAGE, params={"token": token})).text
    [action] = re.findall(r'<form method="post" action="([^"]+)">', form)
    [hidden] = re.findall(r'<input type="hidden" name="token" value="([^"]+)">', form)
    done = await world.http.post(f"/{action}", data={"token": hidden})
    assert (done.status_code, "mina@example.com" in done.text) == (200, True)
    assert await is_confirmed()
    assert await EmailConfirmation.all().count() == 0


async def test_a_used_link_explains_that_nothing_is_left_to_do(world: World, confirming: None) -> None:
    token = await register(world)
    await confirm(world.http, token)
    again = await confirm(world.http, token)
    assert (again.status_code, "nothing\nleft to do" in again.text) == (404, True)
    assert await is_confirmed()


async def test_simultaneous_confirmations_confirm_once(world: World, confirming: None) -> None:
    token = await register(world)
    pages = await asyncio.gather(*(confirm(world.http, token) for _ in range(5)))
    assert sorted(page.status_code for page in pages) == [200, 404, 404, 404, 404]
    assert await is_confirmed()


async def test_all_invalid_links_get_the_same_answer(world: World, confirming: None) -> None:
    used = await register(world)
    await confirm(world.http, used)
    await User.all().update(email_confirmed_at=None)
    await enqueue_confirmation_email(context_of(world), await User.get())
    expired = await mailed_token()
    await expire_links()
    pages = [
        await world.http.get(PAGE, params={"token": token}) for token in (used, expired, "wrong", "", "\x00", "ক" * 99)
    ]
    pages += [await confirm(world.http, token) for token in (used, expired, "wrong", "", "\x00")]
    pages += [await world.http.get(PAGE), await world.http.post(PAGE), await world.http.post(PAGE, json={"token": 1})]
    answers = {(page.status_code, _without_nonce(page.text)) for page in pages}
    assert answers == {(404, _without_nonce(pages[0].text))}
    assert not await is_confirmed()


async def test_a_link_to_a_former_address_confirms_nothing(world: World, confirming: None) -> None:
    token = await register(world)
    await User.all().update(email="other@example.com")
    assert (await world.http.get(PAGE, params={"token": token})).status_code == 404
    assert (await confirm(world.http, token)).status_code == 404
    assert (await User.get()).email_confirmed_at is None


async def test_an_address_that_changes_during_confirmation_is_not_confirmed(
    world: World, confirming: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An admin changes it between the look-up of the link and the confirmation."""
    get_link = email_confirmation._get_link

    async def then_changed(token: str, now: datetime.datetime) -> EmailConfirmation:
        link = await get_link(token, now)
        await User.all().update(email="other@example.com")
        return link

    monkeypatch.setattr(email_confirmation, "_get_link", then_changed)
    token = await register(world)
    assert (await confirm(world.http, token)).status_code == 404
    assert (await User.get()).email_confirmed_at is None


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_refused(world: World, method: str) -> None:
    page = await world.http.request(method, PAGE)
    assert (page.status_code, page.headers["Allow"]) == (405, "GET, HEAD, POST")


async def test_the_page_loads_no_resources_and_sends_no_referrer(world: World, confirming: None) -> None:
    token = await register(world)
    for page in (await world.http.get(PAGE, params={"token": token}), await confirm(world.http, token)):
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["X-Robots-Tag"] == "noindex"
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert not re.search(r"(?:src|href)=|https?://", page.text)


async def test_the_page_works_with_the_session_of_another_account(world: World, confirming: None) -> None:
    token = await register(world)
    other = await world.session(await world.user())
    headers = {"Cookie": other.headers["Cookie"], "Origin": "null"}
    assert (await world.http.post(PAGE, data={"token": token}, headers=headers)).status_code == 200
    assert (await world.http.get(PAGE, headers={"Authorization": "Bearer nonsense"})).status_code == 404


async def test_the_page_has_the_rate_limit_of_anonymous_requests(
    world: World, confirming: None, configure: Callable[..., None]
) -> None:
    configure(rate_limit_anonymous=3)
    pages = [await confirm(world.http, f"guess{number}") for number in range(4)]
    assert [page.status_code for page in pages] == [404, 404, 404, 429]
    assert int(pages[-1].headers["Retry-After"]) >= 1
    assert pages[-1].headers["Content-Type"].startswith("text/html")


async def test_a_form_that_is_too_large_is_refused(world: World) -> None:
    assert (await confirm(world.http, "x" * 5000)).status_code == 400


# Effects --------------------------------------------------------------------------------------------------------


async def test_a_confirmed_account_sees_the_tickets_for_its_email(world: World, confirming: None) -> None:
    event = await world.event(await world.organizer())
    ticket = await world.ticket(event, await world.user(), email=ACCOUNT["email"])
    token = await register(world)
    caller: Caller = await world.key(await User.get(email=ACCOUNT["email"]))
    assert data_of(await caller.get("/tickets")) == []
    await confirm(world.http, token)
    assert [found["id"] for found in data_of(await caller.get("/tickets"))] == [ticket.id]


async def test_expired_links_are_purged(world: World, confirming: None) -> None:
    await register(world)
    await purge_expired_links(utc_now())
    assert await EmailConfirmation.all().count() == 1
    await purge_expired_links(utc_now() + datetime.timedelta(days=LINK_DAYS, seconds=1))
    assert await EmailConfirmation.all().count() == 0


async def test_links_are_deleted_with_their_account(world: World, confirming: None) -> None:
    await register(world)
    await User.filter(email=ACCOUNT["email"]).delete()
    assert await EmailConfirmation.all().count() == await OutgoingMail.all().count() == 0
