"""The installed Node.js, for tests that run JavaScript."""

import shutil

from tests.support.unavailable import ProgramUnavailable


def find_node() -> str:
    """Return the path of node if npm is installed as well, or raise ProgramUnavailable."""
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        raise ProgramUnavailable("found no node and npm (Debian, Ubuntu: apt-get install nodejs npm)")
    return found
