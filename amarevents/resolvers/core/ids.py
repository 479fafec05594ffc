"""The IDs that operations take, each with the description that both surfaces show."""

from typing import Annotated

from typing_extensions import Doc

ApiKeyId = Annotated[int, Doc("The ID of the API key.")]
CustomFieldId = Annotated[int, Doc("The ID of the custom field.")]
DonationId = Annotated[int, Doc("The ID of the donation.")]
EventId = Annotated[int, Doc("The ID of the event.")]
GalleryImageId = Annotated[int, Doc("The ID of the gallery image.")]
OrganizationId = Annotated[int, Doc("The ID of the organization.")]
PlanId = Annotated[int, Doc("The ID of the plan.")]
TicketId = Annotated[int, Doc("The ID of the ticket.")]
TicketTypeId = Annotated[int, Doc("The ID of the ticket type.")]
UserId = Annotated[int, Doc("The ID of the account.")]
