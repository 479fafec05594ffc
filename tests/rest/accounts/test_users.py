"""The management of accounts by admins: search, details and changes (decisions 8.5)."""

from typing import Any

import pytest

from amarevents.models import EmailConfirmation, Session, User
from amarevents.models.columns import utc_now
from amarevents.models.enums import KeyType, TicketStatus
from tests.rest.conftest import Stage
from tests.support.rest_answers import (
    ACCOUNT_FIELDS,
    API_KEY_FIELDS,
    OWNED_ORGANIZATION_FIELDS,
    OWNING_ACCOUNT_FIELDS,
    data_of,
    error_in,
    page_in,
    refused,
)
from tests.support.world import Caller, World, hash_password

USER_FIELDS = OWNING_ACCOUNT_FIELDS | {"api_keys", "ticket_count"}
OLD, NEW = "correct horse", "battery staple"


# Permissions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["list", "get", "put", "delete"])
async def test_only_admins_manage_accounts(world: World, stage: Stage, method: str) -> None:
    assert stage.admin.user is not None
    target = f"/admin/users/{stage.buyer_account.id}"

    async def require_refusal(caller: Caller, status: int, code: str) -> None:
        responses = {
            "list": lambda: caller.get("/admin/users"),
            "get": lambda: caller.get(target),
            "put": lambda: caller.put(target, {"admin": True}),
            "delete": lambda: caller.delete(target),
        }
        await refused(responses[method](), status, code)

    await require_refusal(world.anonymous, 401, "UNAUTHENTICATED")
    for caller in (stage.buyer, stage.organizer, await world.session(stage.buyer_account)):
        await require_refusal(caller, 403, "WRONG_KEY_TYPE")
    for key_type in (KeyType.USER, KeyType.ORGANIZER):
        await require_refusal(await world.key(stage.admin.user, key_type), 403, "WRONG_KEY_TYPE")
    without = await world.key(stage.admin.user, KeyType.ADMIN, permissions=["users:read", "users:write"])
    await require_refusal(without, 403, "MISSING_SCOPE")


async def test_session_of_an_admin_manages_accounts(world: World, stage: Stage) -> None:
    assert stage.admin.user is not None
    session = await world.session(stage.admin.user)
    assert data_of(await session.get(f"/admin/users/{stage.buyer_account.id}"))["username"] == "buyer"


async def test_unknown_account_is_not_found(stage: Stage) -> None:
    error_in(await stage.admin.get("/admin/users/999999"), 404, "NOT_FOUND")
    await refused(stage.admin.put("/admin/users/999999", {"admin": True}), 404, "NOT_FOUND")
    await refused(stage.admin.delete("/admin/users/999999"), 404, "NOT_FOUND")


# Search ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word",
    ["Rahima", "rahima BEG", "হিমা", "RAHIMA.B@", "@post.example", "1712-34", " 5678 ", "beg\u09bem", "100%_\\'"],
)
async def test_search_matches_any_part_of_username_email_and_number(world: World, word: str) -> None:
    admin = await world.admin_key()
    found = await world.user(
        username="Rahima Begাm রহিমা 100%_\\'", email="rahima.b@post.example", number="+880 1712-345678"
    )
    await world.user(username="1001xx", email="other@example.com", number="01800000000")
    assert page_in(await admin.get("/admin/users", search=word)) == (
        [found.id], {"total": 1, "page": 1, "limit": 20, "pages": 1}
    )  # fmt: skip


@pytest.mark.parametrize("sign", ["%", "_", "\\", "a_b", "a%b", "\\%", "'", '"', "*"])
async def test_search_treats_pattern_characters_literally(world: World, sign: str) -> None:
    admin = await world.admin_key()
    found = await world.user(username=f"Only {sign} this", email="x@example.com")
    await world.user(username="Only axb this", email="y@example.com")
    assert page_in(await admin.get("/admin/users", search=sign))[0] == [found.id]


async def test_search_does_not_match_across_columns(world: World) -> None:
    admin = await world.admin_key()
    await world.user(username="karim", email="rahman@example.com")
    for word in ("karimrahman", "karim rahman"):
        assert page_in(await admin.get("/admin/users", search=word))[0] == []


async def test_search_finds_a_new_account(world: World) -> None:
    admin = await world.admin_key()
    body = {"username": "শেফালী", "email": "Shefali@Example.com", "password": "secret123", "number": "01700123456"}
    created = data_of(await world.anonymous.post("/auth/register", body), 201)
    for word in ("শেফা", "SHEFALI@", "0012345"):
        assert page_in(await admin.get("/admin/users", search=word))[0] == [created["id"]]


