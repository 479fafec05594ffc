"""What inputs and lists of all nouns share: field types with their bounds (decisions 1.8, 1.9), paging, pages."""

import datetime
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, NewType, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    WithJsonSchema,
    model_validator,
)
from pydantic.fields import FieldInfo
from tortoise.models import Model

from amarevents.models.columns import LONG_LENGTH, MAX_ID, NAME_LENGTH, SHORT_LENGTH

T = TypeVar("T")
M = TypeVar("M", bound=Model)

RecordId = NewType("RecordId", int)
"""The integer by which the API names a row: an integer in REST, an ``ID`` in GraphQL."""

Taka = NewType("Taka", int)
"""Whole taka: an integer in REST, a ``Decimal`` as all money in GraphQL (decisions 9.1)."""

_MAX_MONEY = Decimal(10) ** 12

_EMAIL = re.compile(r'[^@\s<>()\[\],;:\\"]+@(?:[^@\s.<>()\[\],;:\\"]+\.)+[^@\s.<>()\[\],;:\\"]{2,}')
# Letters of domains for which the two versions of IDNA lead to different ones.
_AMBIGUOUS = {"ß", "ς", "\u200c", "\u200d"}
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{4,28}[0-9]")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Control characters (C0, DEL, C1) and lone surrogates, which no text may hold; long texts may hold tabs and newlines.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_UNPRINTABLE_IN_LONG_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def _printable(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def check(text: str) -> str:
        if pattern.search(text):
            raise ValueError("must not contain control characters")
        return text

    return check


require_printable = _printable(_UNPRINTABLE_IN_LONG_TEXT)
_one_line = AfterValidator(_printable(_UNPRINTABLE))
_many_lines = AfterValidator(require_printable)


def _visible(text: str) -> str:
    """No formatting characters, which turn or hide text; but for the joiners that Bangla spelling needs."""
    if any(unicodedata.category(character) == "Cf" for character in text if character not in "\u200c\u200d"):
        raise ValueError("must not contain invisible characters")
    return text


def _email(text: str) -> str:
    """One way to write each: what mail servers would take for another address must not be another account."""
    plain = _visible(unicodedata.normalize("NFKC", text)).lower()
    if not _EMAIL.fullmatch(plain) or _AMBIGUOUS & set(plain.rpartition("@")[2]):
        raise ValueError("must be an email address")
    return plain


def _phone(text: str) -> str:
    if not _PHONE.fullmatch(text):
        raise ValueError("must be a phone number")
    return text


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme.lower() not in {"http", "https"} or not parts.netloc or " " in text:
        raise ValueError("must be an http or https URL")
    return text


def _date(value: object) -> object:
    """A date as ``YYYY-MM-DD`` and nothing else that pydantic would take for one."""
    if isinstance(value, datetime.datetime) or not isinstance(value, datetime.date | str):
        raise ValueError("must be a date, YYYY-MM-DD")  # noqa: TRY004 - what pydantic turns into a field error
    if isinstance(value, str) and not _DATE.fullmatch(value):
        raise ValueError("must be a date, YYYY-MM-DD")
    return value


def _expiry(value: object) -> datetime.datetime:
    """An instant with its offset, or a date, which ends at 00:00 UTC of that day (decisions 2.5)."""
    if isinstance(value, datetime.datetime):
        instant = value
    elif isinstance(value, str) and _DATE.match(value.strip()):
        try:
            instant = datetime.datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError("must be a date or an instant such as 2027-01-01T00:00:00Z") from None
    else:
        raise ValueError("must be a date or an instant such as 2027-01-01T00:00:00Z")
    instant = instant if instant.tzinfo else instant.replace(tzinfo=datetime.UTC)
    try:
        return instant.astimezone(datetime.UTC)
    except OverflowError:
        raise ValueError("is too far away") from None


