"""What the mails say: the organizer's texts with their placeholders filled in, or ours (decisions 4.3)."""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from amarevents.models import Event, Ticket

# In characters. An organizer's text may repeat an answer many times, and an answer may be long.
MAX_SUBJECT = 250
MAX_TEXT = 50_000
_MAX_VALUE = 2_000

PLACEHOLDERS = frozenset({"name", "event", "location", "date", "price", "id"})
"""What an organizer's text may hold in braces beside the names of custom fields (decisions 4.3)."""

_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

_CONFIRMED_SUBJECT = "Your ticket for {event} | আপনার টিকিট"
_CONFIRMED = """Dear {name},

Your place at {event} is confirmed. We look forward to seeing you!
“{event}” অনুষ্ঠানে আপনার নিবন্ধন নিশ্চিত হয়েছে।
"""
_AT_THE_DOOR = """
Please show the QR code in this mail at the entrance.
প্রবেশের সময় এই মেইলের কিউআর কোডটি দেখান।
"""
_REJECTED_SUBJECT = "Payment not accepted for {event} | পেমেন্ট গৃহীত হয়নি"
_REJECTED = """Dear {name},

The organizer of {event} could not accept the payment for your registration, so the place is no longer kept for you.
“{event}” অনুষ্ঠানের জন্য আপনার পেমেন্ট গ্রহণ করা যায়নি, তাই আসনটি আর আপনার জন্য রাখা নেই।
"""
_WHAT_TO_DO = """
What you can do: compare the transaction id and the amount with your payment, then register again with the right ones.
If you think that this is a mistake, please contact the organizer.
ট্রানজ্যাকশন আইডি ও টাকার পরিমাণ মিলিয়ে আবার নিবন্ধন করুন। ভুল হয়েছে মনে হলে আয়োজকের সঙ্গে যোগাযোগ করুন।
"""
_CONFIRM_EMAIL_SUBJECT = "Confirm your email for Amar Events | আপনার ইমেইল নিশ্চিত করুন"
_CONFIRM_EMAIL = """An account on Amar Events, “{username}”, has been given this email address.
এই ইমেইল ঠিকানা দিয়ে Amar Events-এ “{username}” নামে একটি অ্যাকাউন্ট খোলা হয়েছে।

If it is yours, open this address within {days} days and press the button:
অ্যাকাউন্টটি আপনার হলে {days} দিনের মধ্যে এই ঠিকানা খুলে বোতামে চাপ দিন:

{link}

If it is not yours, do nothing: the address then stays unconfirmed.
অ্যাকাউন্টটি আপনার না হলে কিছুই করতে হবে না।
"""


@dataclass(frozen=True, slots=True)
class EmailContent:
    """What a mail says: ``subject`` is one line, ``text`` plain text."""

    subject: str
    text: str


def fill(template: str, values: Mapping[str, str], *, limit: int) -> str:
    """``template`` with each ``{name}`` of ``values`` replaced, cut at ``limit`` characters.

    One pass: what is filled in is not looked at again, what is no placeholder stays as it is.
    """
    known = {f"{{{name}}}": value[:_MAX_VALUE] for name, value in values.items()}
    placeholders = {name: value for name, value in known.items() if name in template}
    if not placeholders:
        return template[:limit]
    longest_first = sorted(placeholders, key=len, reverse=True)
    filled = io.StringIO()
    for part in re.split(f"({'|'.join(map(re.escape, longest_first))})", template):
        filled.write(placeholders.get(part, part))
        if filled.tell() > limit:
            break
    return filled.getvalue()[:limit]


def one_line(text: str) -> str:
    """For a subject: without line breaks and control characters, which could begin another header."""
    return " ".join(_BREAKS.sub(" ", text).split())


def _letter(subject: str, text: str, values: Mapping[str, str]) -> EmailContent:
    return EmailContent(one_line(fill(subject, values, limit=MAX_SUBJECT)), fill(text, values, limit=MAX_TEXT))


def ticket_confirmed(ticket: Ticket, event: Event, answers: Mapping[str, str]) -> EmailContent:
    """The place is good. ``answers``: by the names of the event's custom fields, empty where there is none."""
    known = [("Date / তারিখ: {date}", event.date), ("Location / স্থান: {location}", event.location)]
    facts = [line for line, value in known if value] + ["Ticket no. / টিকিট নম্বর: {id}"]
    ours = "\n".join([_CONFIRMED, *facts, _AT_THE_DOOR])
    values = {**answers, **_ticket_values(ticket, event)}
    return _letter(event.emailtitle or _CONFIRMED_SUBJECT, event.emailmessage or ours, values)


def _ticket_values(ticket: Ticket, event: Event) -> dict[str, str]:
    return {
        "name": ticket.name,
        "event": event.name,
        "location": event.location or "",
        "date": str(event.date or ""),
        "price": _taka(ticket.amount),
        "id": str(ticket.id),
    }


def _taka(amount: Decimal) -> str:
    """``500`` rather than ``500.00``, but ``500.50``."""
    return f"{amount:.2f}".removesuffix(".00")


def payment_rejected(ticket: Ticket, event: Event) -> EmailContent:
    """The organizer has not accepted the payment. Ours alone: an organizer's message confirms."""
    payment = ["Transaction id / ট্রানজ্যাকশন আইডি: {transaction}"] if ticket.transaction_id else []
    reason = ["Reason / কারণ: {reason}"] if ticket.decision_reason else []
    text = "\n".join([_REJECTED, *payment, *reason, "Ticket no. / টিকিট নম্বর: {id}", _WHAT_TO_DO])
    values = {
        **_ticket_values(ticket, event),
        "transaction": ticket.transaction_id or "",
        "reason": ticket.decision_reason or "",
    }
    return _letter(_REJECTED_SUBJECT, text, values)


def confirm_email(username: str, link: str, *, days: int) -> EmailContent:
    """``link`` proves that whoever opens it reads the mailbox; it holds for ``days`` (decisions 6.7)."""
    return _letter(_CONFIRM_EMAIL_SUBJECT, _CONFIRM_EMAIL, {"username": username, "link": link, "days": str(days)})
