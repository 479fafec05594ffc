"""The messages that clients send in the graphql-transport-ws protocol, and their validation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from amarevents import errors
from amarevents.schema.transport.operations import GraphQLRequest
from amarevents.schema.transport.requests import parse_request
from amarevents.security.json_text import parse_json

PROTOCOL = "graphql-transport-ws"


class MessageType(StrEnum):
    CONNECTION_INIT = "connection_init"
    PING = "ping"
    PONG = "pong"
    SUBSCRIBE = "subscribe"
    COMPLETE = "complete"


class InvalidMessage(Exception):
    """A message that violates the protocol; the text is the reason to close the connection with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientMessage:
    """A valid message. ``id`` identifies an operation; ``request`` is what a subscribe message asks to execute."""

    type: MessageType
    id: str = ""
    payload: Mapping[str, object] = field(default_factory=dict)
    request: GraphQLRequest | None = None


def parse_message(text: str) -> ClientMessage:
    """Parse and validate the text of a message. Raises InvalidMessage."""
    try:
        message = parse_json(text)
    except errors.MalformedJson as error:
        raise InvalidMessage("The message must be valid JSON without duplicate keys") from error
    if not isinstance(message, dict):
        raise InvalidMessage("The message must be a JSON object")
    message_type = message.get("type")
    if not isinstance(message_type, str) or message_type not in list(MessageType):
        raise InvalidMessage("The message has an unknown type")
    payload = {} if message.get("payload") is None else message["payload"]
    if not isinstance(payload, dict) and message_type != MessageType.COMPLETE:
        raise InvalidMessage("The payload of the message must be an object")
    if message_type not in {MessageType.SUBSCRIBE, MessageType.COMPLETE}:
        return ClientMessage(type=MessageType(message_type), payload=payload)
    identifier = message.get("id")
    if not isinstance(identifier, str) or not identifier:
        raise InvalidMessage("The id of the message must be a non-empty string")
    request = _parse_payload(payload) if message_type == MessageType.SUBSCRIBE else None
    return ClientMessage(type=MessageType(message_type), id=identifier, request=request)


def _parse_payload(payload: Mapping[str, object]) -> GraphQLRequest:
    if not isinstance(payload.get("query"), str):
        raise InvalidMessage("The query of the payload must be a string")
    try:
        return parse_request(payload)
    except errors.BadRequest as error:
        raise InvalidMessage(error.text) from error
