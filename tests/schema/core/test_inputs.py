"""Strawberry inputs generated from Pydantic inputs: omitted fields, nulls, IDs and names."""

from decimal import Decimal

import pytest
import strawberry
from strawberry.types import get_object_definition

from amarevents.models.enums import KeyType, TicketStatus
from amarevents.resolvers.accounts.api_keys import CreateApiKey, UpdateApiKey
from amarevents.resolvers.core.descriptions import public_text
from amarevents.resolvers.core.inputs import Input
from amarevents.resolvers.events.mutations import CreateEvent
from amarevents.resolvers.events.ticket_types import CreateTicketType, TicketTypeInput
from amarevents.resolvers.tickets.registration import RegisterForEvent
from amarevents.resolvers.tickets.updates import UpdateTicket
from amarevents.resolvers.tickets.verification import VerifyTicket
from amarevents.schema.core.inputs import graphql_fields, input_class, parse_id, to_values
from amarevents.schema.schema import schema
from amarevents.security.policy import Scope
from tests.support.world import World


def test_unset_fields_are_dropped_and_nulls_are_kept() -> None:
    given = {"note": None, "name": strawberry.UNSET, "amount": Decimal("1.50")}
    assert to_values(UpdateTicket, given) == {"note": None, "amount": Decimal("1.50")}


def test_ids_become_integers_at_every_depth() -> None:
    given = vars(input_class(CreateEvent)(name="Fair", organization_id="7", ticket_types=[]))
    assert to_values(CreateEvent, given) == {"name": "Fair", "organization_id": 7, "ticket_types": []}
    assert to_values(RegisterForEvent, {"ticket_type_id": "8"}) == {"ticket_type_id": 8}
    assert to_values(RegisterForEvent, {"ticket_type_id": None}) == {"ticket_type_id": None}


@pytest.mark.parametrize("text", ["", "x", "-1", "1.0", "১২", "9" * 19])
def test_text_that_is_not_an_id_is_left_to_the_input_to_reject(text: str) -> None:
    assert parse_id(text) is None


def test_nested_inputs_become_plain_values() -> None:
    ticket_types = [
        input_class(TicketTypeInput)(name="Floor", price=Decimal(5)),
        input_class(TicketTypeInput)(name="Free"),
    ]
    expected = [{"name": "Floor", "price": Decimal(5)}, {"name": "Free"}]
    assert to_values(CreateEvent, {"ticket_types": ticket_types}) == {"ticket_types": expected}


def test_enums_arrive_as_members() -> None:
    given = {"key_type": KeyType.USER, "permissions": [Scope.EVENTS_READ]}
    assert to_values(CreateApiKey, given) == given
    assert to_values(UpdateTicket, {"status": TicketStatus.FAILED}) == {"status": TicketStatus.FAILED}


@pytest.mark.parametrize(
    ("input_type", "hidden"), [(RegisterForEvent, "transid"), (UpdateTicket, "transid"), (VerifyTicket, "ticket")]
)
def test_alternative_names_of_rest_are_hidden(input_type: type[Input], hidden: str) -> None:
    assert hidden in input_type.model_fields
    assert hidden not in graphql_fields(input_type)


@pytest.mark.parametrize("input_type", [CreateEvent, CreateTicketType, UpdateApiKey])
def test_input_type_has_the_name_and_description_of_its_input(input_type: type[Input]) -> None:
    definition = get_object_definition(input_class(input_type), strict=True)
    assert definition.name == f"{input_type.__name__}Input"
    assert definition.description == public_text(input_type.__doc__)


def test_input_class_is_created_once() -> None:
    assert input_class(CreateEvent) is input_class(CreateEvent)
    assert schema.as_str().count("input TicketTypeInput {") == 1


UPDATE = "mutation($id: ID!, $input: UpdateTicketInput!) { updateTicket(id: $id, input: $input) { name number note } }"


async def test_update_changes_only_the_given_fields_and_null_clears_them(world: World) -> None:
    owner = await world.organizer_key()
    assert owner.user
    ticket = await world.ticket(await world.event(owner.user), await world.user(), number="01711111111", note="Aisle")
    answer = await owner.graphql(UPDATE, id=ticket.id, input={"number": None})
    assert answer["data"]["updateTicket"] == {"name": ticket.name, "number": None, "note": "Aisle"}


async def test_variable_without_a_value_is_omitted(world: World) -> None:
    owner = await world.organizer_key()
    assert owner.user
    ticket = await world.ticket(await world.event(owner.user), await world.user(), note="Aisle")
    query = (
        "mutation($id: ID!, $note: String, $name: String)"
        "{ updateTicket(id: $id, input: {note: $note, name: $name}) { name note } }"
    )
    answer = await owner.graphql(query, id=ticket.id, name="Rima")
    assert answer["data"]["updateTicket"] == {"name": "Rima", "note": "Aisle"}
