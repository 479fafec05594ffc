"""Creation of accounts: their names, which are unique, and the registration of a new account (decisions 8.1, 8.2)."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Self

from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.models import User
from amarevents.models.enums import AccountType
from amarevents.resolvers.accounts.email_confirmation import enqueue_confirmation_email
from amarevents.resolvers.core.constraint_errors import integrity_errors
from amarevents.resolvers.core.inputs import DateTime, Input, RecordId
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.select import Select
from amarevents.resolvers.core.sources import Source
from amarevents.resolvers.core.text_types import Email, Password, Phone, Username
from amarevents.security.context import Context
from amarevents.security.policy import PUBLIC
from amarevents.security.rate_limit.quotas import AddressLimit
from amarevents.text import email_key, fold, phone_digits, search_text


@dataclass(slots=True, kw_only=True)
class AccountView:
    """An account, as its owner and admins see it."""

    id: RecordId
    """The ID of the account."""
    username: str
    """The username, 3 to 50 characters long."""
    email: str
    """The email address, in lower case."""
    number: str
    """The phone number."""
    type: AccountType
    """Whether the account can only register for events or also publish them."""
    admin: bool
    """Whether the account is an admin."""
    pfp: str | None
    """The URL of the profile picture, or its path on the site; null if there is none."""
    country: str | None
    """The country of the account; null if it has not been set."""
    created_at: DateTime
    """When the account was created, in UTC."""

    @classmethod
    def from_model(cls, user: User) -> Self:
        """Return the view of an account."""
        return cls(
            id=RecordId(user.id),
            username=user.username,
            email=user.email,
            number=user.number,
            type=user.type,
            admin=user.admin,
            pfp=user.pfp,
            country=user.country,
            created_at=user.created_at,
        )


ACCOUNTS = Select(Source(AccountView, "users"))


def account_search_text(username: str, email: str, number: str) -> str:
    """Return what searches for accounts look at: both forms of the domain, and the digits of the number."""
    return search_text(username, email, email_key(email), number, phone_digits(number))


class Register(Input):
    """Fields of the account to create."""

    username: Username
    """The username, 3 to 50 characters long. Neither case nor invisible characters make a difference."""
    email: Email
    """The email address, which identifies the account when logging in. It is stored in lower case."""
    password: Password
    """The password, 6 to 128 characters long."""
    number: Phone
    """The phone number, with or without country code."""


@operation(
    PUBLIC,
    creates=True,
    changes=(User,),
    address_limit=AddressLimit.REGISTRATIONS,
    raises=(errors.UsernameTaken, errors.EmailTaken),
)
async def register(ctx: Context, data: Register) -> AccountView:
    """Create an account.

    If the deployment confirms email addresses, a link that confirms the address is sent to it.
    """
    await _require_available(data)
    password_hash = await ctx.services.hasher.hash(data.password)
    async with in_transaction():
        user = await create_account(data, password_hash=password_hash)
        await enqueue_confirmation_email(ctx, user)
    ctx.created_account_id = user.id
    return AccountView.from_model(user)


async def _require_available(data: Register) -> None:
    """Raise UsernameTaken or EmailTaken before a password is hashed; the unique indexes decide between two requests."""
    if await User.exists(username_key=fold(data.username)):
        raise errors.UsernameTaken
    if await User.exists(email_key=email_key(data.email)):
        raise errors.EmailTaken


async def create_account(data: Register, *, password_hash: str, admin: bool = False) -> User:
    """Create an account. Raises UsernameTaken, EmailTaken."""
    with account_integrity_errors():
        return await User.create(
            username=data.username,
            email=data.email,
            number=data.number,
            password_hash=password_hash,
            admin=admin,
            search_text=account_search_text(data.username, data.email, data.number),
        )


def account_integrity_errors() -> AbstractContextManager[None]:
    """Raise UsernameTaken or EmailTaken for a statement in the block that violates a constraint of accounts."""
    return integrity_errors({"username_key": errors.UsernameTaken(), "email_key": errors.EmailTaken()})
