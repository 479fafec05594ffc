"""What each part of the schema means: the words of REST in the schema's own names, and what GraphQL alone has."""

import re
from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.utils.str_converters import to_camel_case

from amarevents.models.enums import DonationStatus, Privacy, TicketStatus
from amarevents.resolvers.core.descriptions import EXCEPTIONS, FIELDS
from amarevents.resolvers.core.idempotency import LIFETIME

_ABOUT = """\
Events, their tickets and payments, and the door: what REST has at `/api`, and more, with the same rules.

Who you are: send an API key as `Authorization: Bearer ae_…`, or sign in with `login`, which sets a cookie. Without \
either you see what is public.

Money is a `Decimal`, in taka: an exact text, such as `"499.50"`. An `ID` comes from an answer and goes into arguments \
as it is. Times are in UTC, dates are YYYY-MM-DD.

Errors say what happened to programs as well: in `extensions.code`.
"""
_HOURS = int(LIFETIME.total_seconds()) // 3600
_OWN = {
    "after": "What comes behind this place alone: a cursor of the same list.",
    "attempts": "How often it has been tried to send it.",
    "before": "What comes before this place alone: a cursor of the same list.",
    "category": "What kind of event it is.",
    "checked_in": "How many of the tickets have let somebody in.",
    "checked_in_at": "When somebody was let in, in UTC.",
    "checked_in_by": "The username of the account that scanned the ticket; for the event's owner and admins.",
    "code": "The unguessable code of the ticket, which its QR code holds.",
    "cursor": "Its place in the list: an opaque text.",
    "decided": "The tickets that have been decided, as they are now.",
    "decided_at": "When its status was last changed, in UTC.",
    "edges": "The rows, each with its place in the list.",
    "end_cursor": "The place of the last row; null for an empty page.",
    "expected": "How many tickets are approved.",
    "first": "At most so many, from the beginning: 1 to 100.",
    "gate": "Where the ticket is scanned, in your own words.",
    "has_next_page": "Whether there are rows behind these.",
    "has_previous_page": "Whether there are rows before these.",
    "id": "What names it in arguments and in other fields.",
    "idempotency_key": f"The same key and input give the first answer again for {_HOURS} hours and do nothing twice.",
    "ids": "All of the event's, each once, in their new order.",
    "input": "What is sent.",
    "items": "What is on this page.",
    "kind": "What the mail is about.",
    "last": "At most so many, from the end: 1 to 100.",
    "last_error": "Why it has not been sent.",
    "message": "The same for people.",
    "mode": "Whether one ticket that cannot be decided keeps the others from being decided.",
    "next_attempt_at": "When it is tried next, while it is pending.",
    "node": "The row.",
    "nodes": "The rows, without their places.",
    "outcome": "What the scan has come to.",
    "page_info": "Where the page begins and ends, and whether there is more.",
    "reason": "Why it was decided so, for the attendee; null without a reason.",
    "recipient": "The address that it goes to.",
    "scan_id": "Your own name of this scan, new for each one: sent again, it is the same scan.",
    "sent_at": "When it was sent; null if it has not been.",
    "start_cursor": "The place of the first row; null for an empty page.",
    "subject": "The subject of the mail.",
    "ticket_ids": "The tickets, each named once.",
}
"""Words for names that REST has not, or where it says something that is true of REST alone."""
_OF_KINDS = {
    "UpdateDonationInput": "What has been found out about the money.",
    "Verification": "What the door needs to know of a ticket; `valid` is whether its status is `SUCCESS`.",
}
"""Types of which REST says something in its own words."""
_OF_TYPES = {
    ("CheckIn", "ticket"): "The ticket that was scanned.",
    ("DecidePayments", "reason"): "Why they are decided so, for the attendees.",
    ("DecisionFailure", "code"): "What is in the way, for programs.",
    ("OutgoingMail", "status"): "Whether it has been sent.",
    ("PaymentDecisions", "failed"): "The tickets that could not be decided, and why.",
    ("TicketUpdate", "kind"): "What has happened.",
    ("TicketUpdate", "ticket"): "The ticket as it is now; null where it has been deleted.",
    ("UpdateDonation", "status"): "Whether the money has been seen: `PENDING`, `VERIFIED` or `REJECTED`.",
    ("list_all_donations", "status"): "Donations of this status alone.",
    ("list_donations", "status"): "Donations of this status alone.",
    ("list_outgoing_mails", "status"): "Mails of this status alone.",
}
_VALUES = {
    "AccountType.USER": "Registers for events.",
    "AccountType.ORGANIZER": "Publishes events as well.",
    "AuthMethod.SESSION": "A login, by its cookie.",
    "AuthMethod.API_KEY": "An API key.",
    "Category.EDUCATION": "Something to learn.",
    "Category.SPORTS": "A match, a race or a tournament.",
    "Category.CONCERT": "Music for an audience.",
    "Category.CONFERENCE": "Talks and discussions.",
    "Category.WORKSHOP": "Something to learn by doing it.",
    "Category.FESTIVAL": "A celebration of many parts.",
    "Category.CHARITY": "For the good of others.",
    "Category.CULTURAL": "Arts, literature and traditions.",
    "Category.GAMES": "Playing together.",
    "Category.OTHER": "None of the others.",
    "CheckInOutcome.ADMITTED": "Let them in.",
    "CheckInOutcome.ALREADY_CHECKED_IN": "Somebody is in with this ticket: see when and where.",
    "DecisionMode.ALL": "All are decided, or none.",
    "DecisionMode.EACH": "What can be decided is; the rest is reported.",
    "DonationStatus.APPROVED": "The same as `VERIFIED`, in what is sent.",
    "DonationStatus.PENDING": "Nobody has looked for the money yet.",
    "DonationStatus.VERIFIED": "The money has been seen.",
    "DonationStatus.REJECTED": "There is no such payment.",
    "FieldType.TEXT": "A line of text.",
    "FieldType.TEXTAREA": "A text of several lines.",
    "FieldType.EMAIL": "An email address.",
    "FieldType.NUMBER": "A number.",
    "FieldType.DATE": "A date, YYYY-MM-DD.",
    "FieldType.DROPDOWN": "One of the options, from a list that opens.",
    "FieldType.RADIO": "One of the options, all of them in sight.",
    "FieldType.CHECKBOX": "Ticked or not, or those of the options that are ticked.",
    "KeyType.USER": "What every account may do.",
    "KeyType.ORGANIZER": "What organizers may do.",
    "KeyType.ADMIN": "What admins may do.",
    "MailKind.TICKET_CONFIRMED": "A place is good.",
    "MailKind.PAYMENT_REJECTED": "A payment has been rejected.",
    "MailKind.CONFIRM_EMAIL": "A link that confirms an account's email.",
    "MailStatus.PENDING": "It is to be sent.",
    "MailStatus.SENT": "The mail server has taken it.",
    "MailStatus.FAILED": "It has been given up.",
    "MailStatus.HELD": "It is kept and not sent.",
    "PaymentMethod.BKASH": "Mobile money of bKash.",
    "PaymentMethod.NAGAD": "Mobile money of Nagad.",
    "PaymentMethod.ROCKET": "Mobile money of Rocket.",
    "PaymentMethod.CARD": "A bank card.",
    "PaymentMethod.OTHER": "In any other way.",
    "Privacy.PUBLIC": "Everybody sees it.",
    "Privacy.PRIVATE": "Its owner, admins and holders of its tickets see it.",
    "Scope.EVENTS_READ": "See the private events that the account may see; the public ones need no permission.",
    "Scope.EVENTS_WRITE": "Create and change events, and create, change and delete their ticket types, custom fields "
    "and pictures.",
    "Scope.EVENTS_DELETE": "Delete events, with all that hangs on them.",
    "Scope.TICKETS_READ": "See and verify tickets, see the statistics of events, and follow both live.",
    "Scope.TICKETS_WRITE": "Register for events, change tickets, decide on payments, and let people in at the door.",
    "Scope.TICKETS_DELETE": "Delete tickets.",
    "Scope.ORGANIZATIONS_READ": "See organizations; they are public, and nothing asks for this.",
    "Scope.ORGANIZATIONS_WRITE": "Change one's own organizations; for admins, create and change any.",
    "Scope.DONATIONS_READ": "See the donations to one's own organizations; for admins, all donations.",
    "Scope.DONATIONS_WRITE": "Verify and reject the donations to one's own organizations; for admins, all donations.",
    "Scope.USERS_READ": "See one's own profile, organizations and keys.",
    "Scope.USERS_WRITE": "Change one's own profile.",
    "Scope.ADMIN": "Administer accounts, keys, plans and donations; see all events, all mails and the statistics of "
    "the platform.",
    "Scope.EVERYTHING": "All permissions.",
    "TicketChangeKind.CREATED": "Somebody has registered.",
    "TicketChangeKind.UPDATED": "It has been changed, decided or checked in.",
    "TicketChangeKind.DELETED": "It is there no more.",
    "TicketStatus.PENDING": "It holds a place and waits for the organizer.",
    "TicketStatus.SUCCESS": "It holds a place and is good at the door.",
    "TicketStatus.FAILED": "It has been rejected and holds no place.",
    "TicketStatus.REFUNDED": "The money has gone back; it holds no place.",
}
# Values of enums as REST writes them, in sentences that both surfaces have.
_ENUMS = {f"`{one}`": f"`{one.name}`" for enum in (DonationStatus, Privacy, TicketStatus) for one in enum}
# What an input says beside the noun that it is about.
_OF_AN_INPUT = re.compile("^(Create|Update)|Input$")
_HEADER = re.compile("`?Idempotency-Key`?")
_QUOTED_NAME = re.compile("`[a-z]+(_[a-z0-9]+)+`")
_Described = GraphQLField | GraphQLArgument | GraphQLInputField


