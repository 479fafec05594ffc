"""The command for outgoing email: ``outbox`` lists emails, shows one, or releases those held or failed."""

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number
from tortoise.queryset import QuerySet

from amarevents.cli.settings import read_settings
from amarevents.errors import OperatorError
from amarevents.mail.outbox import release as release_mails
from amarevents.models import OutgoingMail
from amarevents.models.columns import utc_now
from amarevents.models.db.connection import open_database
from amarevents.models.enums import MailStatus
from amarevents.settings import Settings


async def outbox(
    *,
    mail_id: Annotated[
        int | None, Parameter(name="--id", metavar="ID", help="Show this email only, with its text.")
    ] = None,
    status: Annotated[MailStatus | None, Parameter(metavar="STATUS", help="List emails with this status only.")] = None,
    limit: Annotated[
        int, Parameter(metavar="N", help="Maximum number of emails to list.", validator=Number(gte=1))
    ] = 50,
    release: Annotated[
        bool, Parameter(help="Send the held or failed emails chosen by --id or --status.", show_default=False)
    ] = False,
) -> None:
    settings = read_settings()
    async with open_database(settings):
        mails = OutgoingMail.all() if mail_id is None else OutgoingMail.filter(id=mail_id)
        if status is not None:
            mails = mails.filter(status=status)
        if release:
            if mail_id is None and status is None:
                raise OperatorError("Choose which emails to release: --id N, --status held or --status failed")
            await _release(mails, settings)
        elif mail_id is None:
            for mail in await mails.order_by("-id").limit(limit):
                print(_line_of(mail))
        else:
            print(_description_of(await _find(mails, mail_id)))


async def _release(mails: QuerySet[OutgoingMail], settings: Settings) -> None:
    """Raises OperatorError if there is no mail server to send them."""
    if settings.smtp_url is None:
        raise OperatorError("There is no mail server to send the emails: set AMAREVENTS_SMTP_URL")
    released = await release_mails(mails, utc_now())
    print(f"Released {released} held or failed emails; 'amarevents serve' sends them")


async def _find(mails: QuerySet[OutgoingMail], mail_id: int) -> OutgoingMail:
    mail = await mails.first()
    if mail is None:
        raise OperatorError(f"There is no such email: {mail_id}")
    return mail


def _line_of(mail: OutgoingMail) -> str:
    """Return one line: ID, status, time of creation, kind, recipient, subject, and why it has not been sent."""
    error = f"  [{mail.last_error}]" if mail.last_error else ""
    head = f"{mail.id:>7}  {mail.status:<7}  {mail.created_at:%Y-%m-%d %H:%M}  {mail.kind:<16}"
    return f"{head}  {mail.recipient}  {mail.subject}{error}"


def _description_of(mail: OutgoingMail) -> str:
    """Return everything about a mail except a secret link, which only its recipient may open.

    The link is included while the email is held, because nothing else delivers it then.
    """
    facts = {
        "id": mail.id,
        "kind": mail.kind,
        "status": mail.status,
        "recipient": mail.recipient,
        "ticket": mail.ticket_id or "none",
        "account": mail.user_id or "none",
        "created": mail.created_at,
        "attempts": mail.attempts,
        "next attempt": mail.next_attempt_at,
        "sent": mail.sent_at or "no",
        "last error": mail.last_error or "none",
        "subject": mail.subject,
    }
    is_secret = mail.body and mail.kind.has_secret_link and mail.status is not MailStatus.HELD
    text = "(contains a secret link)" if is_secret else mail.body
    return "\n".join([*(f"{name + ':':<14}{value}" for name, value in facts.items()), "", text.rstrip()])
