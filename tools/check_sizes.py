"""Check the bounds that keep the code legible: lines of a module and of a function, ``Any``, ``type: ignore``.

``python -m tools.check_sizes`` prints what exceeds a bound and exits with 1 if anything does.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 40
MAX_ANY = 120
MAX_TYPE_IGNORES = 12
# A table reads best in one piece; migrations are written by Tortoise and are never edited.
MODULES_OF_ANY_LENGTH = ("amarevents/errors.py", "amarevents/models/migrations/")


def oversized(path: Path, source: str) -> Iterator[str]:
    """Yield the module and the functions that are too long."""
    if str(path).startswith(MODULES_OF_ANY_LENGTH):
        return
    lines = source.count("\n")
    if lines > MAX_MODULE_LINES:
        yield f"{path}: {lines} lines; split it by noun (at most {MAX_MODULE_LINES})"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                yield f"{path}:{node.lineno}: {node.name} has {length} lines (at most {MAX_FUNCTION_LINES})"


def uses_of_any(source: str) -> int:
    """Return how often a module says ``Any``, its import aside."""
    nodes = ast.walk(ast.parse(source))
    return sum(isinstance(node, ast.Name) and node.id == "Any" for node in nodes)


def main() -> None:
    """Check every tracked Python file; ``Any`` and ``type: ignore`` are counted in the package alone."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.py"], capture_output=True, text=True, check=True
    )
    sources = {
        path: path.read_text(encoding="utf-8") for path in map(Path, listed.stdout.splitlines()) if path.is_file()
    }
    package = [source for path, source in sources.items() if path.parts[0] == "amarevents"]
    found = [line for path, source in sources.items() for line in oversized(path, source)]
    counts = {
        f"Any (at most {MAX_ANY})": (sum(map(uses_of_any, package)), MAX_ANY),
        f"type: ignore (at most {MAX_TYPE_IGNORES})": (
            sum(one.count("# type: ignore") for one in package),
            MAX_TYPE_IGNORES,
        ),
    }
    found += [f"amarevents: {count} uses of {what}" for what, (count, most) in counts.items() if count > most]
    print("\n".join(found))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
