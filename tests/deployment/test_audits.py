"""What others have written to try servers with, over real sockets: the audits of GraphQL over HTTP, graphql-js."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.node import find_node
from tests.support.platforms import Deployment

pytestmark = pytest.mark.backend("sqlite")  # what is audited lies before the database

AUDITS = Path(__file__).parent / "audits"
NUMBER = 61


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Node.js, and the folder with the audits as the lock file has them."""
    folder = tmp_path_factory.mktemp("audits") / "installed"
    shutil.copytree(AUDITS, folder)
    program = find_node()
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--cache", str(folder.parent / "cache")]
    subprocess.run(["npm", "ci", *options], cwd=folder, capture_output=True, timeout=120, check=True)
    return program, folder


def printed(node: tuple[str, Path], script: str, url: str) -> list[dict[str, Any]]:  # Any: JSON
    program, folder = node
    done = subprocess.run([program, script, url], cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results


def test_every_audit_of_graphql_over_http_passes(node: tuple[str, Path], operated: Deployment) -> None:
    with operated.serving() as platform:
        results = printed(node, "audit.mjs", f"{platform.url}/graphql")
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == NUMBER


def test_the_audits_find_what_is_wrong(node: tuple[str, Path], operated: Deployment) -> None:
    """Negative control: at an address where there is no GraphQL most of them fail."""
    with operated.serving() as platform:
        results = printed(node, "audit.mjs", f"{platform.url}/healthz")
    assert sum(result["status"] != "ok" for result in results) > NUMBER / 2


def test_graphql_js_can_introspect_with_every_option(node: tuple[str, Path], operated: Deployment) -> None:
    with operated.serving() as platform:
        assert printed(node, "introspect.mjs", f"{platform.url}/graphql") == []
