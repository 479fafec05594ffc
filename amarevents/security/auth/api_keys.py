"""The text format of API keys: ``ae_u_``, 32 random characters and a checksum of 6 (decisions 2.2).

32 base-62 characters hold 190 bits of randomness. The checksum (CRC-32 of the preceding characters) detects mistyped
keys without a look-up. It does not protect against attackers; the randomness does.
"""

import hashlib
import secrets
import string
import zlib
from dataclasses import dataclass, field

from amarevents.errors import InvalidApiKey
from amarevents.models.enums import KeyType
from amarevents.security.policy import default_scopes

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM_LENGTH = 32
_CHECKSUM_LENGTH = 6
_PREFIXES = {KeyType.USER: "ae_u_", KeyType.ORGANIZER: "ae_o_", KeyType.ADMIN: "ae_a_"}
_KEY_TYPES = {prefix: key_type for key_type, prefix in _PREFIXES.items()}
_PREFIX_LENGTH = 5
_LENGTH = _PREFIX_LENGTH + _RANDOM_LENGTH + _CHECKSUM_LENGTH
_DISPLAY_LENGTH = 12


@dataclass(frozen=True, slots=True)
class GeneratedKey:
    """A new key: ``raw`` is shown to its owner once, ``digest`` and ``prefix`` are stored."""

    raw: str = field(repr=False)
    digest: str
    prefix: str


@dataclass(frozen=True, slots=True)
class ParsedKey:
    """A well-formed key from a request, which may or may not exist in the database."""

    key_type: KeyType
    digest: str


def digest_of(secret: str) -> str:
    """Return the SHA-256 of a secret in hexadecimal. Random secrets need no slow hash, unlike passwords."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _checksum(text: str) -> str:
    value = zlib.crc32(text.encode())
    digits = []
    for _ in range(_CHECKSUM_LENGTH):
        value, digit = divmod(value, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(digits)


def generate_key(key_type: KeyType) -> GeneratedKey:
    """Return a new random key of the type."""
    body = _PREFIXES[key_type] + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LENGTH))
    raw = body + _checksum(body)
    return GeneratedKey(raw, digest_of(raw), raw[:_DISPLAY_LENGTH])


def parse_key(raw: str) -> ParsedKey:
    """Parse a key. Raises InvalidApiKey if its prefix, length, alphabet or checksum is wrong."""
    key_type = _KEY_TYPES.get(raw[:_PREFIX_LENGTH])
    if key_type is None or len(raw) != _LENGTH or not raw.isascii():
        raise InvalidApiKey
    if _checksum(raw[:-_CHECKSUM_LENGTH]) != raw[-_CHECKSUM_LENGTH:]:
        raise InvalidApiKey
    return ParsedKey(key_type, digest_of(raw))


def default_permissions(key_type: KeyType) -> list[str]:
    """Return the permissions of a key that is created without a list of them (decisions 2.5)."""
    return [str(scope) for scope in default_scopes(key_type)]
