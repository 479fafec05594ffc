"""The closed vocabularies of the contract, with the spelling that REST shows."""

from enum import StrEnum


class AccountType(StrEnum):
    USER = "user"
    """Registers for events."""
    ORGANIZER = "organizer"
    """Publishes events as well."""


class KeyType(StrEnum):
    """What an API key may be used for at most; ranked from weakest to strongest."""

    USER = "user"
    """What every account may do."""
    ORGANIZER = "organizer"
    """What organizers may do."""
    ADMIN = "admin"
    """What admins may do."""

    @property
    def rank(self) -> int:
        return list(KeyType).index(self)


class Category(StrEnum):
    EDUCATION = "Education"
    """Something to learn."""
    SPORTS = "Sports"
    """A match, a race or a tournament."""
    CONCERT = "Concert"
    """Music for an audience."""
    CONFERENCE = "Conference"
    """Talks and discussions."""
    WORKSHOP = "Workshop"
    """Something to learn by doing it."""
    FESTIVAL = "Festival"
    """A celebration of many parts."""
    CHARITY = "Charity"
    """For the good of others."""
    CULTURAL = "Cultural"
    """Arts, literature and traditions."""
    GAMES = "Games"
    """Playing together."""
    OTHER = "Other"
    """None of the others."""


class Privacy(StrEnum):
    PUBLIC = "public"
    """Everybody sees it."""
    PRIVATE = "private"
    """Its owner, admins and holders of its tickets see it."""


class FieldType(StrEnum):
    """How a custom registration field is asked for (decisions 4.7)."""

    TEXT = "text"
    """A line of text."""
    TEXTAREA = "textarea"
    """A text of several lines."""
    EMAIL = "email"
    """An email address."""
    NUMBER = "number"
    """A number."""
    DATE = "date"
    """A date, YYYY-MM-DD."""
    DROPDOWN = "dropdown"
    """One of the options, from a list that opens."""
    RADIO = "radio"
    """One of the options, all of them in sight."""
    CHECKBOX = "checkbox"
    """Ticked or not, or those of the options that are ticked."""


class TicketStatus(StrEnum):
    PENDING = "Pending"
    """It holds a place and waits for the organizer."""
    SUCCESS = "Success"
    """It holds a place and is good at the door."""
    FAILED = "Failed"
    """It has been rejected and holds no place."""
    REFUNDED = "Refunded"
    """The money has gone back; it holds no place."""

    @property
    def holds_place(self) -> bool:
        """Pending and Success hold a place of their ticket type (decisions 6.2)."""
        return self in (TicketStatus.PENDING, TicketStatus.SUCCESS)


HOLDING = [status for status in TicketStatus if status.holds_place]


class PaymentMethod(StrEnum):
    BKASH = "bkash"
    """Mobile money of bKash."""
    NAGAD = "nagad"
    """Mobile money of Nagad."""
    ROCKET = "rocket"
    """Mobile money of Rocket."""
    CARD = "card"
    """A bank card."""
    OTHER = "other"
    """In any other way."""


class DonationStatus(StrEnum):
    PENDING = "pending"
    """Nobody has looked for the money yet."""
    VERIFIED = "verified"
    """The money has been seen."""
    REJECTED = "rejected"
    """There is no such payment."""


class MailKind(StrEnum):
    """What a mail is about."""

    TICKET_CONFIRMED = "ticket_confirmed"
    """A place is good."""
    PAYMENT_REJECTED = "payment_rejected"
    """A payment has been rejected."""
    CONFIRM_EMAIL = "confirm_email"
    """A link that confirms an account's email."""


class MailStatus(StrEnum):
    """Where an outgoing mail stands. ``held``: it was written while no mail server was configured."""

    PENDING = "pending"
    """It is to be sent."""
    SENT = "sent"
    """The mail server has taken it."""
    FAILED = "failed"
    """It has been given up."""
    HELD = "held"
    """It is kept and not sent."""


class TicketChangeKind(StrEnum):
    """What has happened to a ticket, for those who follow an event as it happens."""

    CREATED = "created"
    """Somebody has registered."""
    UPDATED = "updated"
    """It has been changed, decided or checked in."""
    DELETED = "deleted"
    """It is there no more."""
