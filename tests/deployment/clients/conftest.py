"""Fixtures of the client tests: the programs that are installed once for all of them, and a platform."""

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.deployment.clients.workspace import Workspace
from tests.support.node import find_node
from tests.support.platforms import Deployment, RunningPlatform

_HERE = Path(__file__).parent
_NPM_OPTIONS = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all workers of this run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if own.name.startswith("popen-gw") else own


def _install_once(folder: Path, install: Callable[[], None]) -> Path:
    """Fill the folder unless another worker has done it; others wait."""
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            install()
    return folder


@pytest.fixture(scope="session")
def node_modules(shared_folder: Path) -> Path:
    """Install the packages of ``node/package-lock.json``, and return their folder."""
    find_node()
    folder = shared_folder / "clients-node"

    def install() -> None:
        fresh = shared_folder / "clients-node-fresh"
        shutil.copytree(_HERE / "node", fresh)
        command = ["npm", "ci", *_NPM_OPTIONS, "--cache", str(shared_folder / "npm-cache")]
        subprocess.run(command, cwd=fresh, capture_output=True, timeout=300, check=True)
        fresh.rename(folder)

    return _install_once(folder, install) / "node_modules"


@pytest.fixture(scope="session")
def generators(shared_folder: Path) -> Path:
    """Install the generators of ``python/requirements.txt`` into an environment of their own: they pin old versions."""
    folder = shared_folder / "clients-python"

    def install() -> None:
        # An environment cannot be renamed, so an incomplete one is removed.
        try:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=120)
            requirements = ["--quiet", "--require-hashes", "-r", str(_HERE / "python" / "requirements.txt")]
            command = [str(folder / "bin" / "python"), "-m", "pip", "install", *requirements]
            subprocess.run(command, capture_output=True, check=True, timeout=300)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    return _install_once(folder, install) / "bin"


@pytest.fixture
def workspace(tmp_path: Path, request: pytest.FixtureRequest) -> Workspace:
    """Return an empty folder in which programs of the installed packages run."""
    return Workspace(tmp_path, request.getfixturevalue)


@pytest.fixture(scope="module")
def platform(shared_deployment: Deployment) -> Iterator[RunningPlatform]:
    with shared_deployment.serving() as running:
        yield running
