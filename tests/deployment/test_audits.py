"""Third-party checks of the GraphQL endpoint: the GraphQL over HTTP audits, and introspection by graphql-js."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.node import find_node
from tests.support.platforms import Deployment

pytestmark = pytest.mark.backend("sqlite")  # the audits do not depend on the database

AUDITS = Path(__file__).parent / "audits"
NUMBER = 61


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Install the audits from the lock file, and return Node.js and their folder."""
    folder = tmp_path_factory.mktemp("audits") / "installed"
    shutil.copytree(AUDITS, folder)
    program = find_node()
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--cache", str(folder.parent / "cache")]
    subprocess.run(["npm", "ci", *options], cwd=folder, capture_output=True, timeout=120, check=True)
    return program, folder


def results_of(node: tuple[str, Path], script: str, url: str) -> list[dict[str, Any]]:  # Any: JSON
    program, folder = node
    done = subprocess.run([program, script, url], cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results


def test_every_audit_of_graphql_over_http_passes(node: tuple[str, Path], shared_deployment: Deployment) -> None:
    with shared_deployment.serving() as platform:
        results = results_of(node, "audit.mjs", f"{platform.url}/graphql")
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == NUMBER


def test_audits_fail_for_another_endpoint(node: tuple[str, Path], shared_deployment: Deployment) -> None:
    """The negative control: most audits fail at an address without GraphQL."""
    with shared_deployment.serving() as platform:
        results = results_of(node, "audit.mjs", f"{platform.url}/healthz")
    assert sum(result["status"] != "ok" for result in results) > NUMBER / 2


def test_graphql_js_can_introspect_with_every_option(node: tuple[str, Path], shared_deployment: Deployment) -> None:
    with shared_deployment.serving() as platform:
        assert results_of(node, "introspect.mjs", f"{platform.url}/graphql") == []
