"""The code samples of the OpenAPI document: each runs unchanged against a platform that has its rows."""

import datetime
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from amarevents.rest.docs_page.samples import KEY_VARIABLE, URL_VARIABLE
from amarevents.rest.routes import ROUTES
from tests.support.platforms import Deployment, RunningPlatform, register

pytestmark = pytest.mark.backend("sqlite")  # the samples do not depend on the database

Json = dict[str, Any]  # Any: JSON
Samples = dict[str, str]
"""Sources by method and path, in the order in which they run."""

DELETIONS = [  # the dependent rows first
    "DELETE /tickets/{id}",
    "DELETE /ticket-types/{id}",
    "DELETE /events/{id}",
    "DELETE /keys/{id}",
    "DELETE /admin/revoke-key/{id}",
    "DELETE /admin/users/{id}",
]
# One interpreter runs all samples: starting one for each would take most of the time.
RUN_PYTHON = """
import json, sys, traceback
failures = {}
for name, source in json.load(sys.stdin).items():
    try:
        exec(compile(source, name, "exec"), {"__name__": "__main__"})
    except (Exception, SystemExit):
        failures[name] = traceback.format_exc()
print(json.dumps(failures))
"""


# The rows of the examples ---------------------------------------------------------------------------------------


class Scene:
    """The rows in the examples: account 12, organization 3, event 7, ticket type 15, ticket 42, and so on."""

    def __init__(self, admin: httpx.AsyncClient, database: Path) -> None:
        self._admin = admin
        self._database = database

    async def build(self) -> str:
        """Create the rows, and return the code of ticket 42."""
        async with httpx.AsyncClient(base_url=self._admin.base_url, trust_env=False) as visitor:
            await self._until(12, lambda number: register(visitor, f"visitor{number}"), first=2)
        await self._until(3, self._add_organization)
        await self._until(6, lambda _: self._add_event(ticket_types=2))
        await self._add_event(ticket_types=3)
        await self._until(41, lambda _: self._add_ticket(ticket_type_id=13))
        code = str((await self._add_ticket(ticket_type_id=15))["code"])
        await self._until(12, self._add_key, first=2)
        await self._until(88, self._add_donation)
        self._add_fields()
        return code

    async def _until(self, last: int, add: Callable[[int], Any], *, first: int = 1) -> None:
        for number in range(first, last + 1):
            await add(number)

    async def _create(self, path: str, body: Json) -> Json:
        answer = await self._admin.post(f"/api{path}", json=body)
        assert answer.status_code == 201, answer.text
        created: Json = answer.json()["data"]
        return created

    async def _add_organization(self, number: int) -> None:
        await self._create("/organizations", {"name": f"Club {number}", "user_id": 1})

    async def _add_event(self, *, ticket_types: int) -> None:
        ticket_types_of_event = [{"name": f"Kind {number}", "price": 100 * number} for number in range(ticket_types)]
        await self._create("/events", {"name": "Fair", "organization_id": 3, "ticket_types": ticket_types_of_event})

    async def _add_ticket(self, *, ticket_type_id: int) -> Json:
        return await self._create("/tickets", {"event_id": 7, "ticket_type_id": ticket_type_id})

    async def _add_key(self, _number: int) -> None:
        await self._create("/keys", {"name": "Phone", "key_type": "user"})

    async def _add_donation(self, number: int) -> None:
        gift = {"email": "giver@example.com", "number": "01700000000", "amount": 50, "type": "bkash"}
        await self._create("/donations", {**gift, "transaction_id": f"GIFT{number}"})

    def _add_fields(self) -> None:
        """Add the custom fields of the event, which have no route."""
        with sqlite3.connect(self._database) as connection:
            connection.executemany(
                "INSERT INTO custom_fields (event_id, required, name, type, options, position)"
                " VALUES (7, 0, ?, ?, ?, ?)",
                [
                    ("T-shirt size", "dropdown", json.dumps(["S", "M", "L", "XL"]), 1),
                    ("খাবারের পছন্দ", "checkbox", json.dumps(["ভাত, ডাল", "মাছ", "সবজি"]), 2),
                ],
            )
        connection.close()


# Execution ------------------------------------------------------------------------------------------------------


def run_shell(sources: Samples, environment: dict[str, str]) -> Samples:
    """Run the samples, and return the output of those that fail by name."""
    failures = {}
    for name, source in sources.items():
        command = ["bash", "-euo", "pipefail", "-c", source]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=30)
        if done.returncode != 0 or '"success":true' not in done.stdout:
            failures[name] = done.stdout + done.stderr
    return failures


