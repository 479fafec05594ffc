"""Custom fields: what registration asks beside name and email (decisions 4.7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StrictBool
from tortoise.expressions import Subquery
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.infra.pubsub import TicketChange
from amarevents.mail.templates import PLACEHOLDERS
from amarevents.models import CustomField, CustomValue, Ticket
from amarevents.models.enums import FieldType, TicketChangeKind
from amarevents.resolvers.core.ids import CustomFieldId, EventId
from amarevents.resolvers.core.inputs import Count, DeletedView, Id, Input, Name, NotNull, RecordId, ShortText, deleted
from amarevents.resolvers.core.locking import lock_in_order
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.permissions import get_visible_event, require_event_manager, require_part_manager
from amarevents.resolvers.core.search import fold
from amarevents.resolvers.events.ordering import lock_parts, make_room, pick_part, put_in_order
from amarevents.security.context import Context
from amarevents.security.policy import ORGANIZERS, PUBLIC, Scope, allow

MAX_CUSTOM_FIELDS = 50
"""How many an event may have; all of them are shown with it."""

_MAX_OPTIONS = 200
_MAX_OPTION_CHARACTERS = 4_000  # of a field's options together, for the same reason
_WITH_OPTIONS = frozenset({FieldType.DROPDOWN, FieldType.RADIO, FieldType.CHECKBOX})


@dataclass(slots=True, kw_only=True)
class CustomFieldView:
    """A question that registration asks (decisions 4.7)."""

    id: RecordId
    """The integer that names it in paths and in other fields."""
    event_id: RecordId
    """The id of the event."""
    name: str
    """The name that people read."""
    type: FieldType
    """How the answer is asked for and checked."""
    options: list[str]
    """The answers to choose from; empty where the answer is free."""
    required: bool
    """Whether registration is refused without an answer."""
    position: int
    """Its place in the order, lowest first."""


def custom_field_view(field: CustomField) -> CustomFieldView:
    return CustomFieldView(
        id=RecordId(field.id),
        event_id=RecordId(field.event_id),
        name=field.name,
        type=field.type,
        options=list(field.options),
        required=field.required,
        position=field.position,
    )


@operation(PUBLIC, raises=(errors.NotFound,))
async def list_custom_fields(ctx: Context, id: EventId) -> list[CustomFieldView]:
    """What registration for an event asks, in the order of asking."""
    event = await get_visible_event(ctx, id)
    return [custom_field_view(row) for row in await CustomField.filter(event_id=event.id).order_by("position", "id")]


def _usable_name(name: str) -> str:
    """Answers are keyed by a field's name or id (decisions 6.5), and mails have it in braces (decisions 4.3)."""
    if name.isascii() and name.isdecimal():
        raise ValueError("must not be a number: answers may be keyed by a field's id")
    if "{" in name or "}" in name:
        raise ValueError("must not contain braces: mails put them around it")
    if name in PLACEHOLDERS:
        raise ValueError(f"must not be {name}: mails say something else in its place")
    return name


def _distinct(options: list[str]) -> list[str]:
    if len(set(options)) < len(options):
        raise ValueError("must not name an option twice")
    if sum(map(len, options)) > _MAX_OPTION_CHARACTERS:
        raise ValueError(f"must have at most {_MAX_OPTION_CHARACTERS} characters together")
    return options


FieldName = Annotated[Name, AfterValidator(_usable_name)]
Options = Annotated[
    list[Annotated[ShortText, Field(min_length=1)]], Field(max_length=_MAX_OPTIONS), AfterValidator(_distinct)
]


class CreateCustomField(Input):
    """A further question of an event.

    ``options`` are what a dropdown or radio offers and must have; a checkbox may have them, without it is a single box.
    ``position`` counts from 0: those from there on move by one; without it the question comes last.
    """

    event_id: Id
    """The id of the event."""
    name: FieldName
    """The name that people read."""
    type: FieldType
    """How the answer is asked for and checked."""
    options: Annotated[Options, Field(default_factory=list)]
    """The answers to choose from; empty where the answer is free."""
    required: StrictBool = False
    """Whether registration is refused without an answer."""
    position: Count | None = None
    """Its place in the order, lowest first."""


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE),
    creates=True,
    raises=(errors.NotFound, errors.Forbidden, errors.NameTaken, errors.TooManyCustomFields, errors.ValidationFailed),
)
async def create_custom_field(ctx: Context, data: CreateCustomField) -> CustomFieldView:
    """Have registration for an event ask one thing more; who has registered already is not asked."""
    await require_event_manager(ctx, data.event_id)
    _require_fitting(data.type, data.options)
    async with in_transaction():
        fields = await lock_parts(CustomField, data.event_id)
        _require_free(fields, data.name)
        if len(fields) >= MAX_CUSTOM_FIELDS:
            raise errors.TooManyCustomFields(MAX_CUSTOM_FIELDS)
        position = await make_room(fields, data.position)
        field = await CustomField.create(**data.model_dump(exclude={"position"}), position=position)
    return custom_field_view(field)


