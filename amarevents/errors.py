"""Every failure that a caller may see: one class each, with its code, HTTP status and message.

The seven statuses are the contract's (decisions 1.4); ``code`` tells apart what shares one. REST renders an error as
the envelope of decisions 1.3, GraphQL puts the same ``code``, ``status`` and ``fields`` into ``extensions``.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

_SOON = 5  # seconds: when to try again what ends at an unknown time
_TOLD = 3  # problems in the text of an error; its fields have all of them


class AmarEventsError(Exception):
    """A failure with a message for the caller. Subclasses fix ``code`` and ``status``."""

    code: ClassVar[str] = "INTERNAL"
    status: ClassVar[int] = 500
    message: ClassVar[str] = "Something went wrong on our side; quote the X-Request-ID when you report it"

    def __init__(self, message: str | None = None, *, fields: Mapping[str, str] | None = None) -> None:
        self.text = message or self.message
        self.fields = dict(fields or {})
        super().__init__(self.text)


class OperatorError(Exception):
    """A failure of a command or of the deployment; the message says to the operator what is wrong and what to do."""


class InternalError(AmarEventsError):
    """Anything unforeseen; its cause is in the log under the request id, never in the answer."""


class TemporarilyUnavailable(AmarEventsError):
    """The database is away or too busy; nothing is known to have been done. 500 is the only status for it (1.4)."""

    code = "UNAVAILABLE"
    message = "The service is temporarily unavailable; try again in a moment"


class UpdatesMissed(AmarEventsError):
    """A subscription that cannot tell what has happened meanwhile: its reader was too slow, or Redis was away."""

    code = "UPDATES_MISSED"
    message = "Updates may have been missed: subscribe again, and read anew what you show"


class OperationTimedOut(AmarEventsError):
    """A GraphQL operation had no time left; what it changes may have been changed all the same."""

    code = "TIMEOUT"
    message = "This took longer than an operation may take: ask for less at once"


# 400 ------------------------------------------------------------------------------------------------------------


class BadRequest(AmarEventsError):
    """The request cannot be carried out as it was sent."""

    code = "BAD_REQUEST"
    status = 400
    message = "The request cannot be carried out as it was sent"


class ValidationFailed(BadRequest):
    """One or more fields are missing, unknown or out of bounds; ``fields`` says which and why."""

    code = "VALIDATION_ERROR"
    message = "Some fields are not valid"

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(self.summary(fields), fields=fields)

    @staticmethod
    def summary(fields: Mapping[str, str]) -> str:
        """The first few problems in one line."""
        told = "; ".join(f"{name}: {problem}" for name, problem in list(fields.items())[:_TOLD])
        more = f" (and {len(fields) - _TOLD} more)" if len(fields) > _TOLD else ""
        return f"Invalid input: {told}{more}"


class MalformedJson(BadRequest):
    code = "MALFORMED_JSON"
    message = "The body is not valid JSON"


class UnsupportedMediaType(BadRequest):
    code = "UNSUPPORTED_MEDIA_TYPE"
    message = "Send the body as JSON, with Content-Type: application/json"


class NotAcceptable(BadRequest):
    code = "NOT_ACCEPTABLE"
    message = "Answers are JSON in UTF-8; the Accept header must allow application/json"


class BodyTooLarge(BadRequest):
    code = "BODY_TOO_LARGE"
    message = "The body is larger than this server accepts"


class UsernameTaken(BadRequest):
    code = "USERNAME_TAKEN"
    message = "This username is taken"

    def __init__(self) -> None:
        super().__init__(fields={"username": self.message})


class EmailTaken(BadRequest):
    code = "EMAIL_TAKEN"
    message = "An account with this email exists already"

    def __init__(self) -> None:
        super().__init__(fields={"email": self.message})


class SoldOut(BadRequest):
    """No place is left of the ticket type (decisions 6.2)."""

    code = "SOLD_OUT"
    message = "No places are left for this ticket type"


class CapacityTooLow(BadRequest):
    """Fewer places than are held already (decisions 6.2)."""

    code = "CAPACITY_TOO_LOW"
    message = "More places than this are held already"

    def __init__(self) -> None:
        super().__init__(fields={"capacity": self.message})


class HasApprovedTickets(BadRequest):
    """A ticket type goes only while none of its tickets is Success (decisions 6.3)."""

    code = "HAS_APPROVED_TICKETS"
    message = "This ticket type has approved tickets; refund or delete them first"


class RegistrationClosed(BadRequest):
    code = "REGISTRATION_CLOSED"
    message = "Registration for this event is closed"


class AmountTooLow(BadRequest):
    """A buyer says to have paid less than the place costs (decisions 6.1)."""

    code = "AMOUNT_TOO_LOW"
    message = "The amount is less than this ticket costs"

    def __init__(self, due: object) -> None:
        super().__init__(f"{self.message}: {due} is due", fields={"amount": f"at least {due} is due"})


class DuplicateTransaction(BadRequest):
    """A transaction id pays once: for one ticket (decisions 6.6), for one donation of its type (decisions 7.2)."""

    code = "DUPLICATE_TRANSACTION"

    def __init__(self, what: str = "ticket") -> None:
        message = f"This transaction id has been used for another {what}"
        super().__init__(message, fields={"transaction_id": message})


class TicketNotValid(BadRequest):
    """Only a ticket whose status is Success lets in (decisions 6.10)."""

    code = "TICKET_NOT_VALID"

    def __init__(self, status: str) -> None:
        super().__init__(f"This ticket lets nobody in: its status is {status}")


class ScanMismatch(BadRequest):
    """A scan is of one ticket."""

    code = "SCAN_MISMATCH"
    message = "This scanId was used for another ticket of the event; use a new one for each scan"

    def __init__(self) -> None:
        super().__init__(fields={"scan_id": self.message})


class ScanUndone(BadRequest):
    """A late retry lets nobody in whom the organizer has turned away again."""

    code = "SCAN_UNDONE"
    message = "This scan has been undone; scan the ticket again, with a new scanId"


class NotCheckedIn(BadRequest):
    code = "NOT_CHECKED_IN"
    message = "This ticket is not checked in"


class NotPending(BadRequest):
    """A payment is decided once; what has been decided is changed as a ticket is (decisions 6.1)."""

    code = "NOT_PENDING"

    def __init__(self, status: str) -> None:
        super().__init__(f"Only pending payments are decided: the status of this ticket is {status}")


class LastAdmin(BadRequest):
    """The platform keeps an admin (decisions 8.6)."""

    code = "LAST_ADMIN"
    message = "This is the last admin: make another one first"


class OwnAccount(BadRequest):
    """No admin deletes itself (decisions 8.6)."""

    code = "OWN_ACCOUNT"
    message = "Admins cannot delete their own account: ask another admin"


class TooManyTicketTypes(BadRequest):
    code = "TOO_MANY_TICKET_TYPES"

    def __init__(self, limit: int) -> None:
        super().__init__(f"An event may have {limit} ticket types")


class TooManyCustomFields(BadRequest):
    code = "TOO_MANY_CUSTOM_FIELDS"

    def __init__(self, limit: int) -> None:
        super().__init__(f"An event may have {limit} custom fields")


class TooManyGalleryImages(BadRequest):
    code = "TOO_MANY_GALLERY_IMAGES"

    def __init__(self, limit: int) -> None:
        super().__init__(f"An event may have {limit} pictures")


class NameTaken(BadRequest):
    """Names by which something is chosen are unique, regardless of case."""

    code = "NAME_TAKEN"

    def __init__(self, what: str) -> None:
        message = f"There is a {what} with this name already"
        super().__init__(message, fields={"name": message})


class PlanInUse(BadRequest):
    code = "PLAN_IN_USE"
    message = "Organizations are on this plan; move them to another one first"


class DefaultPlan(BadRequest):
    """New organizations are put on it, by its name (decisions 5.2)."""

    code = "DEFAULT_PLAN"
    message = "This is the plan that new organizations get: it can be neither deleted nor renamed"


class KeyIsRevoked(BadRequest):
    code = "KEY_REVOKED"
    message = "A revoked key stays revoked; create a new one"


class TooManyKeys(BadRequest):
    code = "TOO_MANY_KEYS"

    def __init__(self, limit: int) -> None:
        super().__init__(f"An account may have {limit} keys that are not revoked; revoke one first")


class TooManyOperations(BadRequest):
    code = "TOO_MANY_OPERATIONS"

    def __init__(self, limit: int, whose: str = "A connection") -> None:
        super().__init__(f"{whose} may have {limit} operations under way; end one first")


class IdempotencyMismatch(BadRequest):
    code = "IDEMPOTENCY_MISMATCH"
    message = "This Idempotency-Key was used for a different request; use a new one"


# 401 ------------------------------------------------------------------------------------------------------------


class Unauthenticated(AmarEventsError):
    code = "UNAUTHENTICATED"
    status = 401
    message = "Authentication is required: send 'Authorization: Bearer <API key>' or log in"


class InvalidApiKey(Unauthenticated):
    code = "INVALID_API_KEY"
    message = "This API key is not valid"


class ApiKeyRevoked(InvalidApiKey):
    code = "API_KEY_REVOKED"
    message = "This API key has been revoked"


class ApiKeySuspended(InvalidApiKey):
    code = "API_KEY_SUSPENDED"
    message = "This API key is suspended; set is_active to true to resume it"


class ApiKeyExpired(InvalidApiKey):
    code = "API_KEY_EXPIRED"
    message = "This API key has expired"


class InvalidCredentials(Unauthenticated):
    code = "INVALID_CREDENTIALS"
    message = "Email or password is wrong"


# 403 ------------------------------------------------------------------------------------------------------------


class Forbidden(AmarEventsError):
    code = "FORBIDDEN"
    status = 403
    message = "You may not do this"


class WrongKeyType(Forbidden):
    code = "WRONG_KEY_TYPE"

    def __init__(self, accepted: Sequence[str], message: str | None = None) -> None:
        types = " or ".join(accepted)
        instead = f"This operation needs a key of type {types}, or the session of an account that may have one"
        super().__init__(f"{message} type {types}" if message else instead)


class MissingScope(Forbidden):
    code = "MISSING_SCOPE"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This API key lacks the permission {scope}")


class RoleLost(Forbidden):
    """The account no longer has the role that its key's type stands for (decisions 2.4)."""

    code = "ROLE_LOST"

    def __init__(self, key_type: str) -> None:
        super().__init__(f"The account of this key is no longer allowed to use {key_type} keys")


