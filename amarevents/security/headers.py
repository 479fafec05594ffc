"""Raw headers, as lists of pairs in lower case: reading and adding a few costs less than Starlette's mappings."""

from collections.abc import Iterable
from typing import TypeAlias

RawHeader: TypeAlias = tuple[bytes, bytes]

_VARY = b"vary"


def find_header(headers: Iterable[RawHeader], name: bytes) -> bytes:
    """Return the first value of a header, empty if it is missing."""
    for found, value in headers:
        if found == name:
            return value
    return b""


def set_header(headers: list[RawHeader], name: bytes, value: bytes) -> None:
    """Replace all values of a header."""
    headers[:] = [header for header in headers if header[0] != name]
    headers.append((name, value))


def add_vary(headers: list[RawHeader], *names: bytes) -> None:
    """Add names of request headers on which the response depends, once each."""
    value = find_header(headers, _VARY)
    present = [name.strip() for name in value.split(b",") if name]
    missing = [name for name in names if name not in present]
    if missing:
        set_header(headers, _VARY, b", ".join([*present, *missing]))
