"""Fetches the page's library from npm: ``python -m amarevents.rest.reference.vendor [VERSION]`` (needs ``npm``).

``vendored/manifest.json`` says which files of which package versions are here: npm's own hash of each package, which is
checked before anything is unpacked, and the hash of each file. Without VERSION it fetches what the manifest says.
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

FOLDER = Path(__file__).with_name("vendored")
MANIFEST = FOLDER / "manifest.json"
LIBRARY = "@scalar/api-reference"

Package = dict[str, Any]  # an entry of the manifest: texts, and the files by their names


def read_manifest() -> list[Package]:
    packages: list[Package] = json.loads(MANIFEST.read_text(encoding="utf-8"))["packages"]
    return packages


def sha256(content: bytes) -> str:
    """A file's hash in the notation of Subresource Integrity."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode()}"


def fetch(package: Package, version: str) -> Package:
    """Write the package's files, and return its entry. Raises ValueError if the recorded version has changed."""
    with tempfile.TemporaryDirectory() as folder:
        archive, packed = _pack(f"{package['name']}@{version}", Path(folder))
        if version == package["version"] and packed["integrity"] != package["integrity"]:
            raise ValueError(f"{package['name']} {version} is not the package that the manifest describes")
        with tarfile.open(archive) as members:
            files = {name: _extract(members, file["from"], FOLDER / name) for name, file in package["files"].items()}
    return {**package, "version": version, "integrity": packed["integrity"], "files": files}


def _pack(name: str, folder: Path) -> tuple[Path, Package]:
    """The archive and what npm says of it. Raises ValueError if the archive is not what the registry announces."""
    command = ["npm", "pack", "--json", "--silent", "--pack-destination", str(folder), name]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - a fixed command
    [packed] = json.loads(done.stdout)
    archive = folder / packed["filename"]
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if packed["integrity"] != f"sha512-{digest}":
        raise ValueError(f"{name}: the archive's hash differs from the registry's")
    return archive, packed


def _extract(members: tarfile.TarFile, source: str, target: Path) -> dict[str, str]:
    member = members.extractfile(f"package/{source}")
    if member is None:
        raise ValueError(f"{source} is no file of the package")
    content = member.read()
    target.write_bytes(content)
    return {"from": source, "sha256": sha256(content)}


def main(version: str | None = None) -> None:
    packages = [
        fetch(package, version if version and package["name"] == LIBRARY else package["version"])
        for package in read_manifest()
    ]
    MANIFEST.write_text(json.dumps({"packages": packages}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:2])