def _require_free(others: Sequence[CustomField], name: str) -> None:
    """Regardless of case, as people read names."""
    if fold(name) in {fold(other.name) for other in others}:
        raise errors.NameTaken("custom field of this event")


def _require_fitting(field_type: FieldType, options: Sequence[str]) -> None:
    if options and field_type not in _WITH_OPTIONS:
        raise errors.ValidationFailed({"options": f"a field of type {field_type} has none"})
    if not options and field_type in _WITH_OPTIONS - {FieldType.CHECKBOX}:
        raise errors.ValidationFailed({"options": f"a field of type {field_type} needs at least one"})


class UpdateCustomField(Input):
    """What of a question can change. ``options`` go by themselves with a type that has none."""

    name: NotNull[FieldName] = None
    """The name that people read."""
    type: NotNull[FieldType] = None
    """How the answer is asked for and checked."""
    options: NotNull[Options] = None
    """The answers to choose from; empty where the answer is free."""
    required: NotNull[StrictBool] = None
    """Whether registration is refused without an answer."""


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE),
    raises=(errors.NotFound, errors.Forbidden, errors.NameTaken, errors.ValidationFailed),
)
async def update_custom_field(ctx: Context, id: CustomFieldId, data: UpdateCustomField) -> CustomFieldView:
    """Change what is sent of a question. Answers that were given before stay as they are."""
    event_id = (await require_part_manager(ctx, CustomField, id)).event_id
    async with in_transaction():
        fields = await lock_parts(CustomField, event_id)
        field = pick_part(fields, id, "Custom field")
        if data.name is not None:
            _require_free([other for other in fields if other.id != id], data.name)
        if changes := data.changed_fields():
            await _change(field, changes)
    return custom_field_view(field)


async def _change(field: CustomField, changes: dict[str, Any]) -> None:  # Any: each column's own type
    field.update_from_dict(changes)
    if field.type not in _WITH_OPTIONS and "options" not in changes:
        field.options = []
    _require_fitting(field.type, field.options)
    await field.save(update_fields=["name", "type", "options", "required"])


@operation(allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE), raises=(errors.NotFound, errors.Forbidden))
async def delete_custom_field(ctx: Context, id: CustomFieldId) -> DeletedView:
    """Delete a question for good, with all answers to it."""
    event_id = (await require_part_manager(ctx, CustomField, id)).event_id
    async with in_transaction():
        pick_part(await lock_parts(CustomField, event_id), id, "Custom field")
        # Whoever deletes tickets deletes answers as well, and locks the tickets in this order.
        answers = CustomValue.filter(field_id=id)
        answered = await lock_in_order(Ticket.filter(id__in=Subquery(answers.values("ticket_id"))))
        await CustomField.filter(id=id).delete()
        ctx.record_change(event_id, *(TicketChange(TicketChangeKind.UPDATED, ticket.id) for ticket in answered))
    return deleted(id)


class ReorderCustomFields(Input):
    """``ids``: those of all the event's custom fields, each once, in the order that they are to have."""

    event_id: Id
    """The id of the event."""
    ids: Annotated[list[Id], Field(max_length=MAX_CUSTOM_FIELDS)]
    """All of the event's, each once, in their new order."""


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE), raises=(errors.NotFound, errors.Forbidden, errors.ValidationFailed)
)
async def reorder_custom_fields(ctx: Context, data: ReorderCustomFields) -> list[CustomFieldView]:
    """Change the order in which an event's questions are asked."""
    await require_event_manager(ctx, data.event_id)
    async with in_transaction():
        fields = await put_in_order(await lock_parts(CustomField, data.event_id), data.ids)
    return [custom_field_view(field) for field in fields]
