"""Check for words that plain technical English does without: in comments, docstrings, messages and documentation.

``python -m tools.check_prose`` prints each place and exits with 1 if there is any. See CONTRIBUTING.md, "Style".
"""

import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

BANNED = re.compile(
    r"\b(told|tell|tells|anew|beside|whoever|whatever|meanwhile|begun|thereof|of which|stands(?! for)|is there|"
    r"nobody|somebody|everybody)\b",
    re.IGNORECASE,
)
PROSE = {".md", ".graphql", ".html", ".yaml", ".toml", ".css", ".js", ".mjs", ".txt"}
# The contract, libraries and the schema of the last release are quoted as published; this file names the words.
EXEMPT = re.compile(
    r"^docs/contract/|/vendored/|/released\.graphql$|^LICENSE$|\.lock$|package-lock\.json$|^tools/check_prose\.py$"
)


def python_prose(source: str) -> Iterator[tuple[int, str]]:
    """Yield the comments and strings of a Python file, each with its first line number."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            yield token.start[0], token.string


def findings(path: Path) -> Iterator[str]:
    """Yield ``file:line: word`` for each banned word."""
    text = path.read_text(encoding="utf-8")
    parts = python_prose(text) if path.suffix == ".py" else [(1, text)]
    for first_line, part in parts:
        for found in BANNED.finditer(part):
            yield f"{path}:{first_line + part.count(chr(10), 0, found.start())}: {found.group()!r}"


def main() -> None:
    """Check every tracked file that holds prose."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True, check=True
    )
    paths = [Path(name) for name in listed.stdout.splitlines() if not EXEMPT.search(name)]
    prose = [path for path in paths if (path.is_file() and path.suffix in PROSE | {".py"}) or path.name == "Makefile"]
    found = [line for path in prose for line in findings(path)]
    print("\n".join(found))
    sys.exit(f"{len(found)} banned words: write the sentence again in plain English" if found else 0)


if __name__ == "__main__":
    main()
