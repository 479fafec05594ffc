"""The command line: ``amarevents serve | migrate | seed | settings | create-… | confirm-email | outbox | plans``, …"""

import argparse
import asyncio
import contextlib
import dataclasses
import functools
import os
import re
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Any

import uvicorn
from tortoise.queryset import QuerySet

from amarevents import __version__, demo, errors
from amarevents.commands import Command
from amarevents.commands.plans import add_plan_commands
from amarevents.infra.cache import shared_cache
from amarevents.infra.count_cache import CountCache
from amarevents.infra.pubsub import MemoryBroker
from amarevents.mail import outbox
from amarevents.mail.listing import description_of, line_of
from amarevents.models import OutgoingMail, User
from amarevents.models.columns import utc_now
from amarevents.models.db.connection import DatabaseUnavailable, SchemaOutdated, open_database
from amarevents.models.db.migrate import MigrationFailed, migrate
from amarevents.models.enums import KeyType, MailStatus
from amarevents.resolvers.accounts.api_keys import create_api_key
from amarevents.resolvers.accounts.signup import Register, create_account
from amarevents.resolvers.core.operation import validate
from amarevents.security.auth.key_usage import KeyUsage
from amarevents.security.auth.passwords import PasswordHasher
from amarevents.security.auth.principals import account_of
from amarevents.security.connection_limits import Connections
from amarevents.security.context import Context
from amarevents.security.policy import session_principal
from amarevents.security.rate_limit import MemoryRateLimiter
from amarevents.security.services import Services
from amarevents.server.logging import configure_logging
from amarevents.server.websocket_protocol import websocket_options
from amarevents.settings import PREFIX, Settings, SettingsError

_GRACE_SECONDS = 10


class CommandFailed(Exception):
    """What was asked for cannot be done; the message tells the operator why, and what to do."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; exits with 1 and a line on stderr where it fails, 2 where it was not understood."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        settings = Settings.from_environment()
        configure_logging(settings)
        if options.command == "serve":
            serve(options)
        else:
            asyncio.run(options.run(options, settings))
    except (
        CommandFailed,
        DatabaseUnavailable,
        MigrationFailed,
        SchemaOutdated,
        SettingsError,
        demo.DatabaseNotEmpty,
        errors.AmarEventsError,
    ) as error:
        sys.exit(f"amarevents: {error}")


# serve ----------------------------------------------------------------------------------------------------------


def serve(options: argparse.Namespace) -> None:
    """Serve until stopped. Raises CommandFailed for several workers without Redis (decisions 3.6)."""
    settings = _with_options(options)
    if settings.workers > 1 and settings.redis_url is None:
        raise CommandFailed(
            f"{settings.workers} workers need Redis, or each of them would count the rate limits for itself: "
            "set AMAREVENTS_REDIS_URL=redis://…, or serve with --workers 1"
        )
    _require_free(settings.host, settings.port)
    asyncio.run(_prepare(settings, with_demo=options.demo))
    # The processes that uvicorn starts read their settings from the environment again.
    for name in ("host", "port", "workers"):
        os.environ[f"{PREFIX}{name.upper()}"] = str(getattr(settings, name))
    uvicorn.run(
        "amarevents.app:app_from_environment",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        proxy_headers=False,  # the client's address is decided by AMAREVENTS_TRUSTED_PROXIES alone
        server_header=False,
        **websocket_options(settings.max_body_bytes),
        access_log=False,  # it would hold the tokens of confirmation links
        log_config=None,  # ours
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_worker_healthcheck=_GRACE_SECONDS,  # a rush may keep a process busy; it is no reason to kill it
    )


def _with_options(options: argparse.Namespace) -> Settings:
    """The settings, with the options in place of their variables: one set of rules for both."""
    given = {f"{PREFIX}{name.upper()}": getattr(options, name) for name in ("host", "port", "workers")}
    return Settings.from_environment({**os.environ, **{name: text for name, text in given.items() if text is not None}})


def _require_free(host: str, port: int) -> None:
    """Raises CommandFailed where the address cannot be listened on, before anything else is done."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise CommandFailed(
            f"Cannot listen on {host}:{port} ({error.strerror}): choose another AMAREVENTS_HOST or AMAREVENTS_PORT"
        ) from error


async def _prepare(settings: Settings, *, with_demo: bool) -> None:
    """Check that the database can be served from; with the demo, make it so and say how to get in."""
    if with_demo:
        await _migrate(settings)
    async with open_database(settings):
        if with_demo and await demo.is_empty():
            _print_summary(await demo.seed(utc_now().astimezone(settings.time_zone).date()))
        credentials = await _demo_credentials(settings) if with_demo else None
    if with_demo:
        _print_addresses(settings)
    if credentials is not None:
        _print_credentials(credentials)


