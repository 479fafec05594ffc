"""Column types shared by all models."""

import datetime
from collections.abc import Callable
from enum import StrEnum
from typing import Any, cast

import orjson
from tortoise import fields
from tortoise.models import Model

# Bounds of decisions 1.9, in characters.
NAME_LENGTH = 200
SHORT_LENGTH = 255
LONG_LENGTH = 20_000
# The largest ID that both databases can store.
MAX_ID = 2**31 - 1


def encode_json(value: object) -> str:
    """Return ``value`` as the text of a JSON column."""
    return orjson.dumps(value).decode()


def decode_json(text: str | bytes) -> object:
    """Return the value of a JSON column."""
    return orjson.loads(text)


def utc_now() -> datetime.datetime:
    """Return the current time, aware and in UTC."""
    return datetime.datetime.now(datetime.UTC)


# Any below: the types of Tortoise's fields depend on arguments that these functions pass on (such as null).


def name(**options: Any) -> Any:
    """Return a column for names."""
    return fields.CharField(max_length=NAME_LENGTH, **options)


def short_text(**options: Any) -> Any:
    """Return a column for one line of text."""
    return fields.CharField(max_length=SHORT_LENGTH, **options)


class _KeyField(fields.CharField[str]):
    """A column that is always computed from another column of the row, and cut to its length."""

    def __init__(self, source: str, key: Callable[[str], str], max_length: int, unique: bool) -> None:
        self._source, self._key = source, key
        super().__init__(max_length, unique=unique)

    def to_db_value(self, value: object, instance: type[Model] | Model) -> object:
        if isinstance(instance, Model):
            value = self._key(getattr(instance, self._source))[: self.max_length]
            setattr(instance, self.model_field_name, value)
        stored: object = super().to_db_value(str(value)[: self.max_length], instance)
        return stored

    # Migrations know the column only as text.

    def deconstruct(self) -> tuple[str, list[object], dict[str, object]]:
        _, arguments, options = super().deconstruct()
        return f"{fields.CharField.__module__}.{fields.CharField.__name__}", arguments, options

    def describe(self, serializable: bool) -> dict[str, object]:
        name = fields.CharField.__name__ if serializable else fields.CharField
        return {**super().describe(serializable), "field_type": name}


def key(source: str, key: Callable[[str], str], *, length: int, unique: bool = False) -> str:
    """Return a column for what makes the column ``source`` unique; updates must list both columns."""
    return cast("str", _KeyField(source, key, length, unique))  # as an attribute of a row


def long_text(**options: Any) -> Any:
    """Return a column for longer text; inputs limit its length."""
    return fields.TextField(**options)


def money(**options: Any) -> Any:
    """Return a column for an amount with two decimals, in taka or the currency of the plan."""
    return fields.DecimalField(max_digits=14, decimal_places=2, **options)


def json(**options: Any) -> Any:
    """Return a JSON column."""
    return fields.JSONField(encoder=encode_json, decoder=decode_json, **options)


def choice(enum_type: type[StrEnum], **options: Any) -> Any:
    """Return an enum column. Because its description is fixed, a new member does not rebuild the table on SQLite."""
    return fields.CharEnumField(enum_type, max_length=20, description=enum_type.__name__, **options)


def instant(**options: Any) -> Any:
    """Return a column for a timestamp in UTC."""
    return fields.DatetimeField(**options)


def created_at() -> Any:
    """Return a timestamp column that defaults to the current time."""
    return fields.DatetimeField(default=utc_now)


def updated_at() -> Any:
    """Return a timestamp column that defaults to the current time; updates set it explicitly."""
    return fields.DatetimeField(default=utc_now)


def belongs_to(model: str, related_name: str, **options: Any) -> Any:
    """Return a foreign key, by default with ON DELETE CASCADE. Declare its index: databases do not create one."""
    options.setdefault("on_delete", fields.CASCADE)
    return fields.ForeignKeyField(f"models.{model}", related_name=related_name, **options)
