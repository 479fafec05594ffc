"""Rendering of emails: headers, text and HTML, and the QR code."""

import datetime
import struct
import zlib
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr

import pytest
import segno

from amarevents.mail.rendering import compose, deliverable
from amarevents.models import OutgoingMail
from amarevents.models.enums import MailKind
from tests.support.mail_server import SENDER, Delivered

AT = datetime.datetime(2027, 1, 2, 3, 4, 5, 678901, tzinfo=datetime.UTC)
CODE = "AEABCDEFGHIJKLMNOPQRSTUVWXY"
BANGLA = "আপনার টিকিট নিশ্চিত হয়েছে: বৃষ্টির গান, রিভারসাইড মঞ্চ, ঢাকা — স্বাগতম! " * 3


def mail_of(**changes: object) -> OutgoingMail:
    values = {
        "id": 7,
        "kind": MailKind.TICKET_CONFIRMED,
        "recipient": "karim@example.com",
        "subject": "Your ticket",
        "body": "Hello",
        "created_at": AT,
        **changes,
    }
    return OutgoingMail(**values)


def composed(**changes: object) -> EmailMessage:
    mail = mail_of(**changes)
    return compose(mail, code=CODE if mail.kind is MailKind.TICKET_CONFIRMED else None, sender=SENDER)


def received(**changes: object) -> Delivered:
    """Return the message as a mail client parses it."""
    raw = composed(**changes).as_bytes()
    return Delivered("", [], message_from_bytes(raw, _class=EmailMessage, policy=default))


