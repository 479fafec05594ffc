"""A folder in which the tests write projects of frontends and run programs on them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIMEOUT_SECONDS = 240  # a shared machine may be slow

_TYPESCRIPT = {
    "strict": True,
    "skipLibCheck": True,
    "target": "es2022",
    "lib": ["es2022", "dom", "dom.iterable"],
    "module": "esnext",
    "moduleResolution": "bundler",
    "types": [],
}


@dataclass(frozen=True)
class Workspace:
    """A folder with the packages of Node.js. ``fixture`` returns the fixture with a name, when first needed."""

    folder: Path
    fixture: Callable[[str], Any]  # Any: the value of any fixture

    def write(self, **files: str) -> None:
        """Write files by name; ``__`` in a name stands for a dot."""
        self.folder.mkdir(exist_ok=True)
        for name, text in {"package__json": '{"type": "module"}', **files}.items():
            (self.folder / name.replace("__", ".")).write_text(text)

    def program(self, name: str) -> list[str]:
        """Return the command of a program of the installed packages, or of ``node`` itself."""
        modules: Path = self.fixture("node_modules")
        if not (self.folder / "node_modules").exists():
            (self.folder / "node_modules").symlink_to(modules)
        program = modules / ".bin" / name
        return [str(program) if program.exists() else name]

    def node(self, *command: str, **environment: str) -> str:
        """Run such a program, and return what it prints."""
        return self._run([*self.program(command[0]), *command[1:]], environment)

    def generator(self, *command: str) -> str:
        """Run a generator of the Python environment, and return what it prints."""
        programs: Path = self.fixture("generators")
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        return self._run([str(programs / command[0]), *command[1:]], {"PATH": path})

    def tsc(self, *files: str) -> None:
        """Check the types of TypeScript files strictly, and translate them to JavaScript."""
        self.write(tsconfig__json=json.dumps({"compilerOptions": _TYPESCRIPT, "files": files}))
        self.node("tsc", "--project", "tsconfig.json")

    def mypy(self, *arguments: str) -> None:
        """Check the types of a generated package with the libraries of the generators."""
        self.write(mypy__ini="[mypy]")
        python = self.fixture("generators") / "python"
        self._run([sys.executable, "-m", "mypy", "--python-executable", str(python), *arguments], {})

    def python(self, source: str, **environment: str) -> str:
        """Run a script with the libraries of the generators, and return what it prints."""
        python = self.fixture("generators") / "python"
        return self._run([str(python), "-W", "error", "-c", source], environment)

    def _run(self, command: list[str], environment: dict[str, str]) -> str:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, "NO_PROXY": "*", **environment},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{command[0]} failed:\n{done.stdout}\n{done.stderr}"
        return done.stdout
