"""GraphQL mutations for the custom fields and the gallery images of an event."""

_FIELD = "id eventId name type options required position"
CREATE_FIELD = (
    "mutation($input: CreateCustomFieldInput!, $key: String)"
    "{ createCustomField(input: $input, idempotencyKey: $key) { %s } }" % _FIELD
)
UPDATE_FIELD = (
    "mutation($id: ID!, $input: UpdateCustomFieldInput!) { updateCustomField(id: $id, input: $input) { %s } }" % _FIELD
)
DELETE_FIELD = "mutation($id: ID!) { deleteCustomField(id: $id) { id deleted } }"
REORDER_FIELDS = "mutation($input: ReorderCustomFieldsInput!) { reorderCustomFields(input: $input) { id position } }"

_IMAGE = "id eventId url caption position"
CREATE_IMAGE = (
    "mutation($input: CreateGalleryImageInput!, $key: String)"
    "{ createGalleryImage(input: $input, idempotencyKey: $key) { %s } }" % _IMAGE
)
UPDATE_IMAGE = (
    "mutation($id: ID!, $input: UpdateGalleryImageInput!){ updateGalleryImage(id: $id, input: $input) { %s } }" % _IMAGE
)
DELETE_IMAGE = "mutation($id: ID!) { deleteGalleryImage(id: $id) { id deleted } }"
REORDER_IMAGES = "mutation($input: ReorderGalleryInput!) { reorderGallery(input: $input) { id position } }"


def url(name: str) -> str:
    return f"https://example.com/{name}.png"
