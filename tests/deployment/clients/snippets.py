"""The snippets of the guide for frontends, by the names of their files."""

import re
from pathlib import Path

_GUIDE = Path(__file__).parents[3] / "docs" / "frontends.md"
_SNIPPET = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)
_EXAMPLE = "://events.example"

SNIPPETS: dict[str, str] = dict(_SNIPPET.findall(_GUIDE.read_text(encoding="utf-8")))


def snippet(name: str, url: str = "") -> str:
    """Return the snippet of a file, with the address of a platform in the place of the example's."""
    text = SNIPPETS[name]
    if not url:
        return text
    address = url.partition("://")[2]
    assert _EXAMPLE in text
    return text.replace(f"https{_EXAMPLE}", f"http://{address}").replace(f"wss{_EXAMPLE}", f"ws://{address}")
