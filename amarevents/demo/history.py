"""Who registered for what and who gave how much, drawn from the tables: the same every time for the same day."""

import datetime
import random
import string
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import cycle

from amarevents.demo.events import EVENTS
from amarevents.demo.organizations import DONATIONS, ORGANIZATIONS
from amarevents.demo.people import ATTENDEES, GUESTS, email, phone
from amarevents.demo.specs import DonationSpec, EventSpec, FieldSpec, Person, TypeSpec
from amarevents.models.enums import DonationStatus, PaymentMethod, TicketStatus

_SEED = 1421  # any number will do; another one makes another demo
# As registration makes them, though not secret: ``resolvers.registration.new_ticket_code``.
_CODE_PREFIX = "AE"
_CODE_ALPHABET = string.ascii_uppercase + "234567"
_CODE_LENGTH = 25
_TRANSACTION_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_TRANSACTION_LENGTH = 10
# Shares of the places held that still wait for the organizer, before and after the event.
_PENDING_SHARE = 0.35
_PENDING_SHARE_AFTERWARDS = 0.08
# How many more registrations there are that hold no place, for each that does.
_RELEASED_SHARE = 0.1
_ANSWERED_SHARE = 0.6
_NOTED_SHARE = 0.12
_BANGLA_SHARE = 0.5
# Of ten payments one is by card, whatever wallets the organization has.
_CARD_SHARE = 0.1
# Daytime and evening in Dhaka, in hours of UTC; today begins there at 18:00 UTC of the day before.
_FIRST_HOUR, _LAST_HOUR = 2, 17
_MIDNIGHT_HOUR = 18
# In days before the last one: registrations at all, and those that still wait.
_LONGEST_LEAD, _LONGEST_WAIT = 25, 6
_LONGEST_DECISION = 40 * 60  # minutes
_GUEST_SERIAL = 800
_DONOR_SERIAL = 900

_NOTES = {
    TicketStatus.PENDING: ("Paid from my brother's number", "Please confirm soon", "একটু তাড়াতাড়ি জানাবেন"),
    TicketStatus.SUCCESS: ("Checked by the treasurer", "Wheelchair access, please", "ধন্যবাদ"),
    TicketStatus.FAILED: ("No such transaction", "The amount did not arrive"),
    TicketStatus.REFUNDED: ("Could not come, money sent back", "অসুস্থতার কারণে ফেরত"),
}
_CANCELLED_NOTE = "Cancelled by the attendee"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketDraft:
    """A ticket before it has ids: ``event``, ``ticket_type`` and ``account`` are names, answers are by field name."""

    code: str
    event: str
    ticket_type: str | None
    account: str
    name: str
    email: str
    number: str
    amount: Decimal
    status: TicketStatus
    transaction_id: str | None
    payment_method: PaymentMethod | None
    note: str | None
    created_at: datetime.datetime
    updated_at: datetime.datetime
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DonationDraft:
    """A donation before it has ids; ``organization`` is a key of the tables."""

    organization: str | None
    email: str
    number: str
    amount: int
    transaction_id: str
    type: PaymentMethod
    note: str | None
    status: DonationStatus
    created_at: datetime.datetime
    updated_at: datetime.datetime


@dataclass(frozen=True, slots=True)
class _Attendee:
    """Whom a place is for, and whose account registers it."""

    account: Person
    name: str
    email: str
    number: str


