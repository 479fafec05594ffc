"""JSON of requests, parsed strictly enough that no two parsers disagree on its meaning (decisions 1.6)."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

import orjson

from amarevents import errors

T = TypeVar("T")

_MAX_DEPTH = 500
"""The maximum nesting of a request: less than any version of Python can parse recursively."""

_END_OF_NAME = re.compile(r'"[ \t\r\n]*:')
_END_OF_NAME_IN_BYTES = re.compile(_END_OF_NAME.pattern.encode())


def parse_json(text: str | bytes) -> object:
    """Return the value of a JSON text, without a leading byte order mark.

    Raises MalformedJson, also for duplicate names in one object, very deep nesting, NaN and infinite numbers.
    """
    text = without_byte_order_mark(text)
    try:
        value: object = orjson.loads(text)
        # Each name in an object ends with a quote and a colon, so equal numbers mean that none was lost as a duplicate.
        if _count_names(value) != _count_ends_of_names(text):
            _require_distinct_names(text)
    except orjson.JSONDecodeError as error:
        raise errors.MalformedJson from error
    return value


def without_byte_order_mark(text: str | bytes) -> str | bytes:
    return text.removeprefix("\ufeff") if isinstance(text, str) else text.removeprefix(b"\xef\xbb\xbf")


def _count_ends_of_names(text: str | bytes) -> int:
    """Return the number of places where a name may end; a text may also have such places in its strings."""
    return len(_END_OF_NAME.findall(text) if isinstance(text, str) else _END_OF_NAME_IN_BYTES.findall(text))


def _count_names(value: object) -> int:
    """Return the number of names in all objects. Raises MalformedJson for very deep nesting."""
    names, level = 0, [value]
    for _ in range(_MAX_DEPTH):
        names += sum(len(one) for one in level if isinstance(one, dict))
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return names
    raise errors.MalformedJson(f"JSON can be nested at most {_MAX_DEPTH} levels deep")


def _children(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _require_distinct_names(text: str | bytes) -> None:
    """Parse a valid text again, only to find duplicates; numbers, which may be very long, are not converted."""
    json.loads(text, object_pairs_hook=reject_duplicates, parse_int=_keep_text, parse_float=_keep_text)


def reject_duplicates(pairs: Sequence[tuple[str, T]]) -> dict[str, T]:
    """Return the pairs as a dictionary. Of two values with one name, some parsers take the first, others the last."""
    values = dict(pairs)
    if len(values) < len(pairs):
        raise errors.MalformedJson("Duplicate key in JSON object or query string")
    return values


def _keep_text(number: str) -> str:
    return number
