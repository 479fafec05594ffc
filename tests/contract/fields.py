"""The fields of every body: typed from the contract's tables and decisions, derived from no code."""

from dataclasses import dataclass

from tests.contract.access import Row
from tests.contract.kinds import (
    COUNT,
    DATE,
    EMAIL,
    EXPIRY,
    FLAG,
    LARGEST_ID,
    LONG,
    MONEY,
    NAME,
    PASSWORD,
    PHONE,
    SHORT,
    STRICT_FLAG,
    URL,
    USERNAME,
    Kind,
    one_of,
    structure,
    text,
    whole,
)


@dataclass(frozen=True)
class Field:
    """``required``: missing is refused. ``nullable``: null is taken, by an update to clear the field (1.10)."""

    kind: Kind
    required: bool = False
    nullable: bool = False


def required(kind: Kind) -> Field:
    return Field(kind, required=True)


def optional(kind: Kind) -> Field:
    """May be left out, or null."""
    return Field(kind, nullable=True)


def kept(kind: Kind) -> Field:
    """May be left out, but always holds something: null is none of its values."""
    return Field(kind)


@dataclass(frozen=True)
class Form:
    """A request with a body that is taken as it stands, and every field that it might have."""

    caller: str
    row: Row
    fields: dict[str, Field]

    @property
    def name(self) -> str:
        return f"{self.row.method} {self.row.contract_path}"

    @property
    def may_be_empty(self) -> bool:
        return not any(field.required for field in self.fields.values())


def _form(caller: str, method: str, path: str, body: str, **fields: Field) -> Form:
    return Form(caller, Row(method, path, body, "", ""), fields)


_TYPES = structure(
    [{"name": "VIP", "price": 500, "capacity": 20, "description": "Front rows"}, {"name": "Standing"}],
    [],
    unfit=(
        *({"name": "VIP"}, ["VIP"], [{"price": 5}], [{"name": ""}], [{"name": "x" * 201}], [{"name": None}]),
        *([{"name": "VIP", "price": -1}], [{"name": "VIP", "capacity": -1}], [{"name": "VIP", "sold": 3}]),
        *([{"name": "VIP", "description": 5}], [{"name": "VIP"}, {"name": "Other", "capacity": 1.5}]),
    ),
)
_SOCIALS = structure(
    [{"type": "facebook", "url": "https://facebook.com/boimela"}],
    [],
    unfit=(
        *({"type": "facebook"}, ["facebook"], [{"type": "facebook"}], [{"url": "https://a.com"}]),
        *([{"type": 5, "url": "https://a.com"}], [{"type": "facebook", "url": "javascript:alert(1)"}]),
        [{"type": "facebook", "url": "https://a.com", "colour": "red"}],
    ),
)
_WALLETS = structure(
    {"bkash": "01700000000", "nagad": "01700000001", "rocket": "1", "card": "4", "other": "cash at the door"},
    {},
    unfit=(["bkash"], {"paypal": "x"}, {"bkash": 5}, {"bkash": None}, {"bkash": ""}, {"bkash": ["01700000000"]}),
)
_ANSWERS = structure({}, unfit=(["x"], {"Shoe size": "43"}))
_PERMISSIONS = structure(
    ["events:read", "tickets:read"], [], unfit=({"events:read": True}, ["events:fly"], [5], ["admin"], ["events:write"])
)
_CATEGORY = one_of("Education", "Sports", "Concert", "Conference", "Workshop", "Festival", "Charity", "Cultural",
                   "Games", "Other", "concert", "CHARITY")  # fmt: skip
_PRIVACY = one_of("public", "private")
_STATUS = one_of("Pending", "Success", "Failed", "Refunded")
_METHOD = one_of("bkash", "nagad", "rocket", "card", "other")
_DECISION = one_of("pending", "approved", "rejected", "verified")
_TRANSACTION = text(255)
_TRANSID = Kind(("y" * 255, "y"), _TRANSACTION.unfit)  # the other word for it: an id pays once (6.6)

