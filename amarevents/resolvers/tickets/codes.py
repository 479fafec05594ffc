"""Ticket codes: new ones, and those that scanners read and people type (decisions 1.11, 1.12, 6.10)."""

import base64
import secrets

from amarevents.models.columns import SHORT_LENGTH
from amarevents.models.db.sql import FALSE, Sql, sql
from amarevents.models.tickets import CODE_LENGTH
from amarevents.text import compact

# 125 bits in the alphabet of base 32: unguessable, and compact in a QR code.
_RANDOM_BYTES = 16
_RANDOM_LENGTH = 25


def new_ticket_code() -> str:
    """Return a random code of capital letters and digits.

    It begins with letters, so that it cannot be mistaken for an ID.
    """
    return "AE" + base64.b32encode(secrets.token_bytes(_RANDOM_BYTES)).decode()[:_RANDOM_LENGTH]


def has_code(text: str) -> Sql:
    """Return the condition that a ticket has the code that a text contains.

    Case, spaces, dashes and line ends make no difference. No ticket has a text that is too long to be a code, or has
    letters of other scripts: scanners also read the QR codes of other systems.
    """
    code = compact(text).upper() if len(text) <= SHORT_LENGTH else ""
    return sql("tickets.code = ?", code) if code.isascii() and 0 < len(code) <= CODE_LENGTH else FALSE
