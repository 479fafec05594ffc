"""Fetch the JavaScript libraries of the pages from npm: ``python -m tools.vendor [PACKAGE VERSION]`` (needs ``npm``).

Each page has a folder ``vendored``. Its ``manifest.json`` lists the packages with their versions and npm's hash, which
is checked before anything is unpacked, and the hash of each file. Without arguments, everything is fetched as the
manifests say; with them, that version of that package is fetched and recorded.
"""

import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
FOLDERS = sorted(path.parent for path in (Path(__file__).parents[1] / "amarevents").glob(f"**/vendored/{MANIFEST}"))

Package = dict[str, Any]  # an entry of a manifest; Any: JSON


def read_manifest(folder: Path) -> list[Package]:
    packages: list[Package] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["packages"]
    return packages


def sha256(content: bytes) -> str:
    """Return the hash of a file in the notation of Subresource Integrity."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode()}"


def fetch(package: Package, version: str, folder: Path) -> Package:
    """Write the files of a package and return its entry. Raises ValueError if npm has another package by then."""
    with tempfile.TemporaryDirectory() as packs:
        archive, packed = _pack(f"{package['name']}@{version}", Path(packs))
        if version == package["version"] and packed["integrity"] != package["integrity"]:
            raise ValueError(f"{package['name']} {version} is not the package that the manifest describes")
        with tarfile.open(archive) as members:
            files = {name: _extract(members, file["from"], folder / name) for name, file in package["files"].items()}
    return {**package, "version": version, "integrity": packed["integrity"], "files": files}


def _pack(name: str, folder: Path) -> tuple[Path, Package]:
    """Return the archive of a package and npm's description of it. Raises ValueError if their hashes differ."""
    command = ["npm", "pack", "--json", "--silent", "--pack-destination", str(folder), name]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    [packed] = json.loads(done.stdout)
    archive = folder / packed["filename"]
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if packed["integrity"] != f"sha512-{digest}":
        raise ValueError(f"{name}: the archive's hash differs from the registry's")
    return archive, packed


def _extract(members: tarfile.TarFile, source: str, target: Path) -> dict[str, str]:
    member = members.extractfile(f"package/{source}")
    if member is None:
        raise ValueError(f"{source} is not a file of the package")
    content = member.read()
    target.write_bytes(content)
    return {"from": source, "sha256": sha256(content)}


def main(chosen: dict[str, str]) -> None:
    """Fetch every package, the chosen ones in another version. Raises ValueError for an unknown package."""
    manifests = {folder: read_manifest(folder) for folder in FOLDERS}
    if unknown := chosen.keys() - {package["name"] for packages in manifests.values() for package in packages}:
        raise ValueError(f"{', '.join(unknown)}: unknown package; the manifests list the known ones")
    for folder, packages in manifests.items():
        fetched = [fetch(one, str(chosen.get(one["name"], one["version"])), folder) for one in packages]
        (folder / MANIFEST).write_text(json.dumps({"packages": fetched}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(dict([sys.argv[1:3]] if sys.argv[1:] else []))
