"""Field types of texts, with the bounds that all inputs share (decisions 1.9, 1.11)."""

import re
import unicodedata
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from pydantic import AfterValidator, Field
from pydantic.fields import FieldInfo

from amarevents.models.columns import LONG_LENGTH, NAME_LENGTH, SHORT_LENGTH

# The library's list of domains to refuse: private networks may use names such as tickets.local for their email.
SPECIAL_USE_DOMAIN_NAMES.clear()

# For documentation; the validator is stricter.
_EMAIL_PATTERN = r'[^@\s<>()\[\],;:\\"]+@(?:[^@\s.<>()\[\],;:\\"]+\.)+[^@\s.<>()\[\],;:\\"]{2,}'
# Letters that the two versions of IDNA map to different domains.
_AMBIGUOUS_IN_DOMAINS = {"ß", "ς", "\u200c", "\u200d"}
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{4,28}[0-9]")
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


def _require_visible(text: str) -> str:
    """Reject formatting characters, which hide or reorder text, except the joiners that Bangla spelling needs."""
    if any(unicodedata.category(character) == "Cf" for character in text if character not in "\u200c\u200d"):
        raise ValueError("must not contain invisible characters")
    return text


def normalize_email(text: str) -> str:
    """Return an email address in its stored form: NFKC, in lower case.

    Raises ValueError if it is not a valid address. Deliverability is not checked, and domains that only resolve in a
    private network are accepted.
    """
    plain = _require_visible(unicodedata.normalize("NFKC", text)).lower()
    *names, top_level = plain.rpartition("@")[2].split(".")
    if not names or len(top_level) < 2 or _AMBIGUOUS_IN_DOMAINS & set(plain.rpartition("@")[2]):
        raise ValueError("must be an email address")
    try:
        validate_email(plain, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        raise ValueError("must be an email address") from None
    return plain


def _check_phone(text: str) -> str:
    if not _PHONE.fullmatch(text):
        raise ValueError("must be a phone number")
    return text


def _check_url(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme.lower() not in {"http", "https"} or not parts.netloc or " " in text:
        raise ValueError("must be an http or https URL")
    return text


def _json_schema(pattern: str, **keywords: str) -> FieldInfo:
    """Return the JSON Schema of a string that a function validates."""
    described: FieldInfo = Field(json_schema_extra={"pattern": f"^{pattern}$", **keywords})
    return described


Name = Annotated[str, Field(max_length=NAME_LENGTH), _one_line]
Username = Annotated[str, Field(min_length=3, max_length=50), _one_line, AfterValidator(_require_visible)]
Password = Annotated[str, Field(min_length=6, max_length=128), _one_line]
ShortText = Annotated[str, Field(max_length=SHORT_LENGTH), _one_line]
LongText = Annotated[str, Field(max_length=LONG_LENGTH), _multiline]
# The length is checked before and after: some letters become several when their case changes.
Email = Annotated[
    ShortText,
    AfterValidator(normalize_email),
    Field(max_length=SHORT_LENGTH),
    _json_schema(_EMAIL_PATTERN, format="email"),
]
Phone = Annotated[ShortText, AfterValidator(_check_phone), _json_schema(_PHONE.pattern)]
Url = Annotated[ShortText, AfterValidator(_check_url), _json_schema("[Hh][Tt][Tt][Pp][Ss]?://[^ ]+", format="iri")]