def pixels_of(part: EmailMessage) -> list[list[int]]:
    """Return the pixels of a one-bit PNG, 1 for dark; only the row filters "none" and "up" are supported."""
    data = part.get_content()
    chunks, position = {}, 8
    while position < len(data):
        (length,), kind = struct.unpack(">I", data[position : position + 4]), data[position + 4 : position + 8]
        chunks[kind] = data[position + 8 : position + 8 + length]
        position += length + 12
    width, height, depth, _colours, _, _, _ = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert depth == 1
    stored, stride = zlib.decompress(chunks[b"IDAT"]), -(-width // 8) + 1
    rows = [bytes(stride - 1)]
    for kind, *row in (stored[start : start + stride] for start in range(0, height * stride, stride)):
        assert kind in {0, 2}
        rows.append(bytes((byte + kind // 2 * above) % 256 for byte, above in zip(row, rows[-1], strict=True)))
    bits = ["".join(f"{byte:08b}" for byte in row)[:width] for row in rows[1:]]
    return [[int(bit == "0") for bit in row] for row in bits]


def test_headers_have_sender_recipient_and_mark_the_email_as_automatic() -> None:
    message = received().message
    assert message["From"] == SENDER
    assert message["To"] == "karim@example.com"
    assert message["Subject"] == "Your ticket"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime.tzinfo is not None


@pytest.mark.parametrize("name", ["আমার ইভেন্টস", "আমার ইভেন্টস টিকিট ও নিবন্ধন সেবা ঢাকা বাংলাদেশ", 'Amar "Events", Dhaka'])
def test_a_sender_may_have_any_name(name: str) -> None:
    quoted = name.replace('"', '\\"')
    raw = compose(mail_of(), code=None, sender=f'"{quoted}" <tickets@example.org>').as_bytes()
    # Not as an address header of the policy ``default``, which adds spaces to long names that are not ASCII.
    decoded = make_header(decode_header(str(message_from_bytes(raw)["From"])))
    assert parseaddr(str(decoded).replace("\n", "")) == (name, "tickets@example.org")


def test_an_email_keeps_its_message_id_at_every_attempt() -> None:
    first, again = received().message["Message-ID"], received().message["Message-ID"]
    assert first == again == "<7.20270102030405678901@example.org>"
    assert received(id=8).message["Message-ID"] != first
    assert received(created_at=AT + datetime.timedelta(microseconds=1)).message["Message-ID"] != first


@pytest.mark.parametrize("subject", [BANGLA.strip(), "বৃষ্টির গান | Songs of Rain 🎶", "é", "x" * 240])
def test_subjects_arrive_unchanged(subject: str) -> None:
    raw = composed(subject=subject).as_bytes()
    assert raw.isascii()
    assert max(len(line) for line in raw.partition(b"\r\n\r\n")[0].split(b"\r\n")) < 998
    assert received(subject=subject).message["Subject"] == subject


@pytest.mark.parametrize("subject", ["x\nBcc: a@example.org", "টিকিট\r\nBcc: a@example.org"])
def test_a_subject_cannot_inject_a_header(subject: str) -> None:
    message = received(subject=subject).message
    assert message["Bcc"] is None
    assert message["Subject"] == " ".join(subject.split())


def test_the_body_arrives_as_text_and_html_with_its_line_breaks() -> None:
    got = received(body=f"{BANGLA}\n\nসাদর আমন্ত্রণ\n")
    assert got.text.startswith(f"{BANGLA}\n\nসাদর আমন্ত্রণ\n")
    assert f"{BANGLA}<br><br>সাদর আমন্ত্রণ" in got.html
    assert got.message.get_body(("plain",)).get_content_charset() == "utf-8"  # type: ignore[union-attr] # the part exists


def test_html_escapes_the_body() -> None:
    body = "<script>alert(1)</script> & \"quoted\" 'text' https://evil.example/x <a href=https://evil.example>y</a>"
    got = received(body=body)
    assert "<script" not in got.html
    assert "<a " not in got.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; " in got.html
    assert body in got.text


def test_the_code_is_in_both_parts_and_the_qr_code_inline_and_attached() -> None:
    got = received()
    assert CODE in got.text
    assert CODE in got.html
    pictures = [part for part in got.message.walk() if part.get_content_type() == "image/png"]
    assert [part.get_content_disposition() for part in pictures] == ["inline", "attachment"]
    assert [part.get_filename() for part in pictures] == ["ticket.png"] * 2
    assert f'src="cid:{pictures[0]["Content-ID"].strip("<>")}"' in got.html
    assert pictures[0].get_content() == pictures[1].get_content()


def test_the_qr_code_encodes_the_code() -> None:
    [_, attached] = [part for part in received().message.walk() if part.get_content_type() == "image/png"]
    assert isinstance(attached, EmailMessage)
    pixels, scale, border = pixels_of(attached), 8, 4
    modules = [
        row[border * scale : -border * scale : scale] for row in pixels[border * scale : -border * scale : scale]
    ]
    assert modules == [list(row) for row in segno.make_qr(CODE, error="m").matrix]
    assert modules != [list(row) for row in segno.make_qr(CODE[::-1], error="m").matrix]


def test_a_confirmation_email_links_only_its_own_url() -> None:
    body = "An account, “https://evil.example”.\n\nhttps://amarevents.example/confirm-email?token=abc-_\n\nBye"
    got = received(kind=MailKind.CONFIRM_EMAIL, body=body)
    assert got.html.count("<a ") == 1
    link = "https://amarevents.example/confirm-email?token=abc-_"
    assert f'<a href="{link}">{link}</a>' in got.html
    assert [part.get_content_type() for part in got.message.walk()] == [
        "multipart/alternative", "text/plain", "text/html",
    ]  # fmt: skip


def test_a_rejection_contains_no_ticket() -> None:
    got = received(kind=MailKind.PAYMENT_REJECTED)
    assert CODE not in got.text + got.html
    assert not list(got.message.iter_attachments())


def test_international_domains_are_encoded_in_ascii() -> None:
    assert deliverable("karim@উদাহরণ.বাংলা").isascii()
    assert deliverable("karim@bücher.example") == "karim@xn--bcher-kva.example"
    assert deliverable("করিম@example.com") == "করিম@example.com"
    with pytest.raises(ValueError, match="Label too long"):
        deliverable(f"karim@{'x' * 64}.example")


@pytest.mark.parametrize(
    "recipient",
    ["a.b+c@example.com", "a..b@example.com", ".a@example.com", "o'hara!#$%@example.com", "করিম@example.com"],
)
def test_every_address_accepted_at_registration_can_be_a_recipient(recipient: str) -> None:
    assert str(composed(recipient=recipient)["To"]) == recipient