async def test_accounts_are_listed_newest_first(world: World) -> None:
    admin = await world.admin_key()
    others = [await world.user() for _ in range(2)]
    response = await admin.get("/admin/users")
    assert admin.user is not None
    assert page_in(response)[0] == [others[1].id, others[0].id, admin.user.id]
    assert all(row.keys() == ACCOUNT_FIELDS for row in data_of(response))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"type": "user"}, ["plain", "boss"]), ({"type": "organizer"}, ["both", "maker"]),
        ({"admin": "1"}, ["both", "boss"]), ({"admin": "true"}, ["both", "boss"]),
        ({"admin": "TRUE"}, ["both", "boss"]),
        ({"admin": "0"}, ["maker", "plain"]), ({"admin": "false"}, ["maker", "plain"]),
        ({"type": "organizer", "admin": "1"}, ["both"]), ({"type": "user", "admin": "0", "search": "PLA"}, ["plain"]),
        ({"type": "", "admin": " "}, ["both", "maker", "plain", "boss"]),
    ],
)  # fmt: skip
async def test_accounts_are_filtered_by_type_and_admin(world: World, query: dict[str, str], names: list[str]) -> None:
    admin = await world.admin_key(username="boss")
    await world.user(username="plain")
    await world.organizer(username="maker")
    await world.organizer(username="both", admin=True)
    response = await admin.get("/admin/users", **query)
    assert [row["username"] for row in data_of(response)] == names
    assert page_in(response)[1]["total"] == len(names)


@pytest.mark.parametrize(
    "query", [{"type": "admin"}, {"type": "users"}, {"admin": "2"}, {"admin": "yes"}, {"search": "x" * 256}]
)
async def test_invalid_filter_is_refused_by_name(stage: Stage, query: dict[str, str]) -> None:
    assert set(error_in(await stage.admin.get("/admin/users", **query), 400, "VALIDATION_ERROR")) == set(query)


# One account ----------------------------------------------------------------------------------------------------


async def test_account_details_include_keys_organizations_and_ticket_count(world: World, stage: Stage) -> None:
    assert stage.organizer.user is not None
    assert stage.organizer.key is not None
    second = await world.organization(stage.organizer.user)
    key = (await world.key(stage.organizer.user, revoked_at=utc_now(), is_active=False)).key
    assert key is not None
    await world.ticket(stage.event, stage.organizer.user, status=TicketStatus.FAILED)
    await world.ticket(stage.event, stage.buyer_account, email=stage.organizer.user.email)
    await world.ticket(stage.event, stage.buyer_account)
    shown = data_of(await stage.admin.get(f"/admin/users/{stage.organizer.user.id}"))
    assert shown.keys() == USER_FIELDS
    assert [one["id"] for one in shown["organizations"]] == [stage.organization.id, second.id]
    assert shown["organization"] == shown["organizations"][0]
    assert shown["organization"].keys() == OWNED_ORGANIZATION_FIELDS
    assert [one["id"] for one in shown["api_keys"]] == [key.id, stage.organizer.key.id]
    assert all(one.keys() == API_KEY_FIELDS for one in shown["api_keys"])
    assert shown["ticket_count"] == 2


# Changing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"username": " Rahima "}, {"username": "Rahima"}),
        ({"email": " New@Example.com "}, {"email": "new@example.com"}),
        ({"number": "+880 1700-000000"}, {"number": "+880 1700-000000"}),
        ({"country": "BD"}, {"country": "BD"}), ({"country": None}, {"country": None}),
        ({"type": "organizer"}, {"type": "organizer"}), ({"type": "user"}, {}),
        ({"admin": True}, {"admin": True}), ({"admin": 1}, {"admin": True}), ({"admin": "1"}, {"admin": True}),
        ({"admin": False}, {}), ({"promote_organizer": False, "demote_organizer": False}, {}), ({}, {}),
        ({"username": "Both", "number": "01712345678", "country": "IN"},
         {"username": "Both", "number": "01712345678", "country": "IN"}),
    ],
    ids=str,
)  # fmt: skip
async def test_only_the_sent_fields_change(stage: Stage, sent: dict[str, Any], shown: dict[str, Any]) -> None:
    path = f"/admin/users/{stage.buyer_account.id}"
    await User.filter(id=stage.buyer_account.id).update(country="NP")
    before = data_of(await stage.admin.get(path))
    assert data_of(await stage.admin.put(path, sent)) == {**before, **shown}
    assert data_of(await stage.admin.get(path)) == {**before, **shown}


