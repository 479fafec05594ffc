"""Types that describe the demo data. Days are counted from today; negative days are in the past."""

from dataclasses import dataclass, field

from amarevents.models.enums import Category, DonationStatus, FieldType, PaymentMethod


@dataclass(frozen=True, slots=True)
class Person:
    """A person. ``bangla`` is the name in Bangla script, for people who also write it that way."""

    username: str
    name: str
    bangla: str = ""
    country: str = "Bangladesh"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationSpec:
    """An organization. Events and donations refer to its ``key``; ``eventcount`` is its limit (decisions 4.4)."""

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
    """A ticket type: ``price`` in taka, ``capacity`` (0 is unlimited), and ``held``, the number of places held."""

    name: str
    price: int = 0
    capacity: int = 0
    held: int = 0
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """A custom field. Answers are chosen from ``options`` or ``samples``; each ``#`` becomes a random digit."""

    name: str
    type: FieldType = FieldType.TEXT
    options: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSpec:
    """An event of an organization (a key). ``held`` is the number of places held if it has no ticket types."""

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
    hold_minutes: int | None = None
    places_per_account: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DonationSpec:
    """A donation of ``amount`` taka to an organization (a key), or to the platform if ``organization`` is None."""

    organization: str | None
    amount: int
    type: PaymentMethod
    status: DonationStatus
    day: int
    note: str | None = None
