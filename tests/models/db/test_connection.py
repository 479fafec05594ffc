"""Database URLs, opening the database, and the classification of its errors."""

import asyncio
from contextvars import Context
from pathlib import Path

import pytest
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from amarevents.models import Organization, Plan, User
from amarevents.models.db import connection
from amarevents.models.db.connection import (
    CONNECTION,
    DatabaseUnavailable,
    SchemaOutdated,
    database_is_ready,
    open_database,
    tortoise_config,
    violates,
)
from amarevents.settings import Settings, SettingsError
from tests.models.conftest import connected
from tests.support.migrations import MIGRATION_NAMES
from tests.support.statements import counted_statements

pytestmark = pytest.mark.anyio


def credentials_of(url: str) -> dict[str, object]:
    config = tortoise_config(Settings(database_url=url))
    credentials: dict[str, object] = config["connections"][CONNECTION]["credentials"]
    return credentials


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///data/test.db", "data/test.db"),
        ("sqlite:////srv/amar events/100%.db", "/srv/amar events/100%.db"),
    ],
)
def test_sqlite_paths_are_relative_or_absolute(url: str, path: str) -> None:
    assert credentials_of(url)["file_path"] == path


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite://data/test.db", "sqlite:///:memory:"])
def test_sqlite_url_without_a_file_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="AMAREVENTS_DATABASE_URL"):
        tortoise_config(Settings(database_url=url))


def test_postgres_url_is_decoded() -> None:
    credentials = credentials_of("postgresql://some%40one:p%40ss%2Fword@db.example:6543/amar%20events?sslmode=require")
    expected = {
        "host": "db.example",
        "port": 6543,
        "user": "some@one",
        "password": "p@ss/word",
        "database": "amar events",
        "ssl": "require",
    }
    assert {name: credentials[name] for name in expected} == expected


def test_postgres_url_may_have_only_a_socket() -> None:
    credentials = credentials_of("postgres:///amarevents?host=/var/run/postgresql")
    assert credentials["host"] == "/var/run/postgresql"
    assert credentials["user"] is credentials["password"] is None
    assert "ssl" not in credentials


def test_unknown_option_of_the_url_is_refused_without_the_password() -> None:
    with pytest.raises(SettingsError, match="pool_size") as caught:
        credentials_of("postgres://someone:secret@db.example/amarevents?pool_size=3")
    assert "secret" not in str(caught.value)


def test_pool_size_is_a_setting() -> None:
    config = tortoise_config(Settings(database_url="postgres://db.example/amarevents", database_pool_size=7))
    credentials = config["connections"][CONNECTION]["credentials"]
    assert (credentials["minsize"], credentials["maxsize"]) == (1, 7)


async def test_database_is_open_in_every_task_and_can_be_reopened(migrated: Settings) -> None:
    ready, done = asyncio.Event(), asyncio.Event()

    async def lifespan() -> None:
        async with open_database(migrated):
            ready.set()
            await done.wait()

    for _ in range(2):
        task = asyncio.ensure_future(lifespan())
        await ready.wait()
        assert await Plan.all().count() == 1
        done.set()
        await task
        ready.clear()
        done.clear()
    assert not await database_is_ready()


async def test_database_without_schema_is_not_opened(empty: Settings) -> None:
    async with open_database(empty, check_schema=False):
        assert await database_is_ready()
    with pytest.raises(SchemaOutdated, match=f"{', '.join(MIGRATION_NAMES)}: run 'amarevents migrate'"):
        async with open_database(empty):
            pass


@pytest.mark.backend("sqlite")
async def test_missing_file_is_not_created(empty: Settings) -> None:
    file = Path(empty.database_url.removeprefix("sqlite:///"))
    with pytest.raises(DatabaseUnavailable, match="run 'amarevents migrate' to create it"):
        async with open_database(empty):
            pass
    assert not await asyncio.to_thread(file.exists)


async def test_unreachable_database_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for url in (f"sqlite:///{tmp_path / 'file' / 'test.db'}", "postgres://postgres@127.0.0.1:9/nothing"):
        with pytest.raises(DatabaseUnavailable):
            async with open_database(Settings(database_url=url)):
                pass


async def test_violations_identify_their_column(migrated: Settings) -> None:
    async with open_database(migrated):
        await add_user(username="first", email="first@example.org")
        with pytest.raises(IntegrityError) as same_email:
            await add_user(username="second", email="first@example.org")
        with pytest.raises(IntegrityError) as same_name:
            await add_user(username="first", email="(username_key)=(first)@example.org")
    assert violates(same_email.value, "email_key")
    assert not violates(same_email.value, "username_key")
    assert violates(same_name.value, "username_key")
    assert not violates(same_name.value, "email_key")


async def add_user(*, username: str, email: str) -> User:
    return await User.create(username=username, email=email, number="01700000000", password_hash="-")


async def test_foreign_key_violation_is_not_a_unique_violation(migrated: Settings) -> None:
    async with open_database(migrated):
        with pytest.raises(IntegrityError) as caught:
            await Organization.create(user_id=1, plan_id=1, name="Orphan")
    assert not violates(caught.value, "user_id")


async def test_database_is_ready_while_all_connections_are_in_use(
    empty: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "PROBE_SECONDS", 0.05)
    one_connection = Settings(database_url=empty.database_url, database_pool_size=1)
    async with open_database(one_connection, check_schema=False):
        async with in_transaction():
            probe = asyncio.create_task(database_is_ready(), context=Context())  # not the transaction's
            assert await probe
        assert await database_is_ready()


async def test_closed_client_reconnects_when_it_is_used(empty: Settings) -> None:
    async with connected(empty) as client:
        await client.close()
        assert await client.execute_query_dict("SELECT 1 AS one") == [{"one": 1}]


async def test_statements_are_counted(empty: Settings) -> None:
    async with connected(empty) as client:
        with counted_statements() as statements:
            await client.execute_query("SELECT 1")
            async with client._in_transaction() as transaction:
                await transaction.execute_query_dict("SELECT 2")
                await transaction.execute_script("SELECT 3")
        await client.execute_query("SELECT 4")
    assert [statement.strip(";") for statement in statements] == ["SELECT 1", "SELECT 2", "SELECT 3"]