@pytest.mark.parametrize(
    "invalid",
    [
        {"username": "ab"}, {"username": None}, {"email": "no"}, {"email": None}, {"number": None}, {"number": "x"},
        {"type": "admin"}, {"type": None}, {"admin": None}, {"admin": 2}, {"admin": "yes"}, {"password": "short"},
        {"password": None}, {"password": "x" * 129}, {"promote_organizer": None}, {"demote_organizer": "maybe"},
        {"password_hash": "x"}, {"country": "x" * 256},
    ],
    ids=str,
)  # fmt: skip
async def test_invalid_field_is_refused_by_name(stage: Stage, invalid: dict[str, Any]) -> None:
    request = stage.admin.put(f"/admin/users/{stage.buyer_account.id}", {"number": "01712345678", **invalid})
    assert set(await refused(request, 400, "VALIDATION_ERROR")) == set(invalid)


@pytest.mark.parametrize(
    ("sent", "code", "field"),
    [
        ({"username": "BOSS"}, "USERNAME_TAKEN", "username"),
        ({"username": "bo\u200dss"}, "USERNAME_TAKEN", "username"),
        ({"email": "Boss@Example.com"}, "EMAIL_TAKEN", "email"),
    ],
)  # fmt: skip
async def test_taken_username_or_email_is_refused(stage: Stage, sent: dict[str, str], code: str, field: str) -> None:
    request = stage.admin.put(f"/admin/users/{stage.buyer_account.id}", {**sent, "admin": True})
    assert set(await refused(request, 400, code)) == {field}


async def test_only_a_different_email_becomes_unconfirmed(world: World, stage: Stage) -> None:
    path, confirmed = f"/admin/users/{stage.buyer_account.id}", utc_now()
    await User.filter(id=stage.buyer_account.id).update(email_confirmed_at=confirmed)
    data_of(await stage.admin.put(path, {"email": "BUYER@example.com", "country": "BD"}))
    assert (await User.get(id=stage.buyer_account.id)).email_confirmed_at == confirmed
    data_of(await stage.admin.put(path, {"email": "new@example.com"}))
    assert (await User.get(id=stage.buyer_account.id)).email_confirmed_at is None


async def test_new_email_is_sent_a_confirmation_link_where_confirmation_is_required(
    world: World, stage: Stage, configure: Any
) -> None:
    configure(confirm_email=True)
    data_of(await stage.admin.put(f"/admin/users/{stage.buyer_account.id}", {"email": "new@example.com"}))
    assert [link.email for link in await EmailConfirmation.all()] == ["new@example.com"]


async def test_search_finds_a_changed_account_by_its_new_values(stage: Stage) -> None:
    sent = {"username": "Shefali", "email": "s@example.net", "number": "01999999999"}
    data_of(await stage.admin.put(f"/admin/users/{stage.buyer_account.id}", sent))
    for word, found in (("SHEFALI", 1), ("@example.net", 1), ("1999999", 1), ("buyer", 0)):
        assert page_in(await stage.admin.get("/admin/users", search=word))[1]["total"] == found


async def test_new_password_replaces_the_old_one_and_ends_the_sessions(world: World, stage: Stage) -> None:
    account = await world.user(username="karim", password_hash=hash_password(OLD))
    session, key = await world.session(account), await world.key(account)
    response = await stage.admin.put(f"/admin/users/{account.id}", {"password": NEW})
    data_of(response)
    assert (NEW in response.text, "Set-Cookie" in response.headers) == (False, False)
    assert [(await caller.get("/auth/me")).status_code for caller in (session, key)] == [401, 200]
    assert await Session.filter(user_id=account.id).count() == 0
    for password, status in ((OLD, 401), (NEW, 200)):
        body = {"email": account.email, "password": password}
        assert (await world.anonymous.post("/auth/login", body)).status_code == status


async def test_admin_stays_logged_in_after_changing_the_own_password(world: World) -> None:
    admin = await world.admin()
    here, elsewhere = await world.session(admin), await world.session(admin)
    response = await here.put(f"/admin/users/{admin.id}", {"password": "another secret"})
    data_of(response)
    world.http.cookies.clear()
    cookie = response.headers["Set-Cookie"].partition(";")[0]
    renewed = Caller(world.http, admin, {"Cookie": cookie})
    statuses = [(await caller.get("/auth/me")).status_code for caller in (renewed, here, elsewhere)]
    assert statuses == [200, 401, 401]