def _money(value: object) -> Decimal:
    """A JSON number (or the Decimal of GraphQL's scalar), never a binary float's noise."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("must be a number")  # noqa: TRY004 - what pydantic turns into a field error
    try:
        amount = Decimal(str(value))
        cents = amount.quantize(Decimal("0.01"))
        in_range = 0 <= amount < _MAX_MONEY
    except InvalidOperation:
        in_range = False
    if not in_range:
        raise ValueError("must be at least 0 and below 1,000,000,000,000")
    if cents != amount:
        raise ValueError("must have at most two decimals")
    return cents


def _shown_as(pattern: str, **keywords: Any) -> FieldInfo:  # Any: JSON Schema
    """How JSON Schema describes a text that a function checks: the same rule, as callers' tools read it."""
    described: FieldInfo = Field(json_schema_extra={"pattern": f"^{pattern}$", **keywords})
    return described


DateTime = datetime.datetime
"""An instant, aware and in UTC."""

Name = Annotated[str, Field(max_length=NAME_LENGTH), _one_line]
Username = Annotated[str, Field(min_length=3, max_length=50), _one_line, AfterValidator(_visible)]
Password = Annotated[str, Field(min_length=6, max_length=128), _one_line]
ShortText = Annotated[str, Field(max_length=SHORT_LENGTH), _one_line]
LongText = Annotated[str, Field(max_length=LONG_LENGTH), _many_lines]
# Bounded before and after: some letters become several when their case changes.
Email = Annotated[
    ShortText, AfterValidator(_email), Field(max_length=SHORT_LENGTH), _shown_as(_EMAIL.pattern, format="email")
]
Phone = Annotated[ShortText, AfterValidator(_phone), _shown_as(_PHONE.pattern)]
Url = Annotated[ShortText, AfterValidator(_url), _shown_as("[Hh][Tt][Tt][Pp][Ss]?://[^ ]+", format="iri")]
Date = Annotated[datetime.date, BeforeValidator(_date)]
Expiry = Annotated[
    datetime.datetime,
    BeforeValidator(_expiry),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}),
]
Money = Annotated[Decimal, BeforeValidator(_money), Field(json_schema_extra={"exclusiveMaximum": int(_MAX_MONEY)})]
Count = Annotated[StrictInt, Field(ge=0, le=MAX_ID)]
Id = Annotated[RecordId, Field(strict=True, ge=1, le=MAX_ID)]


def _flag(value: object) -> object:
    """True and false, also as the contract's filters and older clients write them."""
    flags = {"1": True, "true": True, "0": False, "false": False}
    return flags.get(str(value).strip().lower(), value) if isinstance(value, str | int) else value


Flag = Annotated[StrictBool, BeforeValidator(_flag)]
"""True or false; 1 and 0 say the same."""


def _not_null(value: T | None) -> T | None:
    if value is None:
        raise ValueError("must not be null")
    return value


def _without_null(shown: dict[str, Any]) -> None:  # Any: JSON Schema
    """Null is only what stands for "not sent"; a document for callers does not offer it."""
    present = [option for option in shown.pop("anyOf") if option != {"type": "null"}]
    shown.update(present[0] if len(present) == 1 else {"anyOf": present})


NotNull = Annotated[T | None, AfterValidator(_not_null), Field(json_schema_extra=_without_null)]
"""A field that an update may leave out but not clear."""


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()


class Input(BaseModel):
    """What a caller sends, validated the same from both surfaces.

    Unknown fields are refused (decisions 1.6); texts are trimmed, and a text that is empty then counts as missing
    (decisions 1.9). ``model_fields_set`` tells what was sent, so that an update stays partial (decisions 1.10).
    """

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_empty_texts(cls, values: Any) -> Any:  # Any: whatever the caller sent
        if not isinstance(values, dict):
            return values
        # Unknown names stay, whatever they hold, so that they are complained of.
        return {name: value for name, value in values.items() if name not in cls.model_fields or not _is_blank(value)}

    def changed_fields(self) -> dict[str, Any]:  # Any: each field's own type
        """The fields that the caller sent, with their values: what an update changes."""
        return {name: getattr(self, name) for name in self.model_fields_set}


@dataclass(slots=True, kw_only=True)
class DeletedView:
    """What a deletion answers (decisions 1.5)."""

    id: RecordId
    """The integer that names it in paths and in other fields."""
    deleted: bool
    """True: it is gone for good."""


def deleted(record_id: int) -> DeletedView:
    return DeletedView(id=RecordId(record_id), deleted=True)
