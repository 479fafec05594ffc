"""New credentials for the accounts of the demo."""

import contextlib
import datetime
import secrets
from dataclasses import dataclass, field

from tortoise.transactions import in_transaction

from amarevents.demo.people import DEMO_ADMIN, DEMO_ATTENDEE, DEMO_ORGANIZER, email
from amarevents.models import ApiKey, Seeding, Session, User
from amarevents.models.columns import utc_now
from amarevents.models.enums import KeyType
from amarevents.security.auth import api_keys
from amarevents.security.auth.passwords import PasswordHasher
from amarevents.security.auth.principal_memory import principal_memory
from amarevents.settings import Settings

KEY_NAME = "Demo key"
KEY_DAYS = 7

# Without characters that are easily confused.
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
_PASSWORD_GROUPS, _GROUP_LENGTH = 3, 4

_KEY_HOLDERS = {
    KeyType.USER: DEMO_ATTENDEE,
    KeyType.ORGANIZER: DEMO_ORGANIZER,
    KeyType.ADMIN: DEMO_ADMIN,
}


class NotADemoDatabase(Exception):
    """The database does not contain the demo data, or its demo accounts have been deleted."""

    def __init__(self) -> None:
        super().__init__(
            "Demo credentials can only be issued for a database with the demo accounts; run 'amarevents seed' first"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCredentials:
    """The login of the demo organizer and an API key of each type. Secrets are not part of its repr."""

    email: str
    password: str = field(repr=False)
    user_key: str = field(repr=False)
    organizer_key: str = field(repr=False)
    admin_key: str = field(repr=False)


async def issue_demo_credentials(settings: Settings) -> DemoCredentials:
    """Give the demo organizer a new password, and create API keys that expire after ``KEY_DAYS`` days.

    This ends the sessions of the organizer, like any change of a password (decisions 2.3), and deletes expired demo
    keys. Raises NotADemoDatabase without changing anything.
    """
    organizer = (await _demo_accounts())[DEMO_ORGANIZER]
    password = _new_password()
    password_hash = await _hash(password, settings)
    async with (
        contextlib.aclosing(principal_memory(settings)) as principals,
        principals.changing(organizer.id),
        in_transaction(),
    ):
        accounts = await _demo_accounts()
        await _set_password(accounts[DEMO_ORGANIZER], password_hash)
        await _delete_expired_keys(accounts)
        raw = {kind: await _create_key(kind, accounts[holder]) for kind, holder in _KEY_HOLDERS.items()}
    return DemoCredentials(
        email=accounts[DEMO_ORGANIZER].email,
        password=password,
        user_key=raw[KeyType.USER],
        organizer_key=raw[KeyType.ORGANIZER],
        admin_key=raw[KeyType.ADMIN],
    )


async def _demo_accounts() -> dict[str, User]:
    """Return the accounts created by ``seed``, by their original usernames, which visitors may have changed.

    An account with the same email that was created after the demo is a different one, because ``seed`` creates
    accounts with earlier dates.
    """
    seeding = await Seeding.first()
    if seeding is None:
        raise NotADemoDatabase
    usernames = {email(username): username for username in _KEY_HOLDERS.values()}
    found = await User.filter(email__in=list(usernames), created_at__lt=seeding.created_at)
    if len(found) < len(usernames):
        raise NotADemoDatabase
    return {usernames[user.email]: user for user in found}


def _new_password() -> str:
    """Return a password of three groups of four characters (59 bits), which is enough for a rate-limited login."""
    groups = ("".join(secrets.choice(_READABLE) for _ in range(_GROUP_LENGTH)) for _ in range(_PASSWORD_GROUPS))
    return "-".join(groups)


async def _hash(password: str, settings: Settings) -> str:
    hasher = PasswordHasher(settings)
    try:
        return await hasher.hash(password)
    finally:
        hasher.close()


async def _set_password(user: User, password_hash: str) -> None:
    await User.filter(id=user.id).update(password_hash=password_hash, updated_at=utc_now())
    await Session.filter(user_id=user.id).delete()


async def _delete_expired_keys(accounts: dict[str, User]) -> None:
    holders = [user.id for user in accounts.values()]
    await ApiKey.filter(name=KEY_NAME, user_id__in=holders, expires_at__lte=utc_now()).delete()


async def _create_key(key_type: KeyType, holder: User) -> str:
    minted = api_keys.generate_key(key_type)
    await ApiKey.create(
        user_id=holder.id,
        name=KEY_NAME,
        digest=minted.digest,
        key_prefix=minted.prefix,
        key_type=key_type,
        permissions=api_keys.default_permissions(key_type),
        expires_at=utc_now() + datetime.timedelta(days=KEY_DAYS),
    )
    return minted.raw
