"""Column types that every model shares, so that a fact such as the length of a name stands once."""

import datetime
from enum import StrEnum
from typing import Any

import orjson
from tortoise import fields

# Bounds of decisions 1.9, in characters.
NAME_LENGTH = 200
SHORT_LENGTH = 255
LONG_LENGTH = 20_000
# The largest id that both databases store.
MAX_ID = 2**31 - 1


def encode_json(value: object) -> str:
    return orjson.dumps(value).decode()


def decode_json(text: str | bytes) -> object:
    return orjson.loads(text)


def utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


# Any below: Tortoise's field constructors are typed by their arguments (null or not), which these pass on.


def name(**options: Any) -> Any:
    return fields.CharField(max_length=NAME_LENGTH, **options)


def short_text(**options: Any) -> Any:
    return fields.CharField(max_length=SHORT_LENGTH, **options)


def long_text(**options: Any) -> Any:
    return fields.TextField(**options)


def money(**options: Any) -> Any:
    """An amount of taka (or of the plan's currency), with two decimals."""
    return fields.DecimalField(max_digits=14, decimal_places=2, **options)


def json(**options: Any) -> Any:
    return fields.JSONField(encoder=encode_json, decoder=decode_json, **options)


def choice(enum_type: type[StrEnum], **options: Any) -> Any:
    """An enum column. The fixed description keeps a new member from rebuilding the table on SQLite."""
    return fields.CharEnumField(enum_type, max_length=20, description=enum_type.__name__, **options)


def instant(**options: Any) -> Any:
    return fields.DatetimeField(**options)


def created_at() -> Any:
    return fields.DatetimeField(default=utc_now)


def updated_at() -> Any:
    return fields.DatetimeField(default=utc_now)


def belongs_to(model: str, related_name: str, **options: Any) -> Any:
    """A foreign key whose rows go with their parent. Declare its index: the databases make none by themselves."""
    options.setdefault("on_delete", fields.CASCADE)
    return fields.ForeignKeyField(f"models.{model}", related_name=related_name, **options)
