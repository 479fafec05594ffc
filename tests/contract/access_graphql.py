"""Rows of the access table: operations that only GraphQL has (decisions 2.3c, 3.8, 4.7, 5.2, 9.3).

Typed from decisions 2.6, 4.1 and 6.9. GraphQL answers a successful creation with 200, never with 201.
"""

from tests.contract import access_check_ins
from tests.contract.access import (
    ACCOUNT,
    ADMIN,
    ADMINS,
    HIDDEN,
    ORGANIZERS,
    OWNER,
    PUBLIC_READ,
    USERS,
    Row,
    graphql_row,
)


def _of_event(document: str, statuses: str) -> Row:
    return graphql_row(f"mutation {{ {document} }}", statuses, "events:write", ORGANIZERS)


def _for_admins(document: str) -> Row:
    return graphql_row(document, ADMIN, "admin", ADMINS)


_CUSTOM_FIELDS = (
    _of_event('createCustomField(input: {eventId: $event, name: "Size $unique", type: TEXT}) { id }', OWNER),
    _of_event('createCustomField(input: {eventId: $secret, name: "Size $unique", type: TEXT}) { id }', HIDDEN),
    _of_event("updateCustomField(id: $spare_field, input: {required: true}) { id }", OWNER),
    _of_event("updateCustomField(id: $secret_field, input: {required: true}) { id }", HIDDEN),
    _of_event("deleteCustomField(id: $spare_field) { deleted }", OWNER),
    _of_event("deleteCustomField(id: $secret_field) { deleted }", HIDDEN),
    _of_event("reorderCustomFields(input: {eventId: $event, ids: [$reversed_fields]}) { id }", OWNER),
    _of_event("reorderCustomFields(input: {eventId: $secret, ids: [$reversed_secret_fields]}) { id }", HIDDEN),
)
_COPIES = (
    _of_event('duplicateEvent(id: $event, input: {name: "Copy"}) { id }', OWNER),
    _of_event('duplicateEvent(id: $secret, input: {name: "Copy"}) { id }', HIDDEN),
)
_GALLERY = (
    _of_event('createGalleryImage(input: {eventId: $event, url: "https://example.com/1.png"}) { id }', OWNER),
    _of_event('createGalleryImage(input: {eventId: $secret, url: "https://example.com/1.png"}) { id }', HIDDEN),
    _of_event('updateGalleryImage(id: $spare_image, input: {caption: "Stage"}) { id }', OWNER),
    _of_event('updateGalleryImage(id: $secret_image, input: {caption: "Stage"}) { id }', HIDDEN),
    _of_event("deleteGalleryImage(id: $spare_image) { deleted }", OWNER),
    _of_event("deleteGalleryImage(id: $secret_image) { deleted }", HIDDEN),
    _of_event("reorderGallery(input: {eventId: $event, ids: [$reversed_images]}) { id }", OWNER),
    _of_event("reorderGallery(input: {eventId: $secret, ids: [$reversed_secret_images]}) { id }", HIDDEN),
)
_CURSORS = (
    Row("", "", "", "{ eventsConnection { edges { node { id } } } }", PUBLIC_READ),
    graphql_row("{ ticketsConnection { edges { node { id } } } }", ACCOUNT, "tickets:read", USERS),
    graphql_row("{ ticketsConnection(eventId: $event) { edges { node { id } } } }", OWNER, "tickets:read", ORGANIZERS),
)
_PLANS = (
    _for_admins('mutation { createPlan(input: {name: "Plan $unique"}) { id } }'),
    _for_admins('mutation { updatePlan(id: $spare_plan, input: {price: "50"}) { id } }'),
    _for_admins("mutation { deletePlan(id: $spare_plan) { deleted } }"),
)
_PUBLIC = (
    Row("", "", "", "{ rateLimit { remaining } }", PUBLIC_READ),
    Row("", "", "", 'mutation { requestPasswordReset(email: "unknown@example.com") { requested } }', PUBLIC_READ),
    Row("", "", "", 'mutation { resetPassword(token: "$reset_token", password: "secret456") { reset } }', PUBLIC_READ),
)

ONLY_GRAPHQL_ROWS = (
    *_PUBLIC,
    _for_admins("{ outbox { items { id } } }"),
    *_COPIES,
    *_CUSTOM_FIELDS,
    *_GALLERY,
    *_PLANS,
    *_CURSORS,
    *access_check_ins.ROWS,
)