class CrossSiteRequest(Forbidden):
    """A state-changing request authenticated by cookie that no allowed origin vouches for (decisions 2.3)."""

    code = "CROSS_SITE_REQUEST"
    message = (
        "A session may only change something from an allowed origin: send the Origin header of this site and "
        "Content-Type: application/json, or use an API key"
    )


class KeyTooPowerful(Forbidden):
    """A key may neither make nor touch a key with more power than its own (decisions 2.5)."""

    code = "KEY_TOO_POWERFUL"


class EventSlotsExhausted(Forbidden):
    code = "EVENT_SLOTS_EXHAUSTED"
    message = "The organization has used up its allowance of events"


# 404, 405, 429 --------------------------------------------------------------------------------------------------


class NotFound(AmarEventsError):
    code = "NOT_FOUND"
    status = 404

    def __init__(self, what: str = "Resource") -> None:
        super().__init__(f"{what} not found")


class UnknownRoute(AmarEventsError):
    code = "UNKNOWN_ROUTE"
    status = 404
    message = "There is nothing at this address; the routes are listed in the API documentation"


class MethodNotAllowed(AmarEventsError):
    """``allowed`` are the methods that the address knows; they go into the ``Allow`` header."""

    code = "METHOD_NOT_ALLOWED"
    status = 405

    def __init__(self, allowed: Sequence[str]) -> None:
        self.allowed = tuple(sorted(allowed))
        super().__init__(f"This address knows only {', '.join(self.allowed)}")


class RateLimited(AmarEventsError):
    """``retry_after``: whole seconds, at least 1, after which the request does succeed (decisions 3.2)."""

    code = "RATE_LIMITED"
    status = 429

    def __init__(self, retry_after: int, message: str | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message or f"Too many requests; try again in {retry_after} s")


class TooManyConnections(RateLimited):
    """As many connections are open as an address or an account may have at once in one process."""

    code = "TOO_MANY_CONNECTIONS"

    def __init__(self) -> None:
        super().__init__(_SOON, "Too many connections are open; close one first")
