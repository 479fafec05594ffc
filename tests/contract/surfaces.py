"""One interface of the platform for the journeys, implemented over REST and over GraphQL with Python values."""

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Protocol

import httpx
from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.async_transport import AsyncTransport
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from starlette.applications import Starlette

from tests.contract.operations import camel
from tests.support.world import Caller

# Any throughout: JSON.

Values = dict[str, Any]

_MONEY = {"price", "amount", "due"}


class Refused(Exception):
    """A refusal, with the error code and the status that both surfaces share."""

    def __init__(self, code: str, status: int) -> None:
        self.code, self.status = code, status
        super().__init__(f"{status} {code}")


class Surface(Protocol):
    """The operations that journeys use. Answers have the field names of REST; money is Decimal. They raise Refused."""

    async def publish(self, event: Values) -> Values:
        """Create an event and return it with its ticket types."""

    async def events(self, search: str) -> list[Values]: ...

    async def add_ticket_type(self, ticket_type: Values) -> Values: ...

    async def ticket_types(self, event_id: int) -> list[Values]: ...

    async def register(self, ticket: Values) -> Values: ...

    async def tickets(self, **filters: Any) -> list[Values]: ...

    async def ticket(self, ticket_id: int) -> Values: ...

    async def update_ticket(self, ticket_id: int, changes: Values) -> Values: ...

    async def delete_ticket(self, ticket_id: int) -> Values: ...

    async def donate(self, donation: Values) -> Values: ...

    async def decide_donation(self, donation_id: int, status: str) -> Values: ...

    async def verify(self, reference: int | str) -> Values:
        """Verify a ticket by its ID or its code."""


class RestSurface:
    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def publish(self, event: Values) -> Values:
        return _unwrap(await self._caller.post("/events", _to_json(event)))

    async def events(self, search: str) -> list[Values]:
        return _unwrap_list(await self._caller.get("/events", search=search))

    async def add_ticket_type(self, ticket_type: Values) -> Values:
        return _unwrap(await self._caller.post("/ticket-types", _to_json(ticket_type)))

    async def ticket_types(self, event_id: int) -> list[Values]:
        return _unwrap_list(await self._caller.get("/ticket-types", event_id=event_id))

    async def register(self, ticket: Values) -> Values:
        return _unwrap(await self._caller.post("/tickets", _to_json(ticket)))

    async def tickets(self, **filters: Any) -> list[Values]:
        return _unwrap_list(await self._caller.get("/tickets", **filters))

    async def ticket(self, ticket_id: int) -> Values:
        return _unwrap(await self._caller.get(f"/tickets/{ticket_id}"))

    async def update_ticket(self, ticket_id: int, changes: Values) -> Values:
        return _unwrap(await self._caller.put(f"/tickets/{ticket_id}", _to_json(changes)))

    async def delete_ticket(self, ticket_id: int) -> Values:
        return _unwrap(await self._caller.delete(f"/tickets/{ticket_id}"))

    async def donate(self, donation: Values) -> Values:
        return _unwrap(await self._caller.post("/donations", donation))

    async def decide_donation(self, donation_id: int, status: str) -> Values:
        return _unwrap(await self._caller.put(f"/donations/{donation_id}", {"status": status}))

    async def verify(self, reference: int | str) -> Values:
        return _unwrap(await self._caller.post(f"/tickets/{reference}/verify"))


