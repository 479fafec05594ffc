"""Vendored npm packages: their files are those published, and their licences allow redistribution."""

from pathlib import Path
from typing import Any

import pytest

from tools import vendor
from tools.vendor import FOLDERS, MANIFEST, Package, read_manifest, sha256

PACKAGES = [(folder, package) for folder in FOLDERS for package in read_manifest(folder)]
FILES = [(folder / name, file["sha256"]) for folder, package in PACKAGES for name, file in package["files"].items()]
MEGABYTE = 1_000_000


def test_both_pages_have_a_folder() -> None:
    assert [folder.parent.name for folder in FOLDERS] == ["docs_page", "explorer"]


@pytest.mark.parametrize(("path", "recorded"), FILES, ids=[path.name for path, _ in FILES])
def test_files_are_those_of_the_manifest(path: Path, recorded: str) -> None:
    assert sha256(path.read_bytes()) == recorded


@pytest.mark.parametrize("folder", FOLDERS)
def test_folders_contain_no_other_files(folder: Path) -> None:
    known = {name for package in read_manifest(folder) for name in package["files"]}
    assert {path.name for path in folder.iterdir()} == {*known, MANIFEST}


def test_each_package_has_its_version_origin_licence_and_hash() -> None:
    for _, package in PACKAGES:
        assert package["license"] == "MIT"
        assert package["origin"] == f"https://www.npmjs.com/package/{package['name']}"
        assert package["integrity"].startswith("sha512-")
        assert package["version"].count(".") == 2


@pytest.mark.parametrize(
    ("licence", "holder"),
    [
        ("scalar", "Scalar"),
        ("graphiql", "GraphQL Contributors"),
        ("graphiql-react", "GraphQL Contributors"),
        ("graphiql-explorer", "Facebook"),
        ("react", "Facebook"),
        ("react-dom", "Facebook"),
    ],
)
def test_licence_is_included(licence: str, holder: str) -> None:
    [text] = [path.read_text() for path, _ in FILES if path.name == f"{licence}.LICENSE.txt"]
    assert "MIT License" in text
    assert holder in text


@pytest.mark.parametrize("folder", FOLDERS)
def test_folder_is_small(folder: Path) -> None:
    assert sum(path.stat().st_size for path in folder.iterdir()) < 5 * MEGABYTE


@pytest.mark.parametrize("folder", FOLDERS)
def test_package_with_another_hash_is_refused(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    library = read_manifest(folder)[0]
    [name, *_] = library["files"]
    before = (folder / name).read_bytes()

    def pack(_name: str, packs: Any) -> tuple[Any, dict[str, str]]:
        return packs / "other.tgz", {"integrity": "sha512-other"}

    monkeypatch.setattr(vendor, "_pack", pack)
    with pytest.raises(ValueError, match="is not the package that the manifest describes"):
        vendor.fetch(library, library["version"], folder)
    assert (folder / name).read_bytes() == before


def test_only_the_named_package_is_updated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text('{"packages": [{"name": "a", "version": "1"}, {"name": "b", "version": "2"}]}')

    def fetched(package: Package, version: str, _folder: Path) -> Package:
        return {**package, "version": version}

    monkeypatch.setattr(vendor, "FOLDERS", [tmp_path])
    monkeypatch.setattr(vendor, "fetch", fetched)
    vendor.main({"b": "3"})
    assert read_manifest(tmp_path) == [{"name": "a", "version": "1"}, {"name": "b", "version": "3"}]


def test_unknown_package_is_refused() -> None:
    with pytest.raises(ValueError, match="grafiql: unknown package"):
        vendor.main({"grafiql": "3.8.3"})