def run_python(sources: Samples, environment: dict[str, str]) -> Samples:
    """Run the samples, and return the tracebacks of those that fail by name."""
    command = [sys.executable, "-W", "error", "-c", RUN_PYTHON]
    done = subprocess.run(
        command, input=json.dumps(sources), capture_output=True, text=True, env=environment, timeout=60, check=True
    )
    *printed, failures = done.stdout.splitlines()
    assert len(printed) >= len(sources) - len(json.loads(failures))
    return dict(json.loads(failures))


@dataclass(frozen=True)
class Language:
    """A language of samples. ``lang`` is its name in the document; ``run`` returns the failures by name."""

    lang: str
    run: Callable[[Samples, dict[str, str]], Samples]


@pytest.fixture(
    scope="module", params=[Language("shell", run_shell), Language("python", run_python)], ids=lambda one: one.lang
)
def language(request: pytest.FixtureRequest) -> Language:
    chosen: Language = request.param
    return chosen


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A database with the rows of the examples, the keys that the samples use, and the code of ticket 42."""

    database: Path
    admin_key: str
    user_key: str
    code: str


def deployment_of(database: Path) -> Deployment:
    return Deployment(database_url=f"sqlite:///{database}", redis_url=None)


@pytest.fixture(scope="module")
async def prepared(anyio_backend: str, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    database = tmp_path_factory.mktemp("scene") / "platform.db"
    deployment = deployment_of(database)
    deployment.run("migrate")
    key = deployment.create_admin()
    with deployment.serving(rate_limit_donations="0") as platform:
        async with platform.client(key) as admin:
            code = await Scene(admin, database).build()
            user_key = await admin.post("/api/keys", json={"name": "Phone", "key_type": "user"})
    return Prepared(database=database, admin_key=key, user_key=user_key.json()["data"]["key"], code=code)


@pytest.fixture(scope="module")
def platform(
    language: Language, prepared: Prepared, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningPlatform]:
    """Serve a copy of the database for each language, so that their changes do not mix."""
    copy = tmp_path_factory.mktemp(language.lang) / "copy"
    shutil.copytree(prepared.database.parent, copy)
    with deployment_of(copy / prepared.database.name).serving() as running:
        yield running


def samples(operations: dict[str, Json], lang: str) -> Samples:
    return {
        name: next(sample["source"] for sample in operation["x-codeSamples"] if sample["lang"] == lang)
        for name, operation in operations.items()
    }


async def operations_in_order(platform: RunningPlatform) -> dict[str, Json]:
    """Return the operations of the document by method and path, deletions last."""
    async with platform.client() as client:
        document = (await client.get("/openapi.json")).json()
    found = {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    return {name: found[name] for name in [*(name for name in found if name not in DELETIONS), *DELETIONS]}


def environment(platform: RunningPlatform, key: str) -> dict[str, str]:
    return {**os.environ, URL_VARIABLE: platform.url, KEY_VARIABLE: key, "NO_PROXY": "*"}


async def test_samples_that_send_the_key_fail_with_a_wrong_key(language: Language, platform: RunningPlatform) -> None:
    operations = await operations_in_order(platform)
    chosen = {name: operations[name] for name in ("GET /events", "GET /auth/me", "POST /ticket-types")}
    failures = language.run(samples(chosen, language.lang), environment(platform, "ae_a_wrong"))
    assert failures.keys() == {"GET /auth/me", "POST /ticket-types"}
    assert all("401" in failure and '"code":"INVALID_API_KEY"' in failure for failure in failures.values())


async def test_every_sample_of_the_document_succeeds(
    language: Language, prepared: Prepared, platform: RunningPlatform
) -> None:
    operations = await operations_in_order(platform)
    sources = with_current_values(samples(operations, language.lang), prepared.code)
    for_users = {name: sources[name] for name, one in operations.items() if one["x-key-types"] == ["user"]}
    for_admins = {name: source for name, source in sources.items() if name not in for_users}
    assert len(for_admins) + len(for_users) == len(ROUTES)
    failures = language.run(for_admins, environment(platform, prepared.admin_key))
    failures |= language.run(for_users, environment(platform, prepared.user_key))
    assert failures == {}


def with_current_values(sources: Samples, code: str) -> Samples:
    """Replace what the rows cannot have: the random code of a ticket, and a date that must be in the future."""
    soon = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=30)).date().isoformat()
    replaced = {"AEJ5XW4YTBMF2GS3LPNR6Q7ZKDC": code, "2027-01-01": soon}
    for old, new in replaced.items():
        sources = {name: source.replace(old, new) for name, source in sources.items()}
    return sources