async def _demo_credentials(settings: Settings) -> demo.DemoCredentials | None:
    """Only for a database that the demo has filled, and whose demo accounts are still there."""
    try:
        return await demo.issue_demo_credentials(settings)
    except demo.NotADemoDatabase:
        return None


def _print_addresses(settings: Settings) -> None:
    base = f"http://{settings.host}:{settings.port}"
    graphql = f"{base}/graphql (open this in a browser to try it)" if settings.graphql_explorer else f"{base}/graphql"
    addresses = f"  Docs     {base}/docs\n  REST     {base}/api/events\n  GraphQL  {graphql}\n"
    print(f"\nAmar Events {__version__}\n{addresses}", flush=True)


def _print_credentials(credentials: demo.DemoCredentials) -> None:
    print(
        "Demo credentials of this demo database (the password is new at each start, the keys end in 7 days)\n"
        f"  login          {credentials.email}  {credentials.password}  (organizer)\n"
        f"  user key       {credentials.user_key}\n"
        f"  organizer key  {credentials.organizer_key}\n"
        f"  admin key      {credentials.admin_key}\n",
        flush=True,
    )


def _print_summary(summary: demo.SeedSummary) -> None:
    counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in dataclasses.asdict(summary).items())
    print(f"The database was empty; it now holds demo data: {counts}", flush=True)


# The other commands ---------------------------------------------------------------------------------------------


async def run_migrate(_options: argparse.Namespace, settings: Settings) -> None:
    await _migrate(settings)


async def _migrate(settings: Settings) -> None:
    applied = await migrate(settings)
    print(f"Applied {', '.join(applied)}" if applied else "The database is up to date", flush=True)


async def run_seed(_options: argparse.Namespace, settings: Settings) -> None:
    async with open_database(settings):
        _print_summary(await demo.seed(utc_now().astimezone(settings.time_zone).date()))
        _print_credentials(await demo.issue_demo_credentials(settings))


async def run_create_admin(options: argparse.Namespace, settings: Settings) -> None:
    password = sys.stdin.readline().rstrip("\n")
    given = {"username": options.username, "email": options.email, "number": options.number, "password": password}
    data = validate(Register, given)
    assert isinstance(data, Register)  # noqa: S101 - for the type checker
    async with open_database(settings):
        with contextlib.closing(PasswordHasher(settings)) as hasher:
            password_hash = await hasher.hash(data.password)
        user = await create_account(data, password_hash=password_hash, admin=True)
        await User.filter(id=user.id).update(email_confirmed_at=utc_now())
    print(f"Created the admin {user.username} <{user.email}>")


async def run_create_key(options: argparse.Namespace, settings: Settings) -> None:
    async with _acting_for(options.email, settings) as ctx:
        data = {"name": options.name, "key_type": options.type, "permissions": options.permission}
        created = await create_api_key(ctx, data=data)
    print(created.key)


async def run_confirm_email(options: argparse.Namespace, settings: Settings) -> None:
    async with _acting_for(options.email, settings) as ctx:
        await User.filter(id=ctx.principal.require_account().id).update(email_confirmed_at=utc_now())
    print(f"Confirmed {options.email}")


async def run_outbox(options: argparse.Namespace, settings: Settings) -> None:
    async with open_database(settings):
        chosen = OutgoingMail.all() if options.id is None else OutgoingMail.filter(id=options.id)
        if options.status is not None:
            chosen = chosen.filter(status=options.status)
        if options.release:
            await _release(chosen, options, settings)
        else:
            await _print_mails(chosen, options)


async def _release(chosen: QuerySet[OutgoingMail], options: argparse.Namespace, settings: Settings) -> None:
    """Raises CommandFailed where it is not said which mails, or where nobody would send them."""
    if options.id is None and options.status is None:
        raise CommandFailed("Say which mails to release: --id N, --status held or --status failed")
    if settings.smtp_url is None:
        raise CommandFailed("There is no mail server to send them by: set AMAREVENTS_SMTP_URL")
    released = await outbox.release(chosen, utc_now())
    print(f"Released {released} held or failed mails; 'amarevents serve' sends them")


