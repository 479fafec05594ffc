"""Credentials for the demo's accounts."""

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


async def password_fits(credentials: DemoCredentials) -> bool:
    user = await User.get(email=credentials.email)
    hasher = PasswordHasher(SETTINGS)
    try:
        return await hasher.verify(credentials.password, user.password_hash)
    finally:
        hasher.close()


async def demo_user(username: str) -> User:
    return await User.get(email=email(username))


async def stranger_in_place_of(username: str) -> User:
    return await User.create(
        username=username,
        username_key=username,
        email=email(username),
        number="01700000000",
        password_hash="a stranger's",
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


async def test_database_that_was_not_seeded_gets_none() -> None:
    accounts = [await stranger_in_place_of(username) for username in HOLDERS.values()]
    with pytest.raises(NotADemoDatabase):
        await issue()
    assert {user.password_hash for user in await User.all()} == {accounts[0].password_hash}
    assert not await ApiKey.exists()


@pytest.mark.parametrize("username", [DEMO_ORGANIZER, DEMO_ATTENDEE, DEMO_ADMIN])
async def test_stranger_who_took_a_demo_accounts_place_is_left_alone(seeded: None, username: str) -> None:
    await (await demo_user(username)).delete()
    stranger = await stranger_in_place_of(username)
    with pytest.raises(NotADemoDatabase):
        await issue()
    await stranger.refresh_from_db()
    assert stranger.password_hash == "a stranger's"
    assert not await ApiKey.exists()


async def test_password_logs_the_demo_organizer_in(seeded: None) -> None:
    credentials = await issue()
    assert credentials.email == email(DEMO_ORGANIZER)
    assert re.fullmatch(r"[a-z2-9]{4}(-[a-z2-9]{4}){2}", credentials.password)
    assert await password_fits(credentials)
    assert await Organization.filter(user__email=credentials.email).exists()


async def test_only_the_demo_organizers_password_changes(seeded: None) -> None:
    before = dict(await User.all().values_list("username", "password_hash"))
    await issue()
    after = dict(await User.all().values_list("username", "password_hash"))
    assert {name for name in before if before[name] != after[name]} == {DEMO_ORGANIZER}


async def test_keys_are_of_each_type_with_all_that_it_may_hold(seeded: None) -> None:
    for key_type, raw in raw_keys(await issue()).items():
        key = await ApiKey.get(digest=api_keys.parse_key(raw).digest).select_related("user")
        assert (key.key_type, key.user.username, key.name) == (key_type, HOLDERS[key_type], KEY_NAME)
        assert key.permissions == api_keys.default_permissions(key_type)
        assert raw.startswith(key.key_prefix)


async def test_keys_end_in_seven_days(seeded: None) -> None:
    before = utc_now()
    await issue()
    week = datetime.timedelta(days=7)
    ends = [key.expires_at for key in await ApiKey.all()]
    assert len(ends) == 3
    assert all(end is not None and before + week <= end <= utc_now() + week for end in ends)


async def test_each_time_the_password_is_another_one(seeded: None) -> None:
    first, second = await issue(), await issue()
    assert not await password_fits(first)
    assert await password_fits(second)


async def test_new_password_ends_the_organizers_sessions_and_no_others(seeded: None) -> None:
    organizer, attendee = await demo_user(DEMO_ORGANIZER), await demo_user(DEMO_ATTENDEE)
    await Session.create(user_id=organizer.id, digest="a" * 64, expires_at=utc_now() + datetime.timedelta(days=1))
    kept = await Session.create(user_id=attendee.id, digest="b" * 64, expires_at=utc_now() + datetime.timedelta(days=1))
    await issue()
    assert [session.id for session in await Session.all()] == [kept.id]


async def test_expired_demo_keys_are_deleted_and_others_stay(seeded: None) -> None:
    past, future = utc_now() - datetime.timedelta(minutes=1), utc_now() + datetime.timedelta(minutes=1)
    attendee = await demo_user(DEMO_ATTENDEE)
    other = await User.get(username="tahmina.mitu")
    gone = await api_key(attendee, KEY_NAME, past)
    kept = [
        await api_key(attendee, KEY_NAME, future),
        await api_key(attendee, "My own", past),
        await api_key(other, KEY_NAME, past),
    ]
    await issue()
    assert not await ApiKey.exists(id=gone.id)
    assert await ApiKey.filter(id__in=[key.id for key in kept]).count() == len(kept)


async def test_renamed_demo_account_still_gets_credentials(seeded: None) -> None:
    await User.filter(email=email(DEMO_ORGANIZER)).update(username="visitor", username_key="visitor")
    assert await password_fits(await issue())


async def test_mark_is_needed_whatever_else_is_there(seeded: None) -> None:
    await Seeding.all().delete()
    with pytest.raises(NotADemoDatabase):
        await issue()
    assert not await ApiKey.exists()


async def test_repr_hides_the_secrets(seeded: None) -> None:
    credentials = await issue()
    shown = repr(credentials)
    assert credentials.email in shown
    assert not any(secret in shown for secret in (credentials.password, *raw_keys(credentials).values()))
