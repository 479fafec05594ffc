"""What a client may say over a WebSocket: the messages of graphql-transport-ws, and nothing else."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from amarevents import errors
from amarevents.schema.transport.operations import Asked
from amarevents.schema.transport.requests import asked_in, loads

PROTOCOL = "graphql-transport-ws"

# Any below: JSON values.


class Kind(StrEnum):
    CONNECTION_INIT = "connection_init"
    PING = "ping"
    PONG = "pong"
    SUBSCRIBE = "subscribe"
    COMPLETE = "complete"


class BadFrame(Exception):
    """What is no message of the protocol; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One message. ``id`` is the operation's, where the message is about one; ``asked`` what a subscribe asks for."""

    kind: Kind
    id: str = ""
    payload: dict[str, Any] = field(default_factory=dict)
    asked: Asked | None = None


def read_frame(text: str) -> Frame:
    """Raises BadFrame."""
    try:
        message = loads(text)
    except errors.MalformedJson as error:
        raise BadFrame("A message must be valid JSON, without names that stand twice") from error
    if not isinstance(message, dict):
        raise BadFrame("A message must be a JSON object")
    kind = message.get("type")
    if not isinstance(kind, str) or kind not in list(Kind):
        raise BadFrame("The message's type is unknown")
    payload = message.get("payload", {})
    if not isinstance(payload, dict) and kind != Kind.COMPLETE:
        raise BadFrame("The message's payload must be an object")
    if kind not in {Kind.SUBSCRIBE, Kind.COMPLETE}:
        return Frame(kind=Kind(kind), payload=payload)
    identifier = message.get("id")
    if not isinstance(identifier, str) or not identifier:
        raise BadFrame("The message's id must be a text that is not empty")
    return Frame(kind=Kind(kind), id=identifier, asked=_asked(payload) if kind == Kind.SUBSCRIBE else None)


def _asked(payload: dict[str, Any]) -> Asked:
    if not isinstance(payload.get("query"), str):
        raise BadFrame("The payload's query must be a text")
    try:
        return asked_in(payload)
    except errors.BadRequest as error:
        raise BadFrame(error.text) from error
