"""What comes from npm is what npm has published, and may be passed on."""

from typing import Any

import pytest

from amarevents.rest.reference import vendor
from amarevents.rest.reference.vendor import FOLDER, LIBRARY, MANIFEST, read_manifest, sha256

FILES = {name: file for package in read_manifest() for name, file in package["files"].items()}
MEGABYTE = 1_000_000


@pytest.mark.parametrize("name", FILES)
def test_files_are_those_of_the_manifest(name: str) -> None:
    assert sha256((FOLDER / name).read_bytes()) == FILES[name]["sha256"]


def test_nothing_else_is_there() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*FILES, MANIFEST.name}


def test_each_package_has_its_version_origin_licence_and_hash() -> None:
    for package in read_manifest():
        assert package["license"] == "MIT"
        assert package["origin"] == f"https://www.npmjs.com/package/{package['name']}"
        assert package["integrity"].startswith("sha512-")
        assert package["version"].count(".") == 2


def test_licence_lies_beside() -> None:
    text = (FOLDER / "scalar.LICENSE.txt").read_text()
    assert "MIT License" in text
    assert "Scalar" in text


def test_all_of_it_is_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 5 * MEGABYTE


def test_package_that_differs_from_the_recorded_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    [library] = [package for package in read_manifest() if package["name"] == LIBRARY]
    before = (FOLDER / "scalar.js").read_bytes()

    def pack(_name: str, folder: Any) -> tuple[Any, dict[str, str]]:
        return folder / "other.tgz", {"integrity": "sha512-other"}

    monkeypatch.setattr(vendor, "_pack", pack)
    with pytest.raises(ValueError, match="is not the package that the manifest describes"):
        vendor.fetch(library, library["version"])
    assert (FOLDER / "scalar.js").read_bytes() == before
