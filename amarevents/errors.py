"""The error table: every error that callers can see, as a class with its code, HTTP status and message.

The error statuses are the seven of the contract, and 503 of an overloaded process (decisions 1.4); ``code`` identifies
the error. REST answers with the envelope of decisions 1.3, and GraphQL has the same ``code``, ``status`` and ``fields``
in ``extensions``.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

_DEFAULT_RETRY_AFTER = 5  # seconds, where the end of the limitation is not known
_MAX_LISTED_PROBLEMS = 3  # in the message of a validation error; ``fields`` has all of them


class AmarEventsError(Exception):
    """An error with a message for the caller. Subclasses define ``code`` and ``status``.

    ``retry_after`` is the number of seconds, at least 1, after which the request can be repeated; None if a repetition
    does not help.
    """

    code: ClassVar[str] = "INTERNAL"
    status: ClassVar[int] = 500
    message: ClassVar[str] = "Internal error; quote the X-Request-ID when you report it"
    retry_after: int | None = None

    def __init__(self, message: str | None = None, *, fields: Mapping[str, str] | None = None) -> None:
        self.text = message or self.message
        self.fields = dict(fields or {})
        super().__init__(self.text)


class OperatorError(Exception):
    """A failure of a command or of the deployment; the message says to the operator what is wrong and what to do."""


# 500 ------------------------------------------------------------------------------------------------------------


class InternalError(AmarEventsError):
    """An unexpected exception. Its cause is logged with the request ID, and never sent to the caller."""


class TemporarilyUnavailable(AmarEventsError):
    """The database is unavailable or overloaded, which is 500. Decisions 1.4 reserve 503 for an overloaded process."""

    code = "UNAVAILABLE"
    message = "The service is temporarily unavailable; try again in a moment"


class UpdatesMissed(AmarEventsError):
    """A subscription lost updates, because its client was too slow or Redis was unavailable."""

    code = "UPDATES_MISSED"
    message = "Updates may have been missed; subscribe again and reload the data"


class OperationTimedOut(AmarEventsError):
    """A GraphQL operation exceeded its time limit. Its changes may have been made nevertheless."""

    code = "TIMEOUT"
    message = "The operation took too long; request less data at once"


# 400 ------------------------------------------------------------------------------------------------------------


class BadRequest(AmarEventsError):
    """The request cannot be processed as it was sent."""

    code = "BAD_REQUEST"
    status = 400
    message = "The request cannot be processed"


class ValidationFailed(BadRequest):
    """Fields are missing, unknown or not valid; ``fields`` says what is wrong with each."""

    code = "VALIDATION_ERROR"

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(self.summary(fields), fields=fields)

    @staticmethod
    def summary(fields: Mapping[str, str]) -> str:
        """Return a one-line message with the first problems."""
        listed = "; ".join(f"{name}: {problem}" for name, problem in list(fields.items())[:_MAX_LISTED_PROBLEMS])
        more = f" (and {len(fields) - _MAX_LISTED_PROBLEMS} more)" if len(fields) > _MAX_LISTED_PROBLEMS else ""
        return f"Invalid input: {listed}{more}"


class MalformedJson(BadRequest):
    code = "MALFORMED_JSON"
    message = "The request body is not valid JSON"


class UnsupportedMediaType(BadRequest):
    code = "UNSUPPORTED_MEDIA_TYPE"
    message = "The request body must be JSON with Content-Type: application/json"


class NotAcceptable(BadRequest):
    code = "NOT_ACCEPTABLE"
    message = "Responses are JSON in UTF-8; the Accept header must allow application/json"


class BodyTooLarge(BadRequest):
    code = "BODY_TOO_LARGE"
    message = "The request body is too large"


class UsernameTaken(BadRequest):
    code = "USERNAME_TAKEN"
    message = "This username is already taken"

    def __init__(self) -> None:
        super().__init__(fields={"username": self.message})


class EmailTaken(BadRequest):
    code = "EMAIL_TAKEN"
    message = "An account with this email already exists"

    def __init__(self) -> None:
        super().__init__(fields={"email": self.message})


class SoldOut(BadRequest):
    """The ticket type has no places left (decisions 6.2)."""

    code = "SOLD_OUT"
    message = "This ticket type is sold out"


class TooManyPlaces(BadRequest):
    """One account can hold only so many places of an event (decisions 6.2a)."""

    code = "TOO_MANY_PLACES"

    def __init__(self, limit: int) -> None:
        noun = "place" if limit == 1 else "places"
        super().__init__(f"An account can hold at most {limit} {noun} of this event; ask the organizer for more")


class TicketExpired(BadRequest):
    """The ticket was not paid in time and has lost its place (decisions 6.2a)."""

    code = "TICKET_EXPIRED"
    message = (
        "This ticket was not paid in time, so its place is no longer reserved; register again, or ask the organizer "
        "if you have already paid"
    )


class CapacityTooLow(BadRequest):
    """The capacity cannot be lower than the number of places taken (decisions 6.2)."""

    code = "CAPACITY_TOO_LOW"

    def __init__(self, taken: int) -> None:
        message = f"Capacity cannot be lower than the {taken} places already taken"
        super().__init__(message, fields={"capacity": message})


class HasApprovedTickets(BadRequest):
    """A ticket type with approved tickets cannot be deleted (decisions 6.3)."""

    code = "HAS_APPROVED_TICKETS"
    message = "This ticket type has approved tickets; refund or delete them first"


class LastTicketType(BadRequest):
    """Without a ticket type, an event with tickets would become free and unlimited (decisions 6.3)."""

    code = "LAST_TICKET_TYPE"
    message = "The last ticket type of an event with tickets cannot be deleted; create another one first"


class RegistrationClosed(BadRequest):
    code = "REGISTRATION_CLOSED"
    message = "Registration for this event is closed"


class AmountDiffers(BadRequest):
    """The amount paid is not what is due; several payments are approved only if that is accepted (decisions 6.1)."""

    code = "AMOUNT_DIFFERS"

    def __init__(self, amount: object, due: object) -> None:
        super().__init__(f"The amount is {amount} taka, but {due} taka are due; accept the difference to approve it")


class DuplicateTransaction(BadRequest):
    """A transaction ID pays for one ticket or one donation of an organization (decisions 6.6)."""

    code = "DUPLICATE_TRANSACTION"
    message = "This transaction ID has already been used for another ticket or donation"

    def __init__(self) -> None:
        super().__init__(fields={"transaction_id": self.message})


class TicketNotValid(BadRequest):
    """Only approved tickets are valid for entry (decisions 6.10)."""

    code = "TICKET_NOT_VALID"

    def __init__(self, status: str) -> None:
        super().__init__(f"Ticket is not valid for entry (status: {status})")


class WrongEvent(BadRequest):
    """A ticket is valid for its own event alone (decisions 6.10)."""

    code = "WRONG_EVENT"

    def __init__(self, event: str) -> None:
        super().__init__(f"Ticket is for another event: {event}")


class ScanMismatch(BadRequest):
    """A scan ID identifies one scan of one ticket."""

    code = "SCAN_MISMATCH"
    message = "This scanId has been used for another ticket of the event; use a new one for each scan"

    def __init__(self) -> None:
        super().__init__(fields={"scan_id": self.message})


class ScanUndone(BadRequest):
    """The retry of a scan does not check in a ticket whose check-in has been undone since."""

    code = "SCAN_UNDONE"
    message = "The check-in of this scan has been undone; scan the ticket again with a new scanId"


class NotCheckedIn(BadRequest):
    code = "NOT_CHECKED_IN"
    message = "This ticket is not checked in"


class NotPending(BadRequest):
    """A payment can be entered and decided while it is pending; later changes update the ticket (decisions 6.1)."""

    code = "NOT_PENDING"

    def __init__(self, status: str) -> None:
        super().__init__(f"The payment for this ticket is not pending (status of the ticket: {status})")


class LastAdmin(BadRequest):
    """The platform always has at least one admin (decisions 8.6)."""

    code = "LAST_ADMIN"
    message = "This is the last admin; make another account an admin first"


class OwnAccount(BadRequest):
    """Admins cannot delete their own account (decisions 8.6)."""

    code = "OWN_ACCOUNT"
    message = "Admins cannot delete their own account; ask another admin"


class TooManyTicketTypes(BadRequest):
    code = "TOO_MANY_TICKET_TYPES"

    def __init__(self, limit: int) -> None:
        super().__init__(f"An event can have at most {limit} ticket types")


class TooManyCustomFields(BadRequest):
    code = "TOO_MANY_CUSTOM_FIELDS"

    def __init__(self, limit: int) -> None:
        super().__init__(f"An event can have at most {limit} custom fields")


class TooManyGalleryImages(BadRequest):
    code = "TOO_MANY_GALLERY_IMAGES"

    def __init__(self, limit: int) -> None:
        super().__init__(f"An event can have at most {limit} gallery images")


class NameTaken(BadRequest):
    """The name must be unique, regardless of case."""

    code = "NAME_TAKEN"

    def __init__(self, what: str) -> None:
        message = f"A {what} with this name already exists"
        super().__init__(message, fields={"name": message})


class PlanInUse(BadRequest):
    code = "PLAN_IN_USE"
    message = "Organizations use this plan; move them to another plan first"


class DefaultPlan(BadRequest):
    """The plan of new organizations, which is found by its name (decisions 5.2)."""

    code = "DEFAULT_PLAN"
    message = "The default plan of new organizations cannot be deleted or renamed"


class KeyIsRevoked(BadRequest):
    code = "KEY_REVOKED"
    message = "A revoked API key cannot be changed; create a new one"


class TooManyKeys(BadRequest):
    code = "TOO_MANY_KEYS"

    def __init__(self, limit: int) -> None:
        super().__init__(f"An account can have at most {limit} API keys that are not revoked; revoke one first")


class TooManyOperations(BadRequest):
    code = "TOO_MANY_OPERATIONS"

    def __init__(self, limit: int, whose: str = "A connection") -> None:
        super().__init__(f"{whose} can have at most {limit} operations in progress; end one first")


class IdempotencyMismatch(BadRequest):
    code = "IDEMPOTENCY_MISMATCH"
    message = "This Idempotency-Key has been used for a different request; use a new one"


# 401 ------------------------------------------------------------------------------------------------------------


class Unauthenticated(AmarEventsError):
    code = "UNAUTHENTICATED"
    status = 401
    message = "Authentication is required; send 'Authorization: Bearer <API key>' or log in"


class InvalidApiKey(Unauthenticated):
    code = "INVALID_API_KEY"
    message = "This API key is not valid"


class ApiKeyRevoked(InvalidApiKey):
    code = "API_KEY_REVOKED"
    message = "This API key has been revoked"


class ApiKeySuspended(InvalidApiKey):
    code = "API_KEY_SUSPENDED"
    message = "This API key is suspended; set is_active to true to use it again"


class ApiKeyExpired(InvalidApiKey):
    code = "API_KEY_EXPIRED"
    message = "This API key has expired"


class InvalidSession(Unauthenticated):
    """The token of a session that has ended, has expired or never existed (decisions 2.3a)."""

    code = "INVALID_SESSION"
    message = "This session has ended or has expired; log in again"


class InvalidCredentials(Unauthenticated):
    code = "INVALID_CREDENTIALS"
    message = "Wrong email or password"


# 403 ------------------------------------------------------------------------------------------------------------


class Forbidden(AmarEventsError):
    code = "FORBIDDEN"
    status = 403
    message = "You do not have permission to do this"


class WrongKeyType(Forbidden):
    code = "WRONG_KEY_TYPE"

    def __init__(self, accepted: Sequence[str], message: str | None = None) -> None:
        types = " or ".join(accepted)
        instead = f"This operation requires an API key of type {types}, or the session of an account with that role"
        super().__init__(f"{message} type {types}" if message else instead)


class MissingScope(Forbidden):
    code = "MISSING_SCOPE"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This API key does not have the permission {scope}")


class RoleLost(Forbidden):
    """The account no longer has the role that keys of this type require (decisions 2.4)."""

    code = "ROLE_LOST"

    def __init__(self, key_type: str) -> None:
        super().__init__(f"The account of this API key may no longer use {key_type} keys")


class CrossSiteRequest(Forbidden):
    """A change with a session cookie that comes from a foreign site or is not JSON (decisions 2.3)."""

    code = "CROSS_SITE_REQUEST"
    message = (
        "This request was sent with a session cookie from another site, or its body is not JSON: send it from this "
        "site or an allowed origin with Content-Type: application/json, or use an API key"
    )


class KeyTooPowerful(Forbidden):
    """A key cannot create or change a key with more permissions than its own (decisions 2.5)."""

    code = "KEY_TOO_POWERFUL"


class EventSlotsExhausted(Forbidden):
    code = "EVENT_SLOTS_EXHAUSTED"
    message = "The organization has reached its limit of events"


# 404, 405, 429, 503 ---------------------------------------------------------------------------------------------


class NotFound(AmarEventsError):
    code = "NOT_FOUND"
    status = 404

    def __init__(self, what: str = "Resource") -> None:
        super().__init__(f"{what} not found")


class UnknownRoute(AmarEventsError):
    code = "UNKNOWN_ROUTE"
    status = 404
    message = "No such route; see the API documentation at /docs"


class MethodNotAllowed(AmarEventsError):
    """``allowed`` are the methods that the path supports, for the ``Allow`` header."""

    code = "METHOD_NOT_ALLOWED"
    status = 405

    def __init__(self, allowed: Sequence[str]) -> None:
        self.allowed = tuple(sorted(allowed))
        super().__init__(f"Method not allowed; this path supports {', '.join(self.allowed)}")


class RateLimited(AmarEventsError):
    """``retry_after`` is the number of seconds, at least 1, after which the request is allowed (decisions 3.2)."""

    code = "RATE_LIMITED"
    status = 429
    retry_after: int

    def __init__(self, retry_after: int, message: str | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message or f"Too many requests; try again in {retry_after} seconds")


class TooManyConnections(RateLimited):
    """The address or account has the maximum number of open connections in one process."""

    code = "TOO_MANY_CONNECTIONS"

    def __init__(self) -> None:
        super().__init__(_DEFAULT_RETRY_AFTER, "Too many open connections; close one first")


class Overloaded(AmarEventsError):
    """Too many registrations are waiting in this process (decisions 1.4)."""

    code = "OVERLOADED"
    status = 503

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(f"Too many registrations at the moment; try again in {retry_after} seconds")


# Errors of any request ------------------------------------------------------------------------------------------

COMMON_ERRORS: frozenset[type[AmarEventsError]] = frozenset(
    {
        *(InternalError, TemporarilyUnavailable),
        *(BadRequest, ValidationFailed, MalformedJson, UnsupportedMediaType, BodyTooLarge, IdempotencyMismatch),
        *(Unauthenticated, InvalidApiKey, ApiKeyRevoked, ApiKeySuspended, ApiKeyExpired, InvalidSession),
        *(WrongKeyType, MissingScope, RoleLost, CrossSiteRequest),
        *(NotFound, UnknownRoute, MethodNotAllowed, RateLimited),
    }
)
"""Errors that a request to any REST route can end with, so that operations do not declare them.

They concern the form of the request, its credential, its path, its Idempotency-Key, or the service itself.
"""