def _to_json(value: Any) -> Any:
    """Return the value as JSON has it: money as a number, dates as text."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: _to_json(part) for name, part in value.items()}
    return [_to_json(part) for part in value] if isinstance(value, list) else value


def _answer(response: httpx.Response) -> Any:
    body = response.json()
    if not body["success"]:
        raise Refused(body["code"], response.status_code)
    return body["data"]


def _unwrap(response: httpx.Response) -> Values:
    values: Values = _with_money(_answer(response))
    return values


def _unwrap_list(response: httpx.Response) -> list[Values]:
    return [_with_money(item) for item in _answer(response)]


def _with_money(values: Any) -> Any:
    if isinstance(values, list):
        return [_with_money(value) for value in values]
    if not isinstance(values, dict):
        return values
    return {name: Decimal(str(value)) if name in _MONEY else _with_money(value) for name, value in values.items()}


_TYPE = "id event_id: eventId name price capacity sold available is_available: isAvailable"
_TICKET = (
    "id code event_id: eventId event_name: eventName ticket_type_id: ticketTypeId name email amount due status "
    "transaction_id: transactionId payment_method: paymentMethod note"
)
_DONATION = "id amount transaction_id: transactionId organization_id: organizationId status"
_ANSWERS = "custom_fields: customFields { field_id: fieldId name value values }"
_EVENT = f"id name date category privacy registration_open: registrationOpen ticket_types: ticketTypes {{ {_TYPE} }}"
_VERIFICATION = "ticket_id: ticketId name email status event event_date: eventDate valid reason"


class GraphQLSurface:
    """The operations over GraphQL. Subclasses send the documents; aliases give answers the field names of REST."""

    async def execute(self, document: str, variables: Values) -> Values:
        raise NotImplementedError

    async def publish(self, event: Values) -> Values:
        return await self._one(
            "mutation", f"createEvent(input: $input) {{ {_EVENT} }}", input=("CreateEventInput", event)
        )

    async def events(self, search: str) -> list[Values]:
        page = await self._one(
            "query", f"events(search: $search) {{ items {{ {_EVENT} }} }}", search=("String", search)
        )
        return list(page["items"])

    async def add_ticket_type(self, ticket_type: Values) -> Values:
        field = f"createTicketType(input: $input) {{ {_TYPE} }}"
        return await self._one("mutation", field, input=("CreateTicketTypeInput", ticket_type))

    async def ticket_types(self, event_id: int) -> list[Values]:
        return list(await self._ask("query", f"ticketTypes(eventId: $id) {{ {_TYPE} }}", id=("ID", event_id)))

    async def register(self, ticket: Values) -> Values:
        field = f"registerForEvent(input: $input) {{ {_TICKET} {_ANSWERS} }}"
        return await self._one("mutation", field, input=("RegisterForEventInput", ticket))

    async def tickets(self, **filters: Any) -> list[Values]:
        kinds = {"event_id": "ID", "status": "TicketStatus"}
        given = {name: (kinds[name], value) for name, value in filters.items()}
        arguments = ", ".join(f"{camel(name)}: ${name}" for name in given)
        field = f"tickets{f'({arguments})' if arguments else ''} {{ items {{ {_TICKET} }} }}"
        return list((await self._one("query", field, **given))["items"])

    async def ticket(self, ticket_id: int) -> Values:
        return await self._one("query", f"ticket(id: $id) {{ {_TICKET} {_ANSWERS} }}", id=("ID", ticket_id))

    async def update_ticket(self, ticket_id: int, changes: Values) -> Values:
        field = f"updateTicket(id: $id, input: $input) {{ {_TICKET} {_ANSWERS} }}"
        return await self._one("mutation", field, id=("ID", ticket_id), input=("UpdateTicketInput", changes))

    async def delete_ticket(self, ticket_id: int) -> Values:
        return await self._one("mutation", "deleteTicket(id: $id) { id deleted }", id=("ID", ticket_id))

    async def donate(self, donation: Values) -> Values:
        field = f"submitDonation(input: $input) {{ {_DONATION} }}"
        return await self._one("mutation", field, input=("SubmitDonationInput", donation))

    async def decide_donation(self, donation_id: int, status: str) -> Values:
        field = f"updateDonation(id: $id, input: $input) {{ {_DONATION} }}"
        return await self._one(
            "mutation", field, id=("ID", donation_id), input=("UpdateDonationInput", {"status": status})
        )

    async def verify(self, reference: int | str) -> Values:
        name, kind = ("id", "ID") if isinstance(reference, int) else ("code", "String")
        return await self._one("query", f"verifyTicket({name}: $it) {{ {_VERIFICATION} }}", it=(kind, reference))

    async def _one(self, operation: str, field: str, **given: tuple[str, Any]) -> Values:
        answer: Values = await self._ask(operation, field, **given)
        return answer

    async def _ask(self, operation: str, field: str, **given: tuple[str, Any]) -> Any:
        """Execute one field; ``given`` has the type and the value of each variable."""
        declared = ", ".join(f"${name}: {kind}!" for name, (kind, _) in given.items())
        document = f"{operation}{f'({declared})' if declared else ''} {{ {field} }}"
        data = await self.execute(document, {name: _to_graphql(name, value) for name, (_, value) in given.items()})
        [answer] = data.values()
        return _from_graphql("", answer)


_ENUMS = {"status", "category", "privacy", "payment_method", "type"}
_IDS = {"id", "event_id", "organization_id", "ticket_type_id", "ticket_id", "field_id"}
_AS_REST_SHOWS = {"status": str.capitalize, "category": str.capitalize}


def _to_graphql(name: str, value: Any) -> Any:
    """Return the value for GraphQL: enums in upper case, money as text, camelCase names unless callers chose them."""
    if isinstance(value, Mapping):
        named = name == "custom_fields"
        return {part if named else camel(part): _to_graphql(part, inner) for part, inner in value.items()}
    if isinstance(value, list):
        return [_to_graphql(name, part) for part in value]
    if isinstance(value, Decimal | datetime.date):
        return str(value)
    return value.upper() if name in _ENUMS and isinstance(value, str) else value


def _from_graphql(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {part: _from_graphql(part, inner) for part, inner in value.items()}
    if isinstance(value, list):
        return [_from_graphql(name, part) for part in value]
    if value is None:
        return None
    if name in _IDS:
        return int(value)
    if name in _MONEY:
        return Decimal(value)
    return _AS_REST_SHOWS.get(name, str.lower)(value) if name in _ENUMS else value


class SessionSurface(GraphQLSurface):
    """GraphQL as the pages of the platform use it: JSON by POST, authenticated with the session cookie."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def execute(self, document: str, variables: Values) -> Values:
        answer = await self._caller.graphql(document, **variables)
        if failures := answer.get("errors"):
            raise Refused(failures[0]["extensions"]["code"], failures[0]["extensions"]["status"])
        data: Values = answer["data"]
        return data


class GqlSurface(GraphQLSurface):
    """The ``gql`` client, which validates every document against the introspected schema."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._client = Client(transport=transport, fetch_schema_from_transport=True)

    async def execute(self, document: str, variables: Values) -> Values:
        request = gql(document)
        request.variable_values = variables
        try:
            return await self._client.execute_async(request)
        except TransportQueryError as refusal:
            [failure] = refusal.errors or [{}]
            raise Refused(failure["extensions"]["code"], failure["extensions"]["status"]) from refusal


def in_process(app: Starlette, caller: Caller) -> AsyncTransport:
    """Return a transport that calls the application without a socket."""
    return HTTPXAsyncTransport(
        "http://testserver/graphql", transport=httpx.ASGITransport(app=app), headers=caller.headers
    )


def over_http(address: str, caller: Caller) -> AsyncTransport:
    return AIOHTTPTransport(f"http://{address}/graphql", headers=caller.headers)
