"""The texts of all emails, our own and those that organizers write, with placeholders filled in (decisions 4.3)."""

import datetime
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

from amarevents.models import Event, Ticket
from amarevents.models.mails import MAX_BODY, MAX_SUBJECT
from amarevents.text import fold

_MAX_VALUE = 2_000  # characters

NUMBER_PLACEHOLDER = "\ue000"
"""What a text has instead of the number of a ticket that is still to be written: a character without a meaning."""

PLACEHOLDERS = frozenset({"name", "event", "location", "date", "price", "id"})
"""The placeholders in addition to the names of custom fields (decisions 4.3)."""

_PLACEHOLDER = re.compile(r"(\{[^{}]*\})")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

_CONFIRMED_SUBJECT = "Your ticket for {event} | আপনার টিকিট"
_CONFIRMED = """Dear {name},

Your place at {event} is confirmed. We look forward to seeing you!
“{event}” অনুষ্ঠানে আপনার নিবন্ধন নিশ্চিত হয়েছে।
"""
_SHOW_QR_CODE = """
Please show the QR code in this email at the entrance.
প্রবেশের সময় এই মেইলের কিউআর কোডটি দেখান।
"""
_REJECTED_SUBJECT = "Payment not accepted for {event} | পেমেন্ট গৃহীত হয়নি"
_REJECTED = """Dear {name},

The organizer of {event} could not verify the payment for your registration, so your place is no longer reserved.
“{event}” অনুষ্ঠানের জন্য আপনার পেমেন্ট গ্রহণ করা যায়নি, তাই আসনটি আর আপনার জন্য সংরক্ষিত নেই।
"""
_AFTER_REJECTION = """
Please compare the transaction ID and the amount with your payment, then register again with the correct details.
If you think this is a mistake, please contact the organizer.
ট্রানজ্যাকশন আইডি ও টাকার পরিমাণ মিলিয়ে আবার নিবন্ধন করুন। ভুল হয়েছে মনে হলে আয়োজকের সঙ্গে যোগাযোগ করুন।
"""
_EXPIRED_SUBJECT = "Your place at {event} is no longer reserved | আসনটি আর সংরক্ষিত নেই"
_EXPIRED = """Dear {name},

We have not received a transaction ID for your registration for {event} in time, so your place is no longer reserved.
“{event}” অনুষ্ঠানে আপনার নিবন্ধনের ট্রানজ্যাকশন আইডি সময়মতো পাওয়া যায়নি, তাই আসনটি আর আপনার জন্য সংরক্ষিত নেই।
"""
_AFTER_EXPIRY = """
If you would still like to come, please register again and enter the transaction ID of your payment.
If you have already paid, please contact the organizer.
আসতে চাইলে আবার নিবন্ধন করে ট্রানজ্যাকশন আইডি দিন। টাকা দিয়ে থাকলে আয়োজকের সঙ্গে যোগাযোগ করুন।
"""
_CONFIRM_EMAIL_SUBJECT = "Confirm your email for Amar Events | আপনার ইমেইল নিশ্চিত করুন"
_CONFIRM_EMAIL = """This email address was used to create the account “{username}” on Amar Events.
এই ইমেইল ঠিকানা দিয়ে Amar Events-এ “{username}” নামে একটি অ্যাকাউন্ট খোলা হয়েছে।

If this is your account, open this link within {days} days and press the button:
অ্যাকাউন্টটি আপনার হলে {days} দিনের মধ্যে এই ঠিকানা খুলে বোতামে চাপ দিন:

{link}

If this is not your account, you can ignore this email. The address will not be confirmed.
অ্যাকাউন্টটি আপনার না হলে কিছুই করতে হবে না।
"""

_FORGOTTEN_SUBJECT = "Set a new password for Amar Events | নতুন পাসওয়ার্ড দিন"
_FORGOTTEN = """A new password was requested for your account “{username}” on Amar Events.
Amar Events-এ আপনার “{username}” অ্যাকাউন্টের জন্য নতুন পাসওয়ার্ড চাওয়া হয়েছে।

Open this link within one hour and choose a password. It works once:
এক ঘণ্টার মধ্যে এই ঠিকানা খুলে নতুন পাসওয়ার্ড দিন। এটি একবারই কাজ করবে:

{link}

If you did not request this, you can ignore this email. Your password stays as it is.
আপনি না চেয়ে থাকলে কিছুই করতে হবে না। আপনার পাসওয়ার্ড আগের মতোই থাকবে।
"""


@dataclass(frozen=True, slots=True)
class EmailContent:
    """The one-line subject and the plain text of an email."""

    subject: str
    text: str


