"""Email templates: placeholders are substituted once and nothing is evaluated (decisions 4.3)."""

import datetime
from decimal import Decimal
from unittest.mock import Mock

import pytest

from amarevents.mail import templates
from amarevents.mail.templates import fill, one_line
from amarevents.models import Event, Ticket
from amarevents.models.enums import TicketStatus
from amarevents.models.mails import MAX_BODY, MAX_SUBJECT
from amarevents.text import fold

HOSTILE = [
    "{event}", "{{name}}", "{0}", "{}", "{name!r}", "{__class__}", "{name.__class__}", "{name:>9999999}",
    "%s", "%(name)s", "$name", "${name}", "<script>alert(1)</script>", "\\1", "\\g<0>", "{unknown}", "}{", "{",
]  # fmt: skip


def ticket_of(**changes: object) -> Ticket:
    values = {"id": 42, "name": "Karim", "amount": Decimal("500.00"), "status": TicketStatus.SUCCESS, **changes}
    return Ticket(**values)


def event_of(**changes: object) -> Event:
    values = {"name": "Tech Summit", "date": datetime.date(2027, 6, 10), "location": "Dhaka", **changes}
    return Event(**values)


def test_every_placeholder_of_the_contract_is_substituted() -> None:
    event = event_of(emailtitle="{name}: {event}", emailmessage="{name}|{event}|{location}|{date}|{price}|{id}|{Size}")
    email = templates.ticket_confirmed(ticket_of(), event, {"Size": "XL"})
    assert email.subject == "Karim: Tech Summit"
    assert email.text == "Karim|Tech Summit|Dhaka|2027-06-10|500|42|XL"


def test_reserved_names_of_custom_fields_are_those_of_the_placeholders() -> None:
    assert templates._ticket_values(ticket_of(), event_of()).keys() == templates.PLACEHOLDERS


def test_a_placeholder_without_a_value_is_empty_and_an_unknown_one_is_kept() -> None:
    event = event_of(date=None, location=None, emailmessage="[{date}][{location}][{Size}][{Colour}]")
    assert templates.ticket_confirmed(ticket_of(), event, {"Size": ""}).text == "[][][][{Colour}]"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_values_are_text(text: str) -> None:
    event = event_of(name=text, emailtitle="{name}", emailmessage="{event} of {Answer} for {name}")
    email = templates.ticket_confirmed(ticket_of(name=text), event, {"Answer": text})
    assert email.subject == text
    assert email.text == f"{text} of {text} for {text}"


@pytest.mark.parametrize("text", [text for text in HOSTILE if text not in {"{event}", "{{name}}", "${name}"}])
def test_hostile_templates_are_text(text: str) -> None:
    assert templates.ticket_confirmed(ticket_of(), event_of(emailmessage=text), {}).text == text


def test_placeholder_may_have_any_characters() -> None:
    assert fill("<{\n\u200cক}>", {"ক": "value"}, limit=100) == "<{\n\u200cক}>"


def test_names_in_a_template_are_folded_once_for_all_emails(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Mock(side_effect=fold)
    monkeypatch.setattr(templates, "fold", counted)
    template = "".join(f"{{ক{number}}}" for number in range(1_000))
    for _ in range(10):
        fill(template, {"ক1": "value"}, limit=MAX_BODY)
    assert counted.call_count == 1_000 + 10


@pytest.mark.parametrize("name", ["(.*)", "ক্ষেত্র", "Size?", "a|b", "Size of your T-shirt"])
def test_custom_fields_may_have_any_name(name: str) -> None:
    assert fill(f"<{{{name}}}>", {name: "value"}, limit=100) == "<value>"


def test_a_custom_field_cannot_replace_a_placeholder_of_the_contract() -> None:
    event = event_of(emailmessage="{name} {id}")
    assert templates.ticket_confirmed(ticket_of(), event, {"name": "Admin", "id": "1"}).text == "Karim 42"


@pytest.mark.parametrize("separator", ["\n", "\r\n", "\r", "\x0b", "\x85", "\u2028", "\u2029", "\x00"])
def test_a_subject_is_one_line(separator: str) -> None:
    event = event_of(emailtitle=f"Hello{separator}Bcc: all@example.org {{name}}")
    subject = templates.ticket_confirmed(ticket_of(name=f"x{separator}To: y@example.org"), event, {}).subject
    assert subject == "Hello Bcc: all@example.org x To: y@example.org"


def test_one_line_keeps_the_joiners_of_bangla_spelling() -> None:
    assert one_line("র\u200d্যাব  ক্\u200cষ") == "র\u200d্যাব ক্\u200cষ"


def test_rendered_texts_have_a_maximum_length() -> None:
    event = event_of(emailtitle="{A}" * 80, emailmessage="{A}" * 6_000)
    email = templates.ticket_confirmed(ticket_of(), event, {"A": "x" * 20_000})
    assert (len(email.subject), len(email.text)) == (MAX_SUBJECT, MAX_BODY)


@pytest.mark.parametrize(("amount", "rendered"), [("0", "0"), ("500.00", "500"), ("99.50", "99.50"), ("1000", "1000")])
def test_prices_omit_zero_decimals(amount: str, rendered: str) -> None:
    event = event_of(emailmessage="{price}")
    assert templates.ticket_confirmed(ticket_of(amount=Decimal(amount)), event, {}).text == rendered


def test_the_default_confirmation_has_date_and_location_if_they_are_set() -> None:
    confirmation = templates.ticket_confirmed(ticket_of(), event_of(), {})
    assert "Tech Summit" in confirmation.subject
    assert all(fact in confirmation.text for fact in ("Karim", "2027-06-10", "Dhaka", "42"))
    without_date_and_location = templates.ticket_confirmed(ticket_of(), event_of(date=None, location=None), {}).text
    assert "Date" not in without_date_and_location
    assert "Location" not in without_date_and_location
    assert "{" not in confirmation.text + without_date_and_location


def test_a_rejection_ignores_the_organizers_template() -> None:
    event = event_of(emailtitle="Welcome!", emailmessage="Your place is good")
    email = templates.payment_rejected(ticket_of(transaction_id="8N7A"), event)
    assert "Tech Summit" in email.subject
    assert "Welcome" not in email.subject
    assert "good" not in email.text
    assert all(fact in email.text for fact in ("Karim", "Tech Summit", "8N7A", "contact the organizer", "42"))
    assert "Transaction id /" not in templates.payment_rejected(ticket_of(transaction_id=None), event).text


def test_an_expiry_ignores_the_organizers_template_and_says_what_to_do() -> None:
    event = event_of(name="Tech\nSummit {name}", emailtitle="Welcome!", emailmessage="Your place is good")
    email = templates.hold_expired(ticket_of(decision_reason="expired"), event)
    assert email.subject == "Your place at Tech Summit {name} is no longer reserved | আসনটি আর সংরক্ষিত নেই"
    assert "good" not in email.text
    assert all(
        fact in email.text for fact in ("Karim", "Summit {name}", "register again", "contact the organizer", "42")
    )


def test_a_rejection_has_the_reason_if_one_was_given() -> None:
    rejection = templates.payment_rejected(ticket_of(decision_reason="No such payment, {name}"), event_of()).text
    assert "Reason / কারণ: No such payment, {name}" in rejection
    assert "Reason /" not in templates.payment_rejected(ticket_of(), event_of()).text
