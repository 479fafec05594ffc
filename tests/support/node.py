"""Node.js of this machine, for tests that run what others have written in JavaScript."""

import shutil


class NodeUnavailable(Exception):
    """This machine has no Node.js with npm; the message says how to install it."""


def find_node() -> str:
    """The path of node, beside which there is an npm. Raises NodeUnavailable."""
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        raise NodeUnavailable("found no node and npm (Debian, Ubuntu: apt-get install nodejs npm)")
    return found
