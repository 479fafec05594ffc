"""Node.js of this machine, for tests that run what others have written in JavaScript."""

import shutil

from tests.support.unavailable import ProgramUnavailable


def find_node() -> str:
    """The path of node, beside which there is an npm. Raises ProgramUnavailable."""
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        raise ProgramUnavailable("found no node and npm (Debian, Ubuntu: apt-get install nodejs npm)")
    return found
