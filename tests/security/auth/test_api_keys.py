"""The text of API keys: prefix, checksum and digest (decisions 2.2)."""

import hashlib
import math
import string

import httpx
import pytest

from amarevents.errors import InvalidApiKey
from amarevents.models.enums import KeyType
from amarevents.security.auth.api_keys import generate_key, parse_key
from tests.support.statements import counted_statements

ALPHABET = string.ascii_letters + string.digits + "-_"
PREFIXES = [(KeyType.USER, "ae_u_"), (KeyType.ORGANIZER, "ae_o_"), (KeyType.ADMIN, "ae_a_")]


@pytest.mark.parametrize(("key_type", "prefix"), PREFIXES)
def test_a_key_begins_with_the_prefix_of_its_type(key_type: KeyType, prefix: str) -> None:
    generated = generate_key(key_type)
    assert generated.raw.startswith(prefix)
    assert parse_key(generated.raw).key_type is key_type


def test_a_key_is_url_safe_and_shows_its_first_twelve_characters() -> None:
    generated = generate_key(KeyType.USER)
    assert set(generated.raw) <= set(ALPHABET)
    assert generated.prefix == generated.raw[:12]


def test_a_key_is_stored_as_its_sha_256_digest() -> None:
    generated = generate_key(KeyType.ADMIN)
    assert generated.digest == hashlib.sha256(generated.raw.encode()).hexdigest() == parse_key(generated.raw).digest
    assert generated.raw not in repr(generated)


def test_a_key_has_at_least_160_random_bits() -> None:
    bodies = [generate_key(KeyType.USER).raw[5:-6] for _ in range(500)]
    bits = sum(math.log2(len(set(column))) for column in zip(*bodies, strict=True))
    assert bits >= 160
    assert len(set(bodies)) == 500


def test_the_checksum_detects_every_wrong_character() -> None:
    raw = generate_key(KeyType.ORGANIZER).raw
    mistyped = [
        raw[:at] + wrong + raw[at + 1 :] for at, right in enumerate(raw) for wrong in ALPHABET if wrong != right
    ]
    assert [key for key in mistyped if _is_accepted(key)] == []


def test_the_checksum_detects_transposed_characters() -> None:
    raw = generate_key(KeyType.USER).raw
    swapped = [raw[:at] + raw[at + 1] + raw[at] + raw[at + 2 :] for at in range(len(raw) - 1) if raw[at] != raw[at + 1]]
    assert [key for key in swapped if _is_accepted(key)] == []


@pytest.mark.parametrize(
    "damage", ["", "x", "{raw}x", "x{raw}", "{raw} ", "{raw}\n", "{cut}", "AE{rest}", "{raw}{raw}"]
)
def test_text_that_is_not_exactly_a_key_is_refused(damage: str) -> None:
    raw = generate_key(KeyType.USER).raw
    assert not _is_accepted(damage.format(raw=raw, cut=raw[:-1], rest=raw[2:]))


def _is_accepted(raw: str) -> bool:
    try:
        parse_key(raw)
    except InvalidApiKey:
        return False
    return True


async def test_a_mistyped_key_is_refused_without_a_query(http: httpx.AsyncClient) -> None:
    raw = generate_key(KeyType.USER).raw
    mistyped = raw[:-1] + ("a" if raw[-1] != "a" else "b")
    with counted_statements() as statements:
        answer = await http.get("/api/events", headers={"Authorization": f"Bearer {mistyped}"})
    assert answer.status_code == 401
    assert statements == []


async def test_an_unknown_key_is_looked_up_once(http: httpx.AsyncClient) -> None:
    with counted_statements() as statements:
        answer = await http.get("/api/events", headers={"Authorization": f"Bearer {generate_key(KeyType.USER).raw}"})
    assert answer.status_code == 401
    assert len(statements) == 1
