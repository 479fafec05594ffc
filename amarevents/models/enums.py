"""Enumerations of the contract, with the spelling that REST uses."""

from enum import StrEnum
from typing import Self


class AnyCaseEnum(StrEnum):
    """An enumeration whose words are also accepted in another case and with surrounding spaces (decisions 1.6)."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        word = value.strip().casefold() if isinstance(value, str) else None
        return next((member for member in cls if member.casefold() == word), None)


class AccountType(AnyCaseEnum):
    """The type of an account."""

    USER = "user"
    """Can register for events."""
    ORGANIZER = "organizer"
    """Can also publish events."""


class KeyType(AnyCaseEnum):
    """The type of an API key, which limits what the key can do; in ascending order."""

    USER = "user"
    """Can do what every account can do."""
    ORGANIZER = "organizer"
    """Can do what organizers can do."""
    ADMIN = "admin"
    """Can do what admins can do."""

    @property
    def rank(self) -> int:
        return list(KeyType).index(self)


class Category(AnyCaseEnum):
    """The category of an event."""

    EDUCATION = "Education"
    """Courses, lectures and other learning events."""
    SPORTS = "Sports"
    """Matches, races and tournaments."""
    CONCERT = "Concert"
    """Live music."""
    CONFERENCE = "Conference"
    """Talks and discussions."""
    WORKSHOP = "Workshop"
    """Hands-on learning."""
    FESTIVAL = "Festival"
    """Festivals and fairs."""
    CHARITY = "Charity"
    """Fundraising and community service."""
    CULTURAL = "Cultural"
    """Arts, literature and traditions."""
    GAMES = "Games"
    """Video games, board games and other games."""
    OTHER = "Other"
    """Any other event."""


class EventSort(AnyCaseEnum):
    """The order of a list of events."""

    DATE = "date"
    """By date, earliest first; events without a date come last."""
    DATE_DESCENDING = "-date"
    """By date, latest first; events without a date come last."""
    NEWEST = "newest"
    """By creation, newest first."""


class Privacy(AnyCaseEnum):
    """The visibility of an event."""

    PUBLIC = "public"
    """Visible to everyone."""
    PRIVATE = "private"
    """Visible only to the owner, to ticket holders and to admins."""


class FieldType(AnyCaseEnum):
    """The type of a custom field (decisions 4.7)."""

    TEXT = "text"
    """A single line of text."""
    TEXTAREA = "textarea"
    """Text of several lines."""
    EMAIL = "email"
    """An email address."""
    NUMBER = "number"
    """A number."""
    DATE = "date"
    """A date, such as 2027-01-31."""
    DROPDOWN = "dropdown"
    """One of the options, chosen from a dropdown list."""
    RADIO = "radio"
    """One of the options, chosen with radio buttons."""
    CHECKBOX = "checkbox"
    """Any number of the options, or a single checkbox if the field has no options."""


class TicketStatus(AnyCaseEnum):
    """The status of a ticket."""

    PENDING = "Pending"
    """Waiting for approval; the ticket holds a place."""
    SUCCESS = "Success"
    """Approved; the ticket holds a place and is valid for entry."""
    FAILED = "Failed"
    """Rejected; the ticket holds no place."""
    REFUNDED = "Refunded"
    """The payment was refunded; the ticket holds no place."""

    @property
    def holds_place(self) -> bool:
        """Whether a ticket with this status holds a place of its ticket type (decisions 6.2)."""
        return self in (TicketStatus.PENDING, TicketStatus.SUCCESS)


HOLDING = [status for status in TicketStatus if status.holds_place]


class PaymentMethod(AnyCaseEnum):
    """The method of a payment."""

    BKASH = "bkash"
    """bKash mobile payment."""
    NAGAD = "nagad"
    """Nagad mobile payment."""
    ROCKET = "rocket"
    """Rocket mobile payment."""
    CARD = "card"
    """A debit or credit card."""
    OTHER = "other"
    """Any other method."""


class DonationStatus(AnyCaseEnum):
    """The status of a donation."""

    PENDING = "pending"
    """Waiting to be verified."""
    VERIFIED = "verified"
    """The payment was received."""
    REJECTED = "rejected"
    """The payment was not found."""

    @classmethod
    def _missing_(cls, value: object) -> "DonationStatus | None":
        """Return ``verified`` for its alias ``approved`` (decisions 7.1)."""
        found = super()._missing_(value)
        is_alias = isinstance(value, str) and value.strip().casefold() == "approved"
        return cls.VERIFIED if is_alias else found


class MailKind(AnyCaseEnum):
    """The kind of an email that the platform sends."""

    TICKET_CONFIRMED = "ticket_confirmed"
    """Confirms an approved ticket."""
    PAYMENT_REJECTED = "payment_rejected"
    """Informs the attendee that the payment was rejected."""
    HOLD_EXPIRED = "hold_expired"
    """Informs the attendee that the place is no longer reserved, because the ticket was not paid in time."""
    CONFIRM_EMAIL = "confirm_email"
    """Contains the link that confirms the email address of an account."""
    RESET_PASSWORD = "reset_password"  # noqa: S105 - not a password
    """Contains the link that sets a new password."""

    @property
    def has_secret_link(self) -> bool:
        """Whether the email contains a link that only its recipient may open."""
        return self in {MailKind.CONFIRM_EMAIL, MailKind.RESET_PASSWORD}


class MailStatus(AnyCaseEnum):
    """The status of an outgoing email."""

    PENDING = "pending"
    """Waiting to be sent, for the first time or again."""
    SENT = "sent"
    """Accepted by the mail server."""
    FAILED = "failed"
    """Not delivered; no further attempts are made."""
    HELD = "held"
    """Stored but not sent, because no mail server was configured."""


class TicketChangeKind(AnyCaseEnum):
    """The kind of a change to a ticket."""

    CREATED = "created"
    """The ticket was created by a registration."""
    UPDATED = "updated"
    """The ticket was updated, approved, rejected, refunded or checked in."""
    DELETED = "deleted"
    """The ticket was deleted."""
