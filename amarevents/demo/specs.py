"""The shapes of the tables that describe the demo. Days are counted from ``today``; negative ones are past."""

from dataclasses import dataclass, field

from amarevents.models.enums import Category, DonationStatus, FieldType, PaymentMethod


@dataclass(frozen=True, slots=True)
class Person:
    """An attendee. ``bangla`` is the same name in Bangla script, for those who also write it that way."""

    username: str
    name: str
    bangla: str = ""
    country: str = "Bangladesh"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationSpec:
    """``key`` names it in the tables of events and donations; ``eventcount`` is its allowance (decisions 4.4)."""

    key: str
    owner: str
    name: str
    description: str
    domain: str
    notice: str | None = None
    eventcount: int | None = None
    wallets: dict[PaymentMethod, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeSpec:
    """A ticket type: ``price`` in taka, ``capacity`` 0 for unlimited, ``held`` places taken (Pending or Success)."""

    name: str
    price: int = 0
    capacity: int = 0
    held: int = 0
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """A custom field. Answers come from ``options`` or ``samples``; each ``#`` of a sample becomes a digit."""

    name: str
    type: FieldType = FieldType.TEXT
    options: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSpec:
    """An event of ``organization`` (a key) on ``day``; ``held`` counts registrations where there are no types."""

    organization: str
    name: str
    category: Category | None
    day: int | None
    deadline: int | None = None
    location: str | None = None
    description: str
    private: bool = False
    notice: str | None = None
    emailtitle: str | None = None
    emailmessage: str | None = None
    template: str | None = None
    socials: tuple[str, ...] = ()
    types: tuple[TypeSpec, ...] = ()
    fields: tuple[FieldSpec, ...] = ()
    gallery: tuple[str, ...] = ()
    held: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DonationSpec:
    """A donation of ``amount`` taka, ``day`` days from today; ``organization`` None is the platform itself."""

    organization: str | None
    amount: int
    type: PaymentMethod
    status: DonationStatus
    day: int
    note: str | None = None