def describe(schema: GraphQLSchema) -> None:
    """Give words to every field, argument and value that has none, and let all words have the schema's own names.

    Raises KeyError where nothing is said of one of them.
    """
    schema.description = _ABOUT.strip()
    for kind in schema.type_map.values():
        if kind.name.startswith("__"):
            continue
        kind.description = _in_own_names(_OF_KINDS.get(kind.name) or kind.description or "") or None
        if isinstance(kind, GraphQLEnumType):
            _describe_values(kind)
        elif isinstance(kind, GraphQLObjectType | GraphQLInputObjectType):
            for owner, part in _parts(kind):
                part.description = _in_own_names(part.description or _words(owner, _made_of(part).python_name))


def _describe_values(kind: GraphQLEnumType) -> None:
    for name, value in kind.values.items():
        value.description = _VALUES[f"{kind.name}.{name}"]


def _parts(kind: GraphQLObjectType | GraphQLInputObjectType) -> Iterator[tuple[str, _Described]]:
    """The fields and arguments of a type, each with what it belongs to: the type, or the operation that it is for."""
    for field in kind.fields.values():
        yield kind.name, field
        if isinstance(field, GraphQLField):
            resolver = _made_of(field).base_resolver
            yield from ((resolver.name if resolver else kind.name, argument) for argument in field.args.values())


def _made_of(part: _Described) -> Any:  # Any: Strawberry's field or argument
    return part.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]


def _words(owner: str, name: str) -> str:
    owners = (owner, owner.removesuffix("Input"), _OF_AN_INPUT.sub("", owner))
    exceptions = (_OF_TYPES.get((one, name)) or EXCEPTIONS.get((one, name)) for one in owners)
    said = next(filter(None, exceptions), None)
    return said or _OWN.get(name) or FIELDS[name]


def _in_own_names(text: str) -> str:
    """With names as the schema has them, where they are quoted."""
    text = _HEADER.sub("`idempotencyKey`", text.replace(": 1 or 0.", "."))
    for in_rest, here in _ENUMS.items():
        text = text.replace(in_rest, here)
    return _QUOTED_NAME.sub(lambda found: to_camel_case(found.group()), text)
