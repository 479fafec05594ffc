"""The credentials that the demo issues for its accounts."""

import datetime
import re

import pytest

from amarevents.demo import DemoCredentials, NotADemoDatabase, issue_demo_credentials, seed
from amarevents.demo.credentials import KEY_NAME
from amarevents.demo.people import DEMO_ADMIN, DEMO_ATTENDEE, DEMO_ORGANIZER, email
from amarevents.models import ApiKey, Organization, Seeding, Session, User
from amarevents.models.columns import utc_now
from amarevents.models.enums import KeyType
from amarevents.security.auth import api_keys
from amarevents.security.auth.passwords import PasswordHasher
from amarevents.settings import Settings

pytestmark = pytest.mark.usefixtures("database")

SETTINGS = Settings(argon2_time_cost=1, argon2_memory_kib=8)
TODAY = datetime.date(2026, 3, 10)
HOLDERS = {KeyType.USER: DEMO_ATTENDEE, KeyType.ORGANIZER: DEMO_ORGANIZER, KeyType.ADMIN: DEMO_ADMIN}


@pytest.fixture
async def seeded(database: object) -> None:
    await seed(TODAY)


async def issue() -> DemoCredentials:
    return await issue_demo_credentials(SETTINGS)


async def can_log_in(credentials: DemoCredentials) -> bool:
    user = await User.get(email=credentials.email)
    hasher = PasswordHasher(SETTINGS)
    try:
        return await hasher.verify(credentials.password, user.password_hash)
    finally:
        hasher.close()


async def demo_user(username: str) -> User:
    return await User.get(email=email(username))


async def other_account_named(username: str) -> User:
    return await User.create(
        username=username,
        email=email(username),
        number="01700000000",
        password_hash="another account's",
        admin=True,
    )


async def api_key(holder: User, name: str, expires_at: datetime.datetime) -> ApiKey:
    minted = api_keys.generate_key(KeyType.USER)
    return await ApiKey.create(
        user_id=holder.id,
        name=name,
        digest=minted.digest,
        key_prefix=minted.prefix,
        key_type=KeyType.USER,
        expires_at=expires_at,
    )


def raw_keys(credentials: DemoCredentials) -> dict[KeyType, str]:
    return {
        KeyType.USER: credentials.user_key,
        KeyType.ORGANIZER: credentials.organizer_key,
        KeyType.ADMIN: credentials.admin_key,
    }


async def test_database_without_demo_data_gets_no_credentials() -> None:
    accounts = [await other_account_named(username) for username in HOLDERS.values()]
    with pytest.raises(NotADemoDatabase):
        await issue()
    assert {user.password_hash for user in await User.all()} == {accounts[0].password_hash}
    assert not await ApiKey.exists()


@pytest.mark.parametrize("username", [DEMO_ORGANIZER, DEMO_ATTENDEE, DEMO_ADMIN])
async def test_account_that_replaces_a_demo_account_gets_no_credentials(seeded: None, username: str) -> None:
    await (await demo_user(username)).delete()
    account = await other_account_named(username)
    with pytest.raises(NotADemoDatabase):
        await issue()
    await account.refresh_from_db()
    assert account.password_hash == "another account's"
    assert not await ApiKey.exists()


async def test_demo_organizer_can_log_in_with_the_password(seeded: None) -> None:
    credentials = await issue()
    assert credentials.email == email(DEMO_ORGANIZER)
    assert re.fullmatch(r"[a-z2-9]{4}(-[a-z2-9]{4}){2}", credentials.password)
    assert await can_log_in(credentials)
    assert await Organization.filter(user__email=credentials.email).exists()


async def test_only_the_password_of_the_demo_organizer_changes(seeded: None) -> None:
    before = dict(await User.all().values_list("username", "password_hash"))
    await issue()
    after = dict(await User.all().values_list("username", "password_hash"))
    assert {name for name in before if before[name] != after[name]} == {DEMO_ORGANIZER}


async def test_keys_of_each_type_have_all_permissions_of_the_type(seeded: None) -> None:
    for key_type, raw in raw_keys(await issue()).items():
        key = await ApiKey.get(digest=api_keys.parse_key(raw).digest).select_related("user")
        assert (key.key_type, key.user.username, key.name) == (key_type, HOLDERS[key_type], KEY_NAME)
        assert key.permissions == api_keys.default_permissions(key_type)
        assert raw.startswith(key.key_prefix)


async def test_keys_expire_in_seven_days(seeded: None) -> None:
    before = utc_now()
    await issue()
    week = datetime.timedelta(days=7)
    expiries = [key.expires_at for key in await ApiKey.all()]
    assert len(expiries) == 3
    assert all(end is not None and before + week <= end <= utc_now() + week for end in expiries)


async def test_password_changes_each_time(seeded: None) -> None:
    first, second = await issue(), await issue()
    assert not await can_log_in(first)
    assert await can_log_in(second)


async def test_new_password_ends_only_the_sessions_of_the_organizer(seeded: None) -> None:
    organizer, attendee = await demo_user(DEMO_ORGANIZER), await demo_user(DEMO_ATTENDEE)
    await Session.create(user_id=organizer.id, digest="a" * 64, expires_at=utc_now() + datetime.timedelta(days=1))
    kept = await Session.create(user_id=attendee.id, digest="b" * 64, expires_at=utc_now() + datetime.timedelta(days=1))
    await issue()
    assert [session.id for session in await Session.all()] == [kept.id]


async def test_only_expired_demo_keys_are_deleted(seeded: None) -> None:
    past, future = utc_now() - datetime.timedelta(minutes=1), utc_now() + datetime.timedelta(minutes=1)
    attendee = await demo_user(DEMO_ATTENDEE)
    other = await User.get(username="tahmina.mitu")
    expired = await api_key(attendee, KEY_NAME, past)
    kept = [
        await api_key(attendee, KEY_NAME, future),
        await api_key(attendee, "My own", past),
        await api_key(other, KEY_NAME, past),
    ]
    await issue()
    assert not await ApiKey.exists(id=expired.id)
    assert await ApiKey.filter(id__in=[key.id for key in kept]).count() == len(kept)


async def test_renamed_demo_account_still_gets_credentials(seeded: None) -> None:
    await User.filter(email=email(DEMO_ORGANIZER)).update(username="visitor")
    assert await can_log_in(await issue())


async def test_demo_accounts_without_the_record_of_seeding_get_no_credentials(seeded: None) -> None:
    await Seeding.all().delete()
    with pytest.raises(NotADemoDatabase):
        await issue()
    assert not await ApiKey.exists()


async def test_repr_hides_the_secrets(seeded: None) -> None:
    credentials = await issue()
    shown = repr(credentials)
    assert credentials.email in shown
    assert not any(secret in shown for secret in (credentials.password, *raw_keys(credentials).values()))