class DemoHistory:
    """Draws the registrations and donations of one demo, and the instants at which things happened."""

    def __init__(self, today: datetime.date) -> None:
        self._today = today
        self._random = random.Random(_SEED)  # noqa: S311 - invented data, nothing to guess
        self._transactions: set[str] = set()
        self._wallets = {spec.key: tuple(spec.wallets) for spec in ORGANIZATIONS}

    def instant(self, day: int) -> datetime.datetime:
        """Some moment of that day, counted from today."""
        date = self._today + datetime.timedelta(days=day)
        hour = self._random.randint(_FIRST_HOUR, _LAST_HOUR)
        minute, second = self._random.randrange(60), self._random.randrange(60)
        return datetime.datetime(date.year, date.month, date.day, hour, minute, second, tzinfo=datetime.UTC)

    def publication(self, event: EventSpec) -> datetime.datetime:
        """When the event went online: before anybody registered for it."""
        return self.instant(_last_day(event) - self._random.randint(_LONGEST_LEAD + 2, 2 * _LONGEST_LEAD))

    def tickets(self) -> list[TicketDraft]:
        """The registrations of all events, oldest first."""
        drafts = [draft for event in EVENTS for draft in self._tickets_of(event)]
        return sorted(drafts, key=lambda draft: (draft.created_at, draft.code))

    def donations(self) -> list[DonationDraft]:
        """The donations, oldest first."""
        drafts = [self._donation(serial, spec) for serial, spec in enumerate(DONATIONS)]
        return sorted(drafts, key=lambda draft: (draft.created_at, draft.transaction_id))

    def _tickets_of(self, event: EventSpec) -> Iterator[TicketDraft]:
        attendees = self._attendees()
        for kind in event.types or (TypeSpec(name="", held=event.held),):
            for status in self._statuses(event, kind):
                yield self._ticket(event, kind, status, next(attendees))

    def _attendees(self) -> Iterator[_Attendee]:
        """Everybody once in some order, then guests whom the same people bring along."""
        people = self._random.sample(ATTENDEES, len(ATTENDEES))
        for person in people:
            serial = ATTENDEES.index(person) + 1
            name = person.bangla if person.bangla and self._happens(_BANGLA_SHARE) else person.name
            yield _Attendee(person, name, email(person.username), phone(serial))
        for serial, (person, guest) in enumerate(zip(cycle(people), cycle(GUESTS), strict=False), start=_GUEST_SERIAL):
            yield _Attendee(person, guest, f"guest{serial}@example.net", phone(serial))

    def _statuses(self, event: EventSpec, kind: TypeSpec) -> list[TicketStatus]:
        """Exactly ``held`` that hold a place, in some order, and some that gave theirs back."""
        is_past = event.day is not None and event.day < 0
        share = _PENDING_SHARE_AFTERWARDS if is_past else _PENDING_SHARE
        pending = round(kind.held * share) if kind.price else 0
        released = round(kind.held * _RELEASED_SHARE)
        refunded = (released + 1) // 2 if kind.price else 0
        statuses = [
            *[TicketStatus.PENDING] * pending,
            *[TicketStatus.SUCCESS] * (kind.held - pending),
            *[TicketStatus.REFUNDED] * refunded,
            *[TicketStatus.FAILED] * (released - refunded),
        ]
        return self._random.sample(statuses, len(statuses))

    def _ticket(self, event: EventSpec, kind: TypeSpec, status: TicketStatus, attendee: _Attendee) -> TicketDraft:
        created_at = self.instant(self._day_of_registration(event, status))
        method = self._method(event) if kind.price else None
        return TicketDraft(
            code=_CODE_PREFIX + "".join(self._random.choices(_CODE_ALPHABET, k=_CODE_LENGTH)),
            event=event.name,
            ticket_type=kind.name or None,
            account=attendee.account.username,
            name=attendee.name,
            email=attendee.email,
            number=attendee.number,
            amount=Decimal(kind.price),
            status=status,
            transaction_id=self._transaction() if kind.price else None,
            payment_method=method,
            note=self._note(kind, status),
            created_at=created_at,
            updated_at=created_at if status is TicketStatus.PENDING else self._decided(created_at),
            answers=tuple(self._answers(event)),
        )

    def _day_of_registration(self, event: EventSpec, status: TicketStatus) -> int:
        """Before the deadline and before today; what waits for the organizer came in lately."""
        last = _last_day(event)
        return self._random.randint(last - (_LONGEST_WAIT if status is TicketStatus.PENDING else _LONGEST_LEAD), last)

    def _method(self, event: EventSpec) -> PaymentMethod:
        if self._happens(_CARD_SHARE):
            return PaymentMethod.CARD
        return self._random.choice(self._wallets[event.organization])

    def _transaction(self) -> str:
        """A new transaction id, upper-case as they are compared (decisions 6.6)."""
        while True:
            drawn = "".join(self._random.choices(_TRANSACTION_ALPHABET, k=_TRANSACTION_LENGTH))
            if drawn not in self._transactions:
                self._transactions.add(drawn)
                return drawn

    def _note(self, kind: TypeSpec, status: TicketStatus) -> str | None:
        if status is TicketStatus.FAILED and not kind.price:
            return _CANCELLED_NOTE
        is_noted = not status.holds_place or self._happens(_NOTED_SHARE)
        return self._random.choice(_NOTES[status]) if is_noted else None

    def _answers(self, event: EventSpec) -> Iterator[tuple[str, str]]:
        for field in event.fields:
            if field.required or self._happens(_ANSWERED_SHARE):
                yield field.name, self._answer(field)

    def _answer(self, field: FieldSpec) -> str:
        pattern = self._random.choice(field.options or field.samples)
        return "".join(self._random.choice(string.digits) if sign == "#" else sign for sign in pattern)

    def _donation(self, serial: int, spec: DonationSpec) -> DonationDraft:
        created_at = self.instant(spec.day)
        is_pending = spec.status is DonationStatus.PENDING
        return DonationDraft(
            organization=spec.organization,
            email=f"supporter{serial}@example.org",
            number=phone(_DONOR_SERIAL + serial),
            amount=spec.amount,
            transaction_id=self._transaction(),
            type=spec.type,
            note=spec.note,
            status=spec.status,
            created_at=created_at,
            updated_at=created_at if is_pending else self._decided(created_at),
        )

    def _decided(self, created_at: datetime.datetime) -> datetime.datetime:
        """When the organizer had looked at it: some time later, yet before today."""
        yesterday = self._today - datetime.timedelta(days=1)
        midnight = datetime.datetime.combine(yesterday, datetime.time(_MIDNIGHT_HOUR), datetime.UTC)
        delay = datetime.timedelta(minutes=self._random.randint(1, _LONGEST_DECISION))
        return min(created_at + delay, midnight)

    def _happens(self, share: float) -> bool:
        return self._random.random() < share


def _last_day(event: EventSpec) -> int:
    """The last day so far, counted from today, on which people registered for the event (decisions 4.2)."""
    return min(day for day in (event.day, event.deadline, -1) if day is not None)
