"""The browser of this machine, for tests of pages."""

import os
import shutil

from tests.support.unavailable import ProgramUnavailable

_NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_browser() -> str:
    """The path of Chromium or Chrome. Raises ProgramUnavailable."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise ProgramUnavailable(f"found none of {', '.join(_NAMES)} (Debian, Ubuntu: apt-get install chromium)")
    return found


def browser_options() -> list[str]:
    """Without the sandbox where root runs it, which it refuses else; nothing but this machine can be reached."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return [*sandbox, "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]