def fill(template: str, values: Mapping[str, str], *, limit: int) -> str:
    """Return ``template`` with each ``{name}`` replaced by its value, cut to ``limit`` characters.

    Names are compared folded (decisions 1.11), unless one is spelled exactly like the placeholder. Values are not
    searched for placeholders, and unknown placeholders stay as they are.
    """
    folded = {fold(name): value for name, value in values.items()}
    filled = io.StringIO()
    for part, key in _split(template):
        value = None if key is None else values.get(part[1:-1], folded.get(key))
        filled.write(part if value is None else value[:_MAX_VALUE])
        if filled.tell() > limit:
            break
    return filled.getvalue()[:limit]


@lru_cache(maxsize=100)
def _split(template: str) -> Sequence[tuple[str, str | None]]:
    """Return the parts of a template, placeholders with their folded names. Folding many of them takes time."""
    parts = _PLACEHOLDER.split(template)
    return [(part, fold(part[1:-1]) if _PLACEHOLDER.fullmatch(part) else None) for part in parts]


def one_line(text: str) -> str:
    """Return a text as a header value, without line breaks and control characters, which could inject headers."""
    return " ".join(_CONTROL_CHARACTERS.sub(" ", text).split())


def _content(subject: str, text: str, values: Mapping[str, str]) -> EmailContent:
    return EmailContent(one_line(fill(subject, values, limit=MAX_SUBJECT)), fill(text, values, limit=MAX_BODY))


class TicketFacts(Protocol):
    """What emails say about a ticket; its ID is 0 if it is still to be written."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def amount(self) -> Decimal: ...


class EventFacts(Protocol):
    """What emails say about an event."""

    name: str
    date: datetime.date | None
    location: str | None
    emailtitle: str | None
    emailmessage: str | None


def ticket_confirmed(ticket: TicketFacts, event: EventFacts, answers: Mapping[str, str]) -> EmailContent:
    """Return the email that confirms a ticket. ``answers`` has an entry for each custom field of the event."""
    known = [("Date / তারিখ: {date}", event.date), ("Location / স্থান: {location}", event.location)]
    facts = [line for line, value in known if value] + ["Ticket no. / টিকিট নম্বর: {id}"]
    ours = "\n".join([_CONFIRMED, *facts, _SHOW_QR_CODE])
    values = {**answers, **_ticket_values(ticket, event)}
    return _content(event.emailtitle or _CONFIRMED_SUBJECT, event.emailmessage or ours, values)


def _ticket_values(ticket: TicketFacts, event: EventFacts) -> dict[str, str]:
    return {
        "name": ticket.name,
        "event": event.name,
        "location": event.location or "",
        "date": str(event.date or ""),
        "price": _taka(ticket.amount),
        "id": str(ticket.id) if ticket.id else NUMBER_PLACEHOLDER,
    }


def _taka(amount: Decimal) -> str:
    """Return an amount without decimals if it is whole: ``500``, but ``500.50``."""
    return f"{amount:.2f}".removesuffix(".00")


def payment_rejected(ticket: Ticket, event: Event) -> EmailContent:
    """Return the email about a rejected payment. It never uses the organizer's text, which confirms tickets."""
    payment = ["Transaction ID / ট্রানজ্যাকশন আইডি: {transaction}"] if ticket.transaction_id else []
    reason = ["Reason / কারণ: {reason}"] if ticket.decision_reason else []
    text = "\n".join([_REJECTED, *payment, *reason, "Ticket no. / টিকিট নম্বর: {id}", _AFTER_REJECTION])
    values = {
        **_ticket_values(ticket, event),
        "transaction": ticket.transaction_id or "",
        "reason": ticket.decision_reason or "",
    }
    return _content(_REJECTED_SUBJECT, text, values)


def hold_expired(ticket: Ticket, event: Event) -> EmailContent:
    """Return the email about a ticket that was not paid in time (decisions 6.2a)."""
    text = "\n".join([_EXPIRED, "Ticket no. / টিকিট নম্বর: {id}", _AFTER_EXPIRY])
    return _content(_EXPIRED_SUBJECT, text, _ticket_values(ticket, event))


def confirm_email(username: str, link: str, *, days: int) -> EmailContent:
    """Return the email with the ``link`` that confirms an email address within ``days`` (decisions 6.7)."""
    return _content(_CONFIRM_EMAIL_SUBJECT, _CONFIRM_EMAIL, {"username": username, "link": link, "days": str(days)})


def reset_password(username: str, link: str) -> EmailContent:
    """Return the email with the ``link`` that sets a new password within one hour (decisions 2.3c)."""
    return _content(_FORGOTTEN_SUBJECT, _FORGOTTEN, {"username": username, "link": link})
