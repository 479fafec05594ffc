"""Custom fields of the registration form of an event (decisions 4.7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field, StrictBool
from tortoise.expressions import Subquery

from amarevents import errors
from amarevents.infra.pubsub import TicketChange
from amarevents.mail.templates import PLACEHOLDERS
from amarevents.models import CustomField, CustomValue, Event, Ticket
from amarevents.models.db.sql import is_in
from amarevents.models.enums import FieldType, TicketChangeKind
from amarevents.resolvers.core.ids import CustomFieldId, EventId
from amarevents.resolvers.core.inputs import Count, DeletedView, Id, Input, NotNull, RecordId, deleted
from amarevents.resolvers.core.locking import lock_in_order
from amarevents.resolvers.core.operation import Shared, operation
from amarevents.resolvers.core.pagination import Page, WholeListPaging, paginate
from amarevents.resolvers.core.permissions import get_visible_event, listed_event_ids, of_visible_events
from amarevents.resolvers.core.select import Part, Select, by_id
from amarevents.resolvers.core.sources import Source
from amarevents.resolvers.core.text_types import Label, Name
from amarevents.resolvers.events.ordering import edit_part, edit_parts, insert_part, reorder_parts
from amarevents.security.context import Context
from amarevents.security.policy import ORGANIZERS, PUBLIC, Scope, allow
from amarevents.text import fold

MAX_CUSTOM_FIELDS = 50
"""The maximum per event; custom fields are not paginated."""

MAX_OPTIONS = 200
"""The maximum of a custom field."""

_MAX_OPTION_CHARACTERS = 4_000  # of all options of a field, which are not paginated either
_WITH_OPTIONS = frozenset({FieldType.DROPDOWN, FieldType.RADIO, FieldType.CHECKBOX})


@dataclass(slots=True, kw_only=True)
class CustomFieldView:
    """A custom field of the registration form of an event."""

    id: RecordId
    """The ID of the custom field."""
    event_id: RecordId
    """The ID of the event."""
    name: str
    """The name of the field, unique for the event; neither case nor invisible characters make a difference."""
    type: FieldType
    """The type of the field."""
    options: list[str]
    """The options to choose from; empty for types without options."""
    required: bool
    """Whether registration requires an answer."""
    position: int
    """The position of the field in the form; fields are sorted by it in ascending order."""

    @classmethod
    def from_model(cls, field: CustomField) -> "CustomFieldView":
        return cls(
            id=RecordId(field.id),
            event_id=RecordId(field.event_id),
            name=field.name,
            type=field.type,
            options=list(field.options),
            required=field.required,
            position=field.position,
        )


_CUSTOM_FIELDS = Select(Source(CustomFieldView, "custom_fields"))
CUSTOM_FIELDS_OF_EVENT = Part(_CUSTOM_FIELDS.order_by("custom_fields.position", "custom_fields.id"), "event_id")
"""The custom fields of an event, in their order."""


async def load_custom_fields(ctx: Context, ids: Sequence[int]) -> dict[int, CustomFieldView]:
    """Return the custom fields of events that the caller may see, by ID, in one statement."""
    visible = of_visible_events(ctx, "custom_fields.event_id")
    return by_id(await _CUSTOM_FIELDS.where(is_in("custom_fields.id", ids), visible).fetch(ctx.fields))


async def load_custom_fields_of_events(ctx: Context, event_ids: Sequence[int]) -> dict[int, list[CustomFieldView]]:
    """Return the custom fields of events, in their order, by event ID, in one statement."""
    return await CUSTOM_FIELDS_OF_EVENT.rows.grouped_by("event_id", await listed_event_ids(ctx, event_ids), ctx.fields)


@operation(PUBLIC, raises=(errors.NotFound,), shared=Shared(models=(Event, CustomField)))
async def list_custom_fields(ctx: Context, id: EventId, data: WholeListPaging) -> Page[CustomFieldView]:
    """List the custom fields of an event, in their order."""
    await get_visible_event(ctx, id)
    found = await CUSTOM_FIELDS_OF_EVENT.rows.grouped_by("event_id", [id], ctx.fields)
    return paginate(found[id], data)


def _check_name(name: str) -> str:
    """Reject names that are ambiguous as keys of answers (decisions 6.5) or as placeholders (decisions 4.3)."""
    if fold(name).isdecimal():
        raise ValueError("must not be a number: answers can be keyed by the ID of a field")
    if "{" in name or "}" in name:
        raise ValueError("must not contain braces: they mark the placeholders of emails")
    if name in PLACEHOLDERS:
        raise ValueError(f"must not be {name}: it is a placeholder of emails")
    return name


def _check_options(options: list[str]) -> list[str]:
    if sum(map(len, options)) > _MAX_OPTION_CHARACTERS:
        raise ValueError(f"must have at most {_MAX_OPTION_CHARACTERS} characters in total")
    if len(set(map(fold, options))) < len(options):
        raise ValueError("must not contain duplicates")
    return options


FieldName = Annotated[Name, AfterValidator(_check_name)]
Options = Annotated[
    list[Annotated[Label, Field(min_length=1)]], Field(max_length=MAX_OPTIONS), AfterValidator(_check_options)
]


class CreateCustomField(Input):
    """Fields of the custom field to create."""

    event_id: Id
    """The ID of the event."""
    name: FieldName
    """The name of the field, unique for the event; neither case nor invisible characters make a difference."""
    type: FieldType
    """The type of the field."""
    options: Annotated[Options, Field(default_factory=list)]
    """The options to choose from: required for dropdowns and radio buttons, optional for checkboxes."""
    required: StrictBool = False
    """Whether registration requires an answer."""
    position: Count | None = None
    """The position to insert the field at, starting at 0; the fields from there on move by one. Defaults to the end."""


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE),
    creates=True,
    changes=(CustomField,),
    raises=(errors.NotFound, errors.Forbidden, errors.NameTaken, errors.TooManyCustomFields, errors.ValidationFailed),
)
async def create_custom_field(ctx: Context, data: CreateCustomField) -> CustomFieldView:
    """Add a custom field to the registration form of an event; existing tickets have no answer to it."""
    async with edit_parts(ctx, CustomField, data.event_id) as fields:
        _require_matching_options(data.type, data.options)
        _require_free_name(fields, data.name)
        if len(fields) >= MAX_CUSTOM_FIELDS:
            raise errors.TooManyCustomFields(MAX_CUSTOM_FIELDS)
        field = await insert_part(CustomField, fields, data, position=data.position)
    return CustomFieldView.from_model(field)


def _require_free_name(others: Sequence[CustomField], name: str) -> None:
    if fold(name) in {fold(other.name) for other in others}:
        raise errors.NameTaken("custom field of this event")


def _require_matching_options(field_type: FieldType, options: Sequence[str]) -> None:
    if options and field_type not in _WITH_OPTIONS:
        raise errors.ValidationFailed({"options": f"must be empty for fields of type {field_type}"})
    if not options and field_type in _WITH_OPTIONS - {FieldType.CHECKBOX}:
        raise errors.ValidationFailed({"options": f"must have at least 1 item for fields of type {field_type}"})


class UpdateCustomField(Input):
    """Fields of the custom field to update; omitted fields stay unchanged."""

    name: NotNull[FieldName] = None
    """The name of the field, unique for the event; neither case nor invisible characters make a difference."""
    type: NotNull[FieldType] = None
    """The type of the field; changing it to a type without options removes the options."""
    options: NotNull[Options] = None
    """The options to choose from: required for dropdowns and radio buttons, optional for checkboxes."""
    required: NotNull[StrictBool] = None
    """Whether registration requires an answer."""


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE),
    changes=(CustomField,),
    raises=(errors.NotFound, errors.Forbidden, errors.NameTaken, errors.ValidationFailed),
)
async def update_custom_field(ctx: Context, id: CustomFieldId, data: UpdateCustomField) -> CustomFieldView:
    """Update a custom field; existing answers stay unchanged."""
    async with edit_part(ctx, CustomField, id) as (field, others):
        if data.name is not None:
            _require_free_name(others, data.name)
        if changes := data.changed_fields():
            await _change(field, changes)
    return CustomFieldView.from_model(field)


async def _change(field: CustomField, changes: dict[str, object]) -> None:
    field.update_from_dict(changes)
    if field.type not in _WITH_OPTIONS and "options" not in changes:
        field.options = []
    _require_matching_options(field.type, field.options)
    await field.save(update_fields=["name", "type", "options", "required"])


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE), changes=(CustomField,), raises=(errors.NotFound, errors.Forbidden)
)
async def delete_custom_field(ctx: Context, id: CustomFieldId) -> DeletedView:
    """Delete a custom field with all answers to it."""
    async with edit_part(ctx, CustomField, id) as (field, _):
        # Deleting a ticket deletes its answers as well; both lock the tickets in the same order.
        answers = CustomValue.filter(field_id=id)
        answered = await lock_in_order(Ticket.filter(id__in=Subquery(answers.values("ticket_id"))))
        await field.delete()
        changes = (TicketChange(TicketChangeKind.UPDATED, ticket.id) for ticket in answered)
        ctx.record_change(field.event_id, *changes)
    return deleted(id)


class ReorderCustomFields(Input):
    """The new order of the custom fields of an event."""

    event_id: Id
    """The ID of the event."""
    ids: Annotated[list[Id], Field(max_length=MAX_CUSTOM_FIELDS)]
    """The IDs of all custom fields of the event, in the new order."""


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE),
    changes=(CustomField,),
    raises=(errors.NotFound, errors.Forbidden, errors.ValidationFailed),
)
async def reorder_custom_fields(ctx: Context, data: ReorderCustomFields) -> list[CustomFieldView]:
    """Reorder the custom fields of an event."""
    fields = await reorder_parts(ctx, CustomField, data.event_id, data.ids)
    return [CustomFieldView.from_model(field) for field in fields]
