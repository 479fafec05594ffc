"""The installed browser, for tests of pages."""

import os
import shutil

from tests.support.unavailable import ProgramUnavailable

_NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_browser() -> str:
    """Return the path of Chromium or Chrome, or raise ProgramUnavailable."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise ProgramUnavailable(f"found none of {', '.join(_NAMES)} (Debian, Ubuntu: apt-get install chromium)")
    return found


def browser_options() -> list[str]:
    """Return options that restrict the network to this machine, and disable the sandbox if run as root."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return [*sandbox, "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]
