"""Conversion of the demo data to unsaved model instances."""

import datetime
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from amarevents.demo.events import EVENTS
from amarevents.demo.history import DemoHistory, DonationDraft, TicketDraft
from amarevents.demo.people import ADMINS, ATTENDEES, NEWCOMERS, ORGANIZERS, email, phone
from amarevents.demo.specs import EventSpec, OrganizationSpec, Person, TypeSpec
from amarevents.models import CustomField, Donation, Event, GalleryImage, Organization, Ticket, TicketType, User
from amarevents.models.enums import AccountType, Privacy
from amarevents.models.events import UNDATED
from amarevents.resolvers.accounts.signup import account_search_text
from amarevents.text import search_text

# No password has this hash, so the accounts cannot be used until credentials are issued.
UNUSABLE_PASSWORD_HASH = "!"  # noqa: S105 - the absence of a password
_IMAGES = "https://images.example"
_ADMIN_SERIAL = 600
_ORGANIZER_SERIAL = 700


def users(history: DemoHistory) -> Iterator[User]:
    """Yield the accounts. Admins and organizers are older than the events, attendees older than registrations."""
    for serial, person in enumerate(ADMINS):
        yield _user(person, phone(_ADMIN_SERIAL + serial), history.instant(-500 + serial), admin=True)
    for serial, person in enumerate(ORGANIZERS):
        organizer = AccountType.ORGANIZER
        yield _user(person, phone(_ORGANIZER_SERIAL + serial), history.instant(-450 + serial), account_type=organizer)
    for serial, person in enumerate(ATTENDEES, start=1):
        yield _user(person, phone(serial), history.instant(-200 + 3 * serial))
    for serial, person in enumerate(NEWCOMERS, start=1):
        yield _user(person, phone(len(ATTENDEES) + serial), history.instant(-1 - serial))


def _user(
    person: Person,
    number: str,
    created_at: datetime.datetime,
    *,
    account_type: AccountType = AccountType.USER,
    admin: bool = False,
) -> User:
    return User(
        username=person.username,
        email=email(person.username),
        email_confirmed_at=created_at + datetime.timedelta(minutes=9),
        number=number,
        password_hash=UNUSABLE_PASSWORD_HASH,
        type=account_type,
        admin=admin,
        country=person.country,
        search_text=account_search_text(person.username, email(person.username), number),
        created_at=created_at,
        updated_at=created_at,
    )


def organization(spec: OrganizationSpec, *, user_id: int, plan_id: int, created_at: datetime.datetime) -> Organization:
    return Organization(
        user_id=user_id,
        plan_id=plan_id,
        name=spec.name,
        description=spec.description,
        logo=f"{_IMAGES}/{spec.key}/logo.png",
        notice=spec.notice,
        eventcount=spec.eventcount,
        events_used=sum(event.organization == spec.key for event in EVENTS),
        search_text=search_text(spec.name, spec.description),
        created_at=created_at,
        updated_at=created_at,
    )


def event(
    spec: EventSpec,
    host: OrganizationSpec,
    *,
    organization_id: int,
    today: datetime.date,
    created_at: datetime.datetime,
) -> Event:
    date = _date(today, spec.day)
    is_paid = any(kind.price for kind in spec.types)
    return Event(
        organization_id=organization_id,
        name=spec.name,
        category=spec.category,
        date=date,
        sort_date=date or UNDATED,
        deadline=_date(today, spec.deadline),
        location=spec.location,
        description=spec.description,
        banner=f"{_IMAGES}/{host.key}/{_slug(spec)}/banner.jpg",
        logo=f"{_IMAGES}/{host.key}/logo.png",
        privacy=Privacy.PRIVATE if spec.private else Privacy.PUBLIC,
        notice=spec.notice,
        emailtitle=spec.emailtitle,
        emailmessage=spec.emailmessage,
        template=spec.template,
        socials=[{"type": kind, "url": f"https://{kind}.{host.domain}"} for kind in spec.socials],
        wallets={str(method): number for method, number in host.wallets.items()} if is_paid else {},
        hold_minutes=spec.hold_minutes,
        places_per_account=spec.places_per_account,
        search_text=search_text(spec.name, spec.location, spec.description),
        created_at=created_at,
        updated_at=created_at,
    )


def _date(today: datetime.date, day: int | None) -> datetime.date | None:
    return None if day is None else today + datetime.timedelta(days=day)


def _slug(spec: EventSpec) -> str:
    """Return a name for the event in the URLs of its images."""
    return f"event-{EVENTS.index(spec) + 1:02}"


def ticket_type(spec: TypeSpec, *, event_id: int, sold: int, created_at: datetime.datetime) -> TicketType:
    return TicketType(
        event_id=event_id,
        name=spec.name,
        price=Decimal(spec.price),
        capacity=spec.capacity,
        description=spec.description,
        sold=sold,
        created_at=created_at,
    )


def sold_places(tickets: list[TicketDraft]) -> Counter[tuple[str, str | None]]:
    """Return the number of places held, by event and ticket type (decisions 6.2)."""
    return Counter((draft.event, draft.ticket_type) for draft in tickets if draft.status.holds_place)


def custom_fields(spec: EventSpec, event_id: int) -> Iterator[CustomField]:
    for position, field in enumerate(spec.fields):
        yield CustomField(
            event_id=event_id,
            name=field.name,
            type=field.type,
            options=list(field.options),
            required=field.required,
            position=position,
        )


def gallery(spec: EventSpec, event_id: int) -> Iterator[GalleryImage]:
    for position, caption in enumerate(spec.gallery):
        url = f"{_IMAGES}/{spec.organization}/{_slug(spec)}/{position + 1}.jpg"
        yield GalleryImage(event_id=event_id, url=url, caption=caption, position=position)


def ticket(draft: TicketDraft, *, event_id: int, user_id: int, ticket_type_id: int | None) -> Ticket:
    return Ticket(
        code=draft.code,
        event_id=event_id,
        user_id=user_id,
        ticket_type_id=ticket_type_id,
        name=draft.name,
        email=draft.email,
        number=draft.number,
        amount=draft.amount,
        due=draft.amount,
        status=draft.status,
        transaction_id=draft.transaction_id,
        payment_method=draft.payment_method,
        note=draft.note,
        created_at=draft.created_at,
        updated_at=draft.updated_at,
    )


def donation(draft: DonationDraft, organization_id: int | None) -> Donation:
    return Donation(
        organization_id=organization_id,
        email=draft.email,
        number=draft.number,
        amount=draft.amount,
        transaction_id=draft.transaction_id,
        type=draft.type,
        note=draft.note,
        status=draft.status,
        created_at=draft.created_at,
        updated_at=draft.updated_at,
    )
