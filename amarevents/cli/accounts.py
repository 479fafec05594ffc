"""The commands for accounts and their keys: ``create-admin``, ``create-key`` and ``confirm-email``."""

import contextlib
import sys
from collections.abc import AsyncIterator
from typing import Annotated

from cyclopts import Parameter

from amarevents.cli.settings import read_settings
from amarevents.errors import OperatorError
from amarevents.infra.pubsub import MemoryBroker
from amarevents.models import User
from amarevents.models.columns import utc_now
from amarevents.models.db.connection import open_database
from amarevents.models.enums import KeyType
from amarevents.resolvers.accounts.api_keys import create_api_key
from amarevents.resolvers.accounts.signup import Register, create_account
from amarevents.resolvers.core.operation import validate
from amarevents.security.auth.passwords import PasswordHasher
from amarevents.security.auth.principals import account_of
from amarevents.security.context import Context
from amarevents.security.policy import session_principal
from amarevents.security.rate_limit import MemoryRateLimiter
from amarevents.security.services import open_services
from amarevents.text import email_key

Email = Annotated[str, Parameter(metavar="EMAIL", help="Email address of the account.")]


async def create_admin(
    *,
    username: Annotated[str, Parameter(metavar="NAME", help="Name that other users see.")],
    email: Annotated[str, Parameter(metavar="EMAIL", help="Email address to log in with.")],
    number: Annotated[str, Parameter(metavar="PHONE", help="Phone number.")],
    _password_stdin: Annotated[
        bool, Parameter(name="--password-stdin", help="Read the password from standard input, the only way to give it.")
    ],
) -> None:
    settings = read_settings()
    password = sys.stdin.readline().rstrip("\n")
    data = validate(Register, {"username": username, "email": email, "number": number, "password": password})
    assert isinstance(data, Register)  # noqa: S101 - for the type checker
    async with open_database(settings):
        with contextlib.closing(PasswordHasher(settings)) as hasher:
            password_hash = await hasher.hash(data.password)
        user = await create_account(data, password_hash=password_hash, admin=True)
        await User.filter(id=user.id).update(email_confirmed_at=utc_now())
    print(f"Created the admin {user.username} <{user.email}>")


async def create_key(
    *,
    email: Email,
    key_type: Annotated[
        KeyType, Parameter(name="--type", metavar="TYPE", help="Type of the key, limited by the role of the account.")
    ],
    name: Annotated[str, Parameter(metavar="NAME", help="Name of the key, to recognize it by.")] = "Command line key",
    permission: Annotated[
        list[str] | None,
        Parameter(
            metavar="SCOPE", help="Permission of the key, such as events:read; repeatable. Default: all of its type."
        ),
    ] = None,
) -> None:
    async with _acting_for(email) as ctx:
        data = {"name": name, "key_type": key_type, "permissions": permission}
        created = await create_api_key(ctx, data=data)
    print(created.key)


async def confirm_email(*, email: Email) -> None:
    async with _acting_for(email) as ctx:
        account_id = ctx.principal.require_account().id
        async with ctx.services.principals.changing(account_id):
            await User.filter(id=account_id).update(email_confirmed_at=utc_now())
    print(f"Confirmed {email}")


@contextlib.asynccontextmanager
async def _acting_for(email: str) -> AsyncIterator[Context]:
    """Yield a context as if the account had logged in: operations allow the operator what they allow its owner."""
    settings = read_settings()
    async with open_database(settings):
        user = await User.get_or_none(email_key=email_key(email.strip()))
        if user is None:
            raise OperatorError(f"There is no account with the email {email}")
        # Commands have no subscribers and no rate limits.
        async with open_services(settings, limiter=MemoryRateLimiter(), broker=MemoryBroker()) as services:
            principal = session_principal(account_of(user), session_id=0)
            yield Context(services=services, request_id="cli", address="cli", principal=principal)
