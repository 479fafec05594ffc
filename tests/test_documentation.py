"""The documentation: its links lead somewhere, and its lists are complete."""

import re
from pathlib import Path

import pytest

from amarevents.rest.routes import ROUTES
from tests.support.tables import require_rows

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
SLUG_CHARACTERS = re.compile(r"[^\w\- ]")


def _without_code(page: Path) -> str:
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def _anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of a page, as GitHub forms them."""
    headings = re.findall(r"^#+ (.*)$", _without_code(page), re.MULTILINE)
    return {SLUG_CHARACTERS.sub("", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", _without_code(page))
    targets = [(page if not path else (page.parent / path).resolve(), anchor) for path, anchor in links]
    assert [target for target, _ in targets if not target.exists()] == []
    assert [(target.name, anchor) for target, anchor in targets if anchor and anchor not in _anchors(target)] == []


def test_the_rest_reference_lists_every_route() -> None:
    listed = re.findall(r"^\| `.*? \|", (ROOT / "docs" / "rest.md").read_text(encoding="utf-8"), re.MULTILINE)
    routes = {f"{method} {path}" for row in listed for method, path in re.findall(r"`([A-Z]+) (/[^`]*)`", row)}
    rows = [route.replace("{id or code}", "{ticket}") for route in routes]
    require_rows("docs/rest.md", rows, [f"{route.method} {route.path}" for route in ROUTES])


def test_the_architecture_lists_every_package() -> None:
    tree = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").partition("```\n")[2].partition("```")[0]
    listed = set(re.findall(r"^ +(\w+)/ ", tree, re.MULTILINE))
    assert {package.parent.name for package in (ROOT / "amarevents").glob("*/__init__.py")} <= listed