async def _print_mails(chosen: QuerySet[OutgoingMail], options: argparse.Namespace) -> None:
    mails = await chosen.order_by("-id").limit(options.limit)
    if options.id is not None and not mails:
        raise CommandFailed(f"There is no such mail: {options.id}")
    for mail in mails:
        print(line_of(mail) if options.id is None else description_of(mail))


@contextlib.asynccontextmanager
async def _acting_for(email: str, settings: Settings) -> AsyncIterator[Context]:
    """A context as if the account had logged in: the operator gets from an operation what its owner would."""
    async with open_database(settings):
        user = await User.get_or_none(email=email.strip().lower())
        if user is None:
            raise CommandFailed(f"There is no account with the email {email}")
        with contextlib.closing(PasswordHasher(settings)) as hasher:
            cache = shared_cache(settings)
            services = Services(
                settings=settings,
                limiter=MemoryRateLimiter(),
                hasher=hasher,
                key_usage=KeyUsage(),
                cache=cache,
                count_cache=CountCache(cache, seconds=settings.totals_seconds),
                broker=MemoryBroker(),  # nothing that the command line does is followed
                connections=Connections(),
            )
            principal = session_principal(account_of(user), session_id=0)
            yield Context(services=services, request_id="cli", address="cli", principal=principal)


# Arguments ------------------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="amarevents",
        description="An event and ticketing platform: REST under /api, GraphQL under /graphql.",
        epilog="Every setting is an environment variable AMAREVENTS_…; 'amarevents settings' lists them.",
    )
    parser.add_argument("--version", action="version", version=f"amarevents {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    serving = commands.add_parser("serve", help="serve the platform", description="Serve the platform until stopped.")
    serving.add_argument("--host", help="address to listen on (AMAREVENTS_HOST, 127.0.0.1)")
    serving.add_argument("--port", help="port to listen on (AMAREVENTS_PORT, 8000)")
    serving.add_argument("--workers", help="processes; more than one needs Redis (AMAREVENTS_WORKERS, 1)")
    serving.add_argument(
        "--demo",
        action="store_true",
        help="migrate first, fill an empty database with demo data, print demo credentials if it holds them",
    )

    _add(commands, "migrate", run_migrate, "bring the database up to date")
    _add(commands, "seed", run_seed, "fill an empty, migrated database with demo data; never for production")
    _add(commands, "settings", run_settings, "list the settings and what they are now")

    admin = _add(commands, "create-admin", run_create_admin, "create an admin account; the password is read from stdin")
    admin.add_argument("--username", required=True, help="by which others see the account")
    admin.add_argument("--email", required=True, help="to log in with")
    admin.add_argument("--number", required=True, help="of the phone")
    admin.add_argument("--password-stdin", required=True, action="store_true", help="read the password from stdin")

    key = _add(commands, "create-key", run_create_key, "create an API key; prints the raw key alone")
    key.add_argument("--email", required=True, help="of the account that the key is for")
    key.add_argument(
        "--type",
        required=True,
        choices=[str(key_type) for key_type in KeyType],
        help="of the key; the account must be allowed it",
    )
    key.add_argument("--name", default="Command line key", help="to tell it from others (%(default)s)")
    key.add_argument("--permission", action="append", help="such as events:read, may be repeated (all of the type's)")

    confirm = _add(commands, "confirm-email", run_confirm_email, "mark an account's email as confirmed")
    confirm.add_argument("--email", required=True, help="of the account")

    mails = _add(commands, "outbox", run_outbox, "list the mails of the outbox, newest first")
    mails.add_argument("--id", type=int, help="show this mail alone, with its text")
    mails.add_argument("--status", choices=[str(status) for status in MailStatus], help="only those of this status")
    mails.add_argument("--limit", type=_positive, default=50, help="at most so many mails (%(default)s)")
    mails.add_argument("--release", action="store_true", help="send the held or failed ones chosen after all")

    add_plan_commands(functools.partial(_add, commands))
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, run: Command, summary: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
    parser.set_defaults(run=run)
    return parser


async def run_settings(_options: argparse.Namespace, settings: Settings) -> None:
    for spec in dataclasses.fields(settings):
        print(f"{PREFIX}{spec.name.upper():<24} {spec.metadata['help']}\n{'':4}now: {_shown(settings, spec)}")


def _shown(settings: Settings, spec: "dataclasses.Field[Any]") -> str:  # Any: each setting its own type
    value = getattr(settings, spec.name)
    if spec.metadata["secret"] and value:
        return re.sub(r"://[^/]*@", "://…@", value)
    if isinstance(value, tuple | frozenset):
        return ", ".join(str(one) for one in value) or "none"
    return "none" if value is None else str(value)
