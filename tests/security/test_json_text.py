"""Strict parsing of JSON, compared with a parser that sees every name (decisions 1.6)."""

import json
import random
import string
from typing import Any

import pytest

from amarevents import errors
from amarevents.security.json_text import parse_json
from tests.support.sizes import sized

# Any throughout: JSON.

SAMPLES = sized(2_000, deep=20_000)


def _random_json(source: random.Random, depth: int = 4) -> str:
    """Return a JSON text in which names often stand twice, and texts contain colons, quotes and braces."""
    kind = source.choice(["object", "array", "text", "number"]) if depth else source.choice(["text", "number"])
    if kind == "number":
        return source.choice(["0", "-1.5", "4e1", "true", "null"])
    if kind == "text":
        return _random_text(source)
    parts = [_random_json(source, depth - 1) for _ in range(source.randrange(4))]
    if kind == "array":
        return f"[{','.join(parts)}]"
    return f"{{{','.join(f'{_random_text(source)} : {part}' for part in parts)}}}"


def _random_text(source: random.Random) -> str:
    return json.dumps("".join(source.choices(['"', ":", "\\", "{", "a", "ক", "\n"], k=source.randrange(3))))


def _has_duplicates(text: str) -> bool:
    found = False

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal found
        found = found or len(dict(pairs)) < len(pairs)
        return dict(pairs)

    json.loads(text, object_pairs_hook=collect)
    return found


def test_exactly_the_texts_with_duplicate_names_are_refused() -> None:
    source = random.Random(1)
    refused = 0
    for _ in range(SAMPLES):
        text = _random_json(source)
        for form in (text, text.encode(), f"\ufeff{text}", f"\ufeff{text}".encode()):
            try:
                assert parse_json(form) == json.loads(text)
                assert not _has_duplicates(text), text
            except errors.MalformedJson:
                assert _has_duplicates(text), text
                refused += 1
    assert 0 < refused < SAMPLES * 4


@pytest.mark.parametrize(
    "text", ["", " ", "{", "[1,]", "{'a': 1}", '{"a" 1}', "NaN", "-Infinity", "1e400", "\ufeff\ufeff1"]
)
def test_text_that_is_no_json_is_refused(text: str) -> None:
    for form in (text, text.encode()):
        with pytest.raises(errors.MalformedJson):
            parse_json(form)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a:":', "}]")])
def test_deep_nesting_is_refused(opening: str, closing: str) -> None:
    for depth in (501, 5_000, 100_000):
        with pytest.raises(errors.MalformedJson):
            parse_json(opening * depth + "1" + closing * depth)
    shallow = opening * 200 + "1" + closing * 200
    assert parse_json(shallow) == json.loads(shallow)


def test_long_integers_are_not_converted_digit_by_digit() -> None:
    assert parse_json('{"a:": ' + "9" * 300 + "}") == {"a:": 1e300}


def test_printable_characters_survive() -> None:
    assert parse_json(json.dumps({string.printable: string.printable})) == {string.printable: string.printable}
