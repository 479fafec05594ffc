"""Rendering of emails: plain text and HTML, with the QR code of a ticket."""

import html
import io
import re
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

import segno

from amarevents.mail.templates import one_line
from amarevents.models import OutgoingMail
from amarevents.models.columns import utc_now
from amarevents.text import ascii_domain

_SEVEN_BITS = SMTP.clone(cte_type="7bit")  # accepted by every server
_QR_NAME = "ticket.png"
_QR_SCALE = 8  # pixels per module
_LINK_ON_ITS_OWN_LINE = re.compile(r"^(https?://[^\s<>&\"']+)$", re.MULTILINE)
_PAGE = """<!doctype html>
<html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"></head>
<body style="font-family: sans-serif; line-height: 1.5">
{body}
</body></html>
"""


def compose(mail: OutgoingMail, *, code: str | None, sender: str) -> EmailMessage:
    """Return the message for ``mail``.

    ``code`` is that of the attached ticket; ``sender`` is an address with an optional display name. An email has the
    same ``Message-ID`` at every attempt, so that a duplicate delivery can be recognized.
    Raises ValueError if the recipient is not a valid address.
    """
    name, address = parseaddr(sender)
    message = EmailMessage(policy=_SEVEN_BITS)
    _set_sender(message, name, address)
    local, _, domain = deliverable(mail.recipient).rpartition("@")
    message["To"] = Address(username=local, domain=domain)
    _set_subject(message, one_line(mail.subject))
    message["Date"] = format_datetime(utc_now())
    message["Message-ID"] = f"<{mail.id}.{mail.created_at:%Y%m%d%H%M%S%f}@{address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    _write_body(message, mail, code)
    return message


# Headers that are not ASCII are set raw: EmailMessage adds and removes spaces when it folds them (CPython gh-92081).


def _set_sender(message: EmailMessage, name: str, address: str) -> None:
    if name.isascii():
        message["From"] = Address(name, addr_spec=address)
    else:
        message.set_raw("From", f"{Header(name, 'utf-8', header_name='From').encode()}\n <{address}>")


def _set_subject(message: EmailMessage, subject: str) -> None:
    if subject.isascii():
        message["Subject"] = subject
    else:
        message.set_raw("Subject", Header(subject, "utf-8", header_name="Subject").encode())


def deliverable(recipient: str) -> str:
    """Return the address with its domain in ASCII. Raises ValueError if the domain is not valid."""
    local, _, domain = recipient.rpartition("@")
    return f"{local}@{ascii_domain(domain)}"


def _write_body(message: EmailMessage, mail: OutgoingMail, code: str | None) -> None:
    shown = html.escape(mail.body)
    if mail.kind.has_secret_link:  # our own text; links in text of organizers stay plain
        shown = _LINK_ON_ITS_OWN_LINE.sub(r'<a href="\1">\1</a>', shown)
    paragraphs = [f"<p>{'<br>'.join(shown.splitlines())}</p>"]
    if code is None:
        message.set_content(mail.body)
        message.add_alternative(_PAGE.format(body=paragraphs[0]), subtype="html")
        return
    message.set_content(f"{mail.body}\nTicket code / টিকিট কোড: {code}\n")
    picture, cid = qr_code(code), f"{code}@ticket"
    paragraphs += [
        f'<p><img src="cid:{cid}" alt="QR code {code}"></p>',
        f"<p>Ticket code / টিকিট কোড: <b>{code}</b></p>",
    ]
    message.add_alternative(_PAGE.format(body="\n".join(paragraphs)), subtype="html")
    page = message.get_payload(1)
    assert isinstance(page, MIMEPart)  # noqa: S101 - for the type checker: the part added above
    page.add_related(picture, "image", "png", cid=f"<{cid}>", filename=_QR_NAME, disposition="inline")
    message.add_attachment(picture, "image", "png", filename=_QR_NAME)


def qr_code(code: str) -> bytes:
    """Return the QR code of a ticket code as a PNG image."""
    picture = io.BytesIO()
    segno.make_qr(code, error="m").save(picture, kind="png", scale=_QR_SCALE)
    return picture.getvalue()
