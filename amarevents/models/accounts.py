"""Models of accounts and their credentials: users, mailed links, sessions and API keys."""

import datetime

from tortoise import fields
from tortoise.models import Model

from amarevents.models import columns
from amarevents.models.enums import AccountType, KeyType
from amarevents.text import email_key, fold


class User(Model):
    """An account.

    ``username_key`` and ``email_key`` are what makes usernames and mailboxes unique (decisions 1.11, 8.2).
    ``search_text`` is the folded username, email and number, for searches by admins (decisions 8.5).
    """

    id = fields.IntField(primary_key=True)
    username: str = columns.name()
    username_key: str = columns.key("username", fold, length=columns.NAME_LENGTH, unique=True)
    email: str = columns.short_text()
    email_key: str = columns.key("email", email_key, length=columns.SHORT_LENGTH, unique=True)
    email_confirmed_at: datetime.datetime | None = columns.instant(null=True)
    number: str = columns.short_text()
    password_hash: str = columns.short_text()
    type: AccountType = columns.choice(AccountType, default=AccountType.USER)
    admin = fields.BooleanField(default=False)
    pfp: str | None = columns.short_text(null=True)
    country: str | None = columns.short_text(null=True)
    search_text: str = columns.long_text(default="", db_default="")  # for rows older than the column
    created_at: datetime.datetime = columns.created_at()
    updated_at: datetime.datetime = columns.updated_at()

    class Meta:
        table = "users"
        indexes = [("type", "id"), ("admin", "id"), ("created_at",)]


class EmailConfirmation(Model):
    """A link that confirms the email address of an account (decisions 6.7); ``digest`` is the SHA-256 of its token.

    ``email`` is the recipient: the link has no effect once the account has another address.
    """

    id = fields.IntField(primary_key=True)
    user: fields.ForeignKeyRelation[User] = columns.belongs_to("User", "email_confirmations")
    user_id: int
    digest = fields.CharField(max_length=64, unique=True)
    email: str = columns.short_text()
    expires_at: datetime.datetime = columns.instant()
    created_at: datetime.datetime = columns.created_at()

    class Meta:
        table = "email_confirmations"
        indexes = [("user_id",), ("expires_at",)]


class PasswordReset(Model):
    """A link that sets a new password (decisions 2.3c); ``digest`` is the SHA-256 of its token.

    ``email`` is the recipient: the link has no effect once the account has another address.
    """

    id = fields.IntField(primary_key=True)
    user: fields.ForeignKeyRelation[User] = columns.belongs_to("User", "password_resets")
    user_id: int
    digest = fields.CharField(max_length=64, unique=True)
    email: str = columns.short_text()
    expires_at: datetime.datetime = columns.instant()
    created_at: datetime.datetime = columns.created_at()

    class Meta:
        table = "password_resets"
        indexes = [("user_id",), ("expires_at",)]


class Session(Model):
    """A login session. ``digest`` is the SHA-256 of the cookie (decisions 2.3)."""

    id = fields.IntField(primary_key=True)
    user: fields.ForeignKeyRelation[User] = columns.belongs_to("User", "sessions")
    user_id: int
    digest = fields.CharField(max_length=64, unique=True)
    expires_at: datetime.datetime = columns.instant()
    created_at: datetime.datetime = columns.created_at()

    class Meta:
        table = "sessions"
        indexes = [("user_id",), ("expires_at",)]


class ApiKey(Model):
    """An API key, stored only as its SHA-256 digest and its first 12 characters (decisions 2.2)."""

    id = fields.IntField(primary_key=True)
    user: fields.ForeignKeyRelation[User] = columns.belongs_to("User", "api_keys")
    user_id: int
    name: str = columns.name()
    digest = fields.CharField(max_length=64, unique=True)
    key_prefix = fields.CharField(max_length=12)
    key_type: KeyType = columns.choice(KeyType)
    permissions: list[str] = columns.json(default=list)
    is_active = fields.BooleanField(default=True)
    revoked_at: datetime.datetime | None = columns.instant(null=True)
    expires_at: datetime.datetime | None = columns.instant(null=True)
    last_used_at: datetime.datetime | None = columns.instant(null=True)
    created_at: datetime.datetime = columns.created_at()

    class Meta:
        table = "api_keys"
        indexes = [("user_id", "id"), ("key_type", "id"), ("is_active", "id")]
