"""The closed vocabularies of the contract, with the spelling that REST shows."""

from enum import StrEnum


class AccountType(StrEnum):
    USER = "user"
    ORGANIZER = "organizer"


class KeyType(StrEnum):
    """What an API key may be used for at most; ranked from weakest to strongest."""

    USER = "user"
    ORGANIZER = "organizer"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        return list(KeyType).index(self)


class Category(StrEnum):
    EDUCATION = "Education"
    SPORTS = "Sports"
    CONCERT = "Concert"
    CONFERENCE = "Conference"
    WORKSHOP = "Workshop"
    FESTIVAL = "Festival"
    CHARITY = "Charity"
    CULTURAL = "Cultural"
    GAMES = "Games"
    OTHER = "Other"


class Privacy(StrEnum):
    PUBLIC = "public"
    PRIVATE = "private"


class FieldType(StrEnum):
    """How a custom registration field is asked for (decisions 4.7)."""

    TEXT = "text"
    TEXTAREA = "textarea"
    EMAIL = "email"
    NUMBER = "number"
    DATE = "date"
    DROPDOWN = "dropdown"
    RADIO = "radio"
    CHECKBOX = "checkbox"


class TicketStatus(StrEnum):
    PENDING = "Pending"
    SUCCESS = "Success"
    FAILED = "Failed"
    REFUNDED = "Refunded"

    @property
    def holds_place(self) -> bool:
        """Pending and Success hold a place of their ticket type (decisions 6.2)."""
        return self in (TicketStatus.PENDING, TicketStatus.SUCCESS)


HOLDING = [status for status in TicketStatus if status.holds_place]


class PaymentMethod(StrEnum):
    BKASH = "bkash"
    NAGAD = "nagad"
    ROCKET = "rocket"
    CARD = "card"
    OTHER = "other"


class DonationStatus(StrEnum):
    PENDING = "pending"
    VERIFIED = "verified"
    REJECTED = "rejected"


class MailKind(StrEnum):
    """What a mail is about."""

    TICKET_CONFIRMED = "ticket_confirmed"
    PAYMENT_REJECTED = "payment_rejected"
    CONFIRM_EMAIL = "confirm_email"


class MailStatus(StrEnum):
    """Where an outgoing mail stands. ``held``: it was written while no mail server was configured."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    HELD = "held"


class TicketChangeKind(StrEnum):
    """What has happened to a ticket, for those who follow an event as it happens."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
