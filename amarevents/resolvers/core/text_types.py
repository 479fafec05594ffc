"""Field types of texts, with the bounds that all inputs share (decisions 1.9, 1.11)."""

import re
import unicodedata
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

from email_validator import SPECIAL_USE_DOMAIN_NAMES, validate_email
from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.fields import FieldInfo

from amarevents.models.columns import LONG_LENGTH, NAME_LENGTH, SHORT_LENGTH
from amarevents.text import ascii_domain, clean_phone, email_key, fold, has_direction_characters, is_visible, nfc

# The library's list of domains to refuse: private networks may use names such as tickets.local for their email.
SPECIAL_USE_DOMAIN_NAMES.clear()

# For documentation; the validators are stricter, and that of phone numbers takes more separators.
_EMAIL_PATTERN = r'[^@\s<>()\[\],;:\\"]+@(?:[^@\s.<>()\[\],;:\\"]+\.)+[^@\s.<>()\[\],;:\\"]{2,}'
_PHONE_PATTERN = r"\+?[0-9](?:[ ().-]?[0-9]){2,19}"
_URL_PATTERN = r"[Hh][Tt][Tt][Pp][Ss]?://[^ ]+"
# Control characters (C0, DEL, C1), line separators and lone surrogates; long texts may contain tabs and newlines.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_CONTROL_IN_LONG_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def _without(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def check(text: str) -> str:
        if pattern.search(text):
            raise ValueError("must not contain control characters")
        return text

    return check


require_printable = _without(_CONTROL_IN_LONG_TEXT)
_one_line = AfterValidator(_without(_CONTROL))
_multiline = AfterValidator(require_printable)


def _require_unformatted(text: str) -> str:
    """Reject formatting characters, which hide or reorder text, except the joiners that Bangla spelling needs."""
    if any(unicodedata.category(character) == "Cf" for character in text if character not in "\u200c\u200d"):
        raise ValueError("must not contain invisible characters")
    return text


def require_displayed(text: str) -> str:
    """Reject names that display nothing, or that change the direction of the line (decisions 1.11)."""
    if not is_visible(text):
        raise ValueError("must contain characters that are displayed")
    if has_direction_characters(text):
        raise ValueError("must not contain characters that change the direction of text")
    return text


def _require_bounded(text: str) -> str:
    """Reject names whose folded form would not fit into its column: some characters become many."""
    if len(fold(text)) > NAME_LENGTH:
        raise ValueError("must be spelled with ordinary letters")
    return text


def normalize_email(text: str) -> str:
    """Return an email address in its stored form: NFKC, in lower case.

    Raises ValueError if it is not a valid address. Deliverability is not checked, and domains that only resolve in a
    private network are accepted.
    """
    plain = _require_unformatted(unicodedata.normalize("NFKC", text)).lower()
    name, _, domain = plain.rpartition("@")
    *parents, top_level = domain.split(".")
    if not parents or len(top_level) < 2 or not is_visible(fold(name)) or len(email_key(plain)) > SHORT_LENGTH:
        raise ValueError("must be an email address")
    try:
        validate_email(plain, check_deliverability=False, globally_deliverable=False)
        ascii_domain(domain)
    except ValueError:
        raise ValueError("must be an email address") from None
    return plain


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme.lower() in {"http", "https"} and bool(parts.netloc) and " " not in text


def _check_url(text: str) -> str:
    if not _is_web_address(text):
        raise ValueError("must be an http or https URL")
    return text


def _check_image_url(text: str) -> str:
    is_path = text.startswith("/") and text[1:2] not in {"/", "\\"} and " " not in text
    if not is_path and not _is_web_address(text):
        raise ValueError("must be an http or https URL, or a path that begins with /")
    return text


def _normalize(value: object) -> object:
    return nfc(value) if isinstance(value, str) else value


def _json_schema(pattern: str, **keywords: str) -> FieldInfo:
    """Return the JSON Schema of a string that a function validates."""
    described: FieldInfo = Field(json_schema_extra={"pattern": f"^{pattern}$", **keywords})
    return described


# Lengths are those of the stored form.
_normal = BeforeValidator(_normalize)
_displayed = AfterValidator(require_displayed)
_bounded = AfterValidator(_require_bounded)

Name = Annotated[str, Field(max_length=NAME_LENGTH), _one_line, _displayed, _bounded, _normal]
Username = Annotated[
    str,
    Field(min_length=3, max_length=50),
    _one_line,
    AfterValidator(_require_unformatted),
    _displayed,
    _bounded,
    _normal,
]
# Passwords are hashed in a normal form of their own, and older hashes are of what was entered.
Password = Annotated[str, Field(min_length=6, max_length=128), _one_line]
EnteredPassword = Annotated[str, Field(max_length=SHORT_LENGTH), _one_line]
"""A password to verify."""
ShortText = Annotated[str, Field(max_length=SHORT_LENGTH), _one_line, _normal]
Label = Annotated[ShortText, _displayed]
"""A short text that people choose something by."""
LongText = Annotated[str, Field(max_length=LONG_LENGTH), _multiline, _normal]
# The length is checked before and after: some letters become several when their case changes.
Email = Annotated[
    ShortText,
    AfterValidator(normalize_email),
    Field(max_length=SHORT_LENGTH),
    _json_schema(_EMAIL_PATTERN, format="email"),
]
Phone = Annotated[ShortText, AfterValidator(clean_phone), _json_schema(_PHONE_PATTERN)]
Url = Annotated[ShortText, AfterValidator(_check_url), _json_schema(_URL_PATTERN, format="iri")]
ImageUrl = Annotated[
    ShortText,
    AfterValidator(_check_image_url),
    _json_schema(rf"(?:{_URL_PATTERN}|/(?:[^ /\\][^ ]*)?)", format="iri-reference"),
]
"""The address of an image: a URL, or a path on the same site."""
