"""Database models, one for each noun of the contract; ``db`` has the connection, engines and migration runner."""

from amarevents.models.accounts import ApiKey, EmailConfirmation, PasswordReset, Session, User
from amarevents.models.check_ins import CheckIn
from amarevents.models.donations import Donation
from amarevents.models.events import CustomField, Event, GalleryImage
from amarevents.models.idempotency import IdempotencyRecord
from amarevents.models.mails import OutgoingMail
from amarevents.models.organizations import Organization, Plan
from amarevents.models.payment_claims import PaymentClaim
from amarevents.models.seeding import Seeding
from amarevents.models.tickets import CustomValue, Ticket, TicketType

__all__ = [
    "ApiKey",
    "CheckIn",
    "CustomField",
    "CustomValue",
    "Donation",
    "EmailConfirmation",
    "Event",
    "GalleryImage",
    "IdempotencyRecord",
    "Organization",
    "OutgoingMail",
    "PasswordReset",
    "PaymentClaim",
    "Plan",
    "Seeding",
    "Session",
    "Ticket",
    "TicketType",
    "User",
]
