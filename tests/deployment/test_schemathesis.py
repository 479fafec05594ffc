"""A running platform against its own OpenAPI document, with thousands of generated requests, the same in each run.

No answer may be a crash or have a status, content type, header or body that the document does not have.
"""

import copy
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from amarevents.rest.openapi.document import build_document
from amarevents.rest.routes import ROUTES
from tests.support.databases import Databases
from tests.support.platforms import Deployment

pytestmark = pytest.mark.deep("postgres")

_PROGRAM = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
)
# Operations that could revoke the key of the other requests.
_KEY_CHANGES = "^(update|revoke|force_revoke)_api_key$"
_TIMEOUT = 240.0  # seconds: a shared machine may be slow
# Too high to be reached, but not 0, so that answers have the headers.
_LIMITS = {f"rate_limit_{who}": "1000000" for who in ("user", "organizer", "admin", "anonymous")}


@dataclass(frozen=True)
class Trial:
    """A server with demo data, and a key of each type."""

    url: str
    keys: Mapping[str, str]
    folder: Path

    def run(self, document: str, caller: str, *options: str) -> "Report":
        """Run Schemathesis as ``caller``: a type of key, or anything else for no key."""
        har = self.folder / "requests.har"
        headers = ["-H", f"Authorization: Bearer {self.keys[caller]}"] if caller in self.keys else []
        done = subprocess.run(
            [*_PROGRAM, "run", document, "--checks", ",".join(_CHECKS), "--generation-deterministic", "--no-color",
             "--workers", "1", "--warnings", "off", "--report", "har", "--report-har-path", str(har), *headers,
             *options],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            timeout=_TIMEOUT,
        )  # fmt: skip
        return Report(done.returncode, done.stdout + done.stderr, har)

    def is_valid(self, caller: str) -> bool:
        headers = {"Authorization": f"Bearer {self.keys[caller]}"}
        return httpx.get(f"{self.url}/api/auth/me", headers=headers, trust_env=False).status_code == 200


@dataclass(frozen=True)
class Report:
    """The exit code of a run, its output, and the requests with their answers."""

    code: int
    text: str
    har: Path

    def answers(self) -> Iterator[tuple[str, int]]:
        """Yield the route and the status of each request."""
        for entry in json.loads(self.har.read_text(encoding="utf-8"))["log"]["entries"]:
            path = httpx.URL(entry["request"]["url"]).path.removeprefix("/api")
            for route in ROUTES:
                if route.method == entry["request"]["method"] and _is_of(path, route.path):
                    yield f"{route.method} {route.path}", entry["response"]["status"]
                    break

    def successful(self) -> set[str]:
        return {route for route, status in self.answers() if status < 300}


def _is_of(path: str, template: str) -> bool:
    return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) is not None


@pytest.fixture(scope="module")
async def trial(
    databases: Databases, redis_url: str | None, tmp_path_factory: pytest.TempPathFactory, anyio_backend: str
) -> AsyncIterator[Trial]:
    folder = tmp_path_factory.mktemp("schemathesis")
    deployment = Deployment(database_url=await databases.migrated(), redis_url=redis_url)
    keys = dict(re.findall(r"(user|organizer|admin) key +(\S+)", deployment.run("seed")))
    with deployment.serving(workers=1, **_LIMITS, rate_limit_donations="1000000", failed_logins="0") as platform:
        yield Trial(platform.url, keys, folder)


def test_differences_from_the_document_are_found(trial: Trial) -> None:
    """The negative control: a copy of the document without a status, and with a wrong type and a field too many."""
    document = copy.deepcopy(build_document(ROUTES))
    del document["paths"]["/auth/me"]["get"]["responses"]["200"]
    document["components"]["schemas"]["ProfileStats"]["properties"]["total_spent"] = {"type": "string"}
    document["components"]["schemas"]["ApiKey"]["required"].append("nickname")
    damaged = trial.folder / "damaged.json"
    damaged.write_text(json.dumps(document, default=str), encoding="utf-8")
    chosen = ["--include-operation-id-regex", "^(me|get_profile|list_api_keys)$"]
    report = trial.run(str(damaged), "user", "--url", f"{trial.url}/api", "--phases", "fuzzing", *chosen)
    assert report.code == 1, report.text
    assert "Undocumented status code" in report.text
    assert 'is not of type "string"' in report.text
    assert '"nickname" is a required property' in report.text


# Admins come last, because they may delete the other accounts. ``successes``: the number of routes that must have
# succeeded at least once.
@pytest.mark.parametrize(
    ("caller", "phases", "successes"),
    [
        ("anonymous", "fuzzing", 8),
        ("organizer", "examples,fuzzing", 20),
        pytest.param("admin", "coverage", 35, marks=pytest.mark.deep("sqlite", "postgres")),
    ],
)
def test_every_answer_conforms_to_the_document(trial: Trial, caller: str, phases: str, successes: int) -> None:
    document = f"{trial.url}/openapi.json"
    report = trial.run(
        document, caller, "--phases", phases, "--max-examples", "3", "--exclude-operation-id-regex", _KEY_CHANGES
    )
    assert report.code == 0, report.text
    assert len(report.successful()) >= successes, sorted(report.successful())


def test_operations_that_change_keys_conform_to_the_document(trial: Trial) -> None:
    assert trial.is_valid("admin")
    document = f"{trial.url}/openapi.json"
    report = trial.run(document, "admin", "--phases", "coverage", "--include-operation-id-regex", _KEY_CHANGES)
    assert report.code == 0, report.text