FORMS = (
    _form(
        "nobody",
        "POST",
        "/auth/register",
        '{"username": "new$unique", "email": "new$unique@example.com", "password": "secret123", "number": "017000000"}',
        username=required(USERNAME),
        email=required(EMAIL),
        password=required(PASSWORD),
        number=required(PHONE),
    ),
    _form(
        "nobody",
        "POST",
        "/auth/login",
        '{"email": "$email", "password": "secret123"}',
        email=required(Kind((), SHORT.unfit)),
        password=required(Kind((), SHORT.unfit)),
    ),
    _form(
        "owner",
        "POST",
        "/events",
        '{"name": "Boi Mela", "organization_id": $organization}',
        name=required(NAME),
        organization_id=required(whole("$organization")),
        date=optional(DATE),
        deadline=optional(DATE),
        location=optional(SHORT),
        category=optional(_CATEGORY),
        description=optional(LONG),
        banner=optional(URL),
        logo=optional(URL),
        privacy=kept(_PRIVACY),
        ticket_types=kept(_TYPES),
    ),
    _form(
        "owner",
        "PUT",
        "/events/$event",
        '{"name": "Boi Mela"}',
        name=kept(NAME),
        date=optional(DATE),
        deadline=optional(DATE),
        location=optional(SHORT),
        category=optional(_CATEGORY),
        description=optional(LONG),
        logo=optional(URL),
        banner=optional(URL),
        privacy=kept(_PRIVACY),
        notice=optional(LONG),
        emailtitle=optional(SHORT),
        emailmessage=optional(LONG),
        template=optional(LONG),
        socials=optional(_SOCIALS),
        wallets=optional(_WALLETS),
    ),
    _form(
        "admin",
        "POST",
        "/organizations",
        '{"name": "Chhayanaut", "user_id": $holder}',
        name=required(NAME),
        user_id=required(whole("$holder")),
        description=optional(LONG),
        eventcount=optional(COUNT),
    ),
    _form(
        "admin",
        "PUT",
        "/organizations/$organization",
        '{"name": "Chhayanaut"}',
        name=kept(NAME),
        description=optional(LONG),
        notice=optional(LONG),
        plan=kept(Kind(("Free",), (*NAME.unfit, "Nonsense"))),
        eventcount=optional(COUNT),
    ),
    _form(
        "holder",
        "POST",
        "/tickets",
        '{"event_id": $event}',
        event_id=required(whole("$event")),
        name=optional(NAME),
        email=optional(EMAIL),
        number=optional(PHONE),
        ticket_type_id=optional(whole("$spare_type")),
        transaction_id=optional(_TRANSACTION),
        transid=optional(_TRANSID),
        amount=optional(MONEY),
        payment_method=optional(_METHOD),
        note=optional(LONG),
        custom_fields=optional(_ANSWERS),
    ),
    _form(
        "owner",
        "PUT",
        "/tickets/$strangers_ticket",
        '{"note": "seen"}',
        status=kept(_STATUS),
        transid=optional(_TRANSID),
        transaction_id=optional(_TRANSACTION),
        name=kept(NAME),
        email=kept(EMAIL),
        number=optional(PHONE),
        note=optional(LONG),
        amount=kept(MONEY),
        ticket_type_id=optional(whole("$spare_type")),
        payment_method=optional(_METHOD),
    ),
    _form(
        "owner",
        "POST",
        "/ticket-types",
        '{"event_id": $event, "name": "VIP"}',
        event_id=required(whole("$event")),
        name=required(NAME),
        price=kept(MONEY),
        capacity=kept(COUNT),
        description=optional(LONG),
    ),
    _form(
        "owner",
        "PUT",
        "/ticket-types/$spare_type",
        '{"name": "VIP"}',
        name=kept(NAME),
        price=kept(MONEY),
        capacity=kept(COUNT),
        description=optional(LONG),
    ),
    _form(
        "nobody",
        "POST",
        "/donations",
        '{"email": "a@example.com", "number": "01700000000", "amount": 5, "transaction_id": "GIFT$unique", '
        '"type": "bkash"}',
        email=required(EMAIL),
        number=required(PHONE),
        amount=required(whole(1, 500, LARGEST_ID)),
        transaction_id=required(text(255, shortest=5)),
        type=required(_METHOD),
        organization_id=optional(whole("$organization")),
        note=optional(LONG),
    ),
    _form("owner", "PUT", "/donations/$donation", '{"status": "approved"}', status=required(_DECISION)),
    _form("admin", "PUT", "/admin/donations/$platform_donation", '{"status": "verified"}', status=required(_DECISION)),
    _form(
        "holder",
        "PUT",
        "/users/me",
        '{"current_password": "secret123"}',
        username=kept(USERNAME),
        number=kept(PHONE),
        pfp=optional(URL),
        country=optional(SHORT),
        password=kept(Kind(("x" * 128,), PASSWORD.unfit)),
        current_password=optional(Kind(("secret123",), SHORT.unfit)),
    ),
    _form(
        "holder",
        "POST",
        "/keys",
        '{"name": "My App", "key_type": "user"}',
        name=required(NAME),
        key_type=required(Kind(("user",), one_of("user").unfit)),
        permissions=optional(_PERMISSIONS),
        expires_at=optional(EXPIRY),
    ),
    _form(
        "holder",
        "PUT",
        "/keys/$own_key",
        '{"name": "My App"}',
        name=kept(NAME),
        permissions=kept(_PERMISSIONS),
        is_active=kept(STRICT_FLAG),
    ),
    _form(
        "admin",
        "PUT",
        "/admin/users/$spare_user",
        '{"country": "Bangladesh"}',
        username=kept(USERNAME),
        email=kept(EMAIL),
        number=kept(PHONE),
        type=kept(one_of("user", "organizer")),
        admin=kept(FLAG),
        country=optional(SHORT),
        password=kept(PASSWORD),
        promote_organizer=kept(FLAG),
        demote_organizer=kept(FLAG),
    ),
)
