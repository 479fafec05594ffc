"""The row type of the table of request bodies, and the ways in which a field may be left out."""

from dataclasses import dataclass

from tests.contract.access import Row
from tests.contract.kinds import Kind


@dataclass(frozen=True)
class Field:
    """A field of a body. ``nullable``: null is accepted; in an update it clears the field (decisions 1.10)."""

    kind: Kind
    required: bool = False
    nullable: bool = False


def required(kind: Kind) -> Field:
    """Return a field that must be sent and must not be null."""
    return Field(kind, required=True)


def optional(kind: Kind) -> Field:
    """Return a field that may be left out or null."""
    return Field(kind, nullable=True)


def not_null(kind: Kind) -> Field:
    """Return a field that may be left out, but not null."""
    return Field(kind)


@dataclass(frozen=True)
class RequestBody:
    """A request whose body is accepted, and every field that the body may have."""

    caller: str
    row: Row
    fields: dict[str, Field]

    @property
    def name(self) -> str:
        return f"{self.row.method} {self.row.contract_path}"

    @property
    def may_be_empty(self) -> bool:
        return not any(field.required for field in self.fields.values())


def body(caller: str, method: str, path: str, json: str, **fields: Field) -> RequestBody:
    """Return a row of the table of request bodies."""
    return RequestBody(caller, Row(method, path, json, "", ""), fields)
