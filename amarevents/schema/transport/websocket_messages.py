"""What a client may say over a WebSocket: the messages of graphql-transport-ws, and nothing else."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from amarevents import errors
from amarevents.schema.transport.operations import GraphQLRequest
from amarevents.schema.transport.requests import loads, parse_request

PROTOCOL = "graphql-transport-ws"

# Any below: JSON values.


class MessageType(StrEnum):
    CONNECTION_INIT = "connection_init"
    PING = "ping"
    PONG = "pong"
    SUBSCRIBE = "subscribe"
    COMPLETE = "complete"


class InvalidMessage(Exception):
    """What is no message of the protocol; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientMessage:
    """One message. ``id`` is the operation's, where the message is about one; ``asked`` what a subscribe asks for."""

    kind: MessageType
    id: str = ""
    payload: dict[str, Any] = field(default_factory=dict)
    asked: GraphQLRequest | None = None


def parse_message(text: str) -> ClientMessage:
    """Raises InvalidMessage."""
    try:
        message = loads(text)
    except errors.MalformedJson as error:
        raise InvalidMessage("A message must be valid JSON, without names that stand twice") from error
    if not isinstance(message, dict):
        raise InvalidMessage("A message must be a JSON object")
    kind = message.get("type")
    if not isinstance(kind, str) or kind not in list(MessageType):
        raise InvalidMessage("The message's type is unknown")
    payload = message.get("payload", {})
    if not isinstance(payload, dict) and kind != MessageType.COMPLETE:
        raise InvalidMessage("The message's payload must be an object")
    if kind not in {MessageType.SUBSCRIBE, MessageType.COMPLETE}:
        return ClientMessage(kind=MessageType(kind), payload=payload)
    identifier = message.get("id")
    if not isinstance(identifier, str) or not identifier:
        raise InvalidMessage("The message's id must be a text that is not empty")
    return ClientMessage(
        kind=MessageType(kind), id=identifier, asked=_asked(payload) if kind == MessageType.SUBSCRIBE else None
    )


def _asked(payload: dict[str, Any]) -> GraphQLRequest:
    if not isinstance(payload.get("query"), str):
        raise InvalidMessage("The payload's query must be a text")
    try:
        return parse_request(payload)
    except errors.BadRequest as error:
        raise InvalidMessage(error.text) from error
