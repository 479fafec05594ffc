"""Custom fields: what registration asks beside name and email (decisions 4.7)."""

from dataclasses import dataclass

from amarevents.models import CustomField
from amarevents.models.enums import FieldType
from amarevents.resolvers.base import Context, RecordId
from amarevents.resolvers.operation import operation
from amarevents.resolvers.ownership import get_visible_event
from amarevents.security.policy import PUBLIC


@dataclass(slots=True, kw_only=True)
class CustomFieldView:
    """A question that registration asks (decisions 4.7)."""

    id: RecordId
    event_id: RecordId
    name: str
    type: FieldType
    options: list[str]
    required: bool
    position: int


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


@operation(PUBLIC)
async def list_custom_fields(ctx: Context, id: int) -> list[CustomFieldView]:
    """What registration for an event asks, in the order of asking. Raises NotFound."""
    event = await get_visible_event(ctx, id)
    return [custom_field_view(row) for row in await CustomField.filter(event_id=event.id).order_by("position", "id")]
