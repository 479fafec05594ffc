"""The commands that prepare a database: ``migrate``, ``doctor`` and ``seed``."""

import dataclasses
import sys
from typing import Annotated

from cyclopts import Parameter

from amarevents import demo
from amarevents.cli.settings import read_settings
from amarevents.models.columns import utc_now
from amarevents.models.db import migrate as migrations
from amarevents.models.db.connection import open_database
from amarevents.settings import Settings


async def migrate() -> None:
    await apply_migrations(read_settings())


async def apply_migrations(settings: Settings) -> None:
    """Apply the migrations that the database needs, and print their names."""
    applied = await migrations.migrate(settings)
    print(f"Applied {', '.join(applied)}" if applied else "The database is up to date", flush=True)


BeforeMigrating = Annotated[
    bool, Parameter(help="List the rows that a person must change before the database can be migrated.")
]


async def doctor(*, before_migrating: BeforeMigrating = False) -> None:
    settings = read_settings()
    if not before_migrating:
        async with open_database(settings):
            print("The database is up to date")
        return
    conflicts = await migrations.conflicts_before_migrating(settings)
    if conflicts:
        print("These would be equal after migrating. Change or delete all but one of each line:")
        print("\n".join(map(str, conflicts)))
        sys.exit(1)
    print("The database can be migrated")


async def seed() -> None:
    settings = read_settings()
    async with open_database(settings):
        await add_demo_data(settings)
        print_credentials(await demo.issue_demo_credentials(settings))


async def add_demo_data(settings: Settings) -> None:
    """Fill the open database, which must be empty, and print how many rows it holds now."""
    summary = await demo.seed(utc_now().astimezone(settings.time_zone).date())
    counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in dataclasses.asdict(summary).items())
    print(f"The database was empty; it now holds demo data: {counts}", flush=True)


def print_credentials(credentials: demo.DemoCredentials) -> None:
    print(
        "Demo credentials of this database (the password changes at each start, the keys expire in 7 days)\n"
        f"  login          {credentials.email}  {credentials.password}  (organizer)\n"
        f"  user key       {credentials.user_key}\n"
        f"  organizer key  {credentials.organizer_key}\n"
        f"  admin key      {credentials.admin_key}\n",
        flush=True,
    )
