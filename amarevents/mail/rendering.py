"""How a mail looks: plain text and HTML, and with a ticket its QR code."""

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
from amarevents.models.enums import MailKind

_SEVEN_BITS = SMTP.clone(cte_type="7bit")  # which every server takes
_QR_NAME = "ticket.png"
_QR_SCALE = 8  # pixels of a module
_LINK_ALONE = re.compile(r"^(https?://[^\s<>&\"']+)$", re.MULTILINE)
_PAGE = """<!doctype html>
<html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"></head>
<body style="font-family: sans-serif; line-height: 1.5">
{body}
</body></html>
"""


def compose(mail: OutgoingMail, *, code: str | None, sender: str) -> EmailMessage:
    """The message of ``mail``. ``code``: of the ticket that it brings; ``sender``: an address, perhaps with a name.

    The same mail has the same ``Message-ID`` at every attempt, so that a second delivery can be recognized.
    Raises ValueError for a recipient that nobody can write to.
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


# Raw where it is not ASCII: the folding of messages loses and adds spaces in long texts (CPython gh-92081).


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
    """The address as servers know it: its domain in ASCII. Raises ValueError for a domain that cannot be one."""
    local, _, domain = recipient.rpartition("@")
    return f"{local}@{domain.encode('idna').decode()}"


def _write_body(message: EmailMessage, mail: OutgoingMail, code: str | None) -> None:
    shown = html.escape(mail.body)
    if mail.kind is MailKind.CONFIRM_EMAIL:  # ours: what others have written is never made a link
        shown = _LINK_ALONE.sub(r'<a href="\1">\1</a>', shown)
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
    assert isinstance(page, MIMEPart)  # noqa: S101 - for the type checker: what has just been added
    page.add_related(picture, "image", "png", cid=f"<{cid}>", filename=_QR_NAME, disposition="inline")
    message.add_attachment(picture, "image", "png", filename=_QR_NAME)


def qr_code(code: str) -> bytes:
    """A PNG of the code as a scanner at the door reads it."""
    picture = io.BytesIO()
    segno.make_qr(code, error="m").save(picture, kind="png", scale=_QR_SCALE)
    return picture.getvalue()
